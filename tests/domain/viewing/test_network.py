"""Where traffic flows between objects."""

from typing import Any

import pytest

from plane.domain import objects
from plane.domain.viewing import network, tree
from tests.support import cases


def pod(name: str, labels: dict[str, str], namespace: str = "shop") -> tree.Seen:
    return tree.Seen(objects.ObjectKey("", "Pod", namespace, name), name, labels=labels)


@pytest.mark.parametrize(("name", "case"), cases.named("network"))
def test_traffic_flows_where_objects_send_it(name: str, case: dict[str, Any]) -> None:
    bodies = {objects.key_of(body): body for body in case["objects"]}
    found = network.edges(bodies, [pod(**one) for one in case.get("pods", ())])
    assert [f"{source} -> {target}" for source, target in found] == case["edges"], name
