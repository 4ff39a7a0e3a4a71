"""Kubernetes' events, folded."""

import json
from typing import Any

import pytest

from plane.domain import kube_events
from tests.support import cases


@pytest.mark.parametrize(("name", "case"), cases.named("kube_events"))
def test_equal_events_are_one_with_a_count(name: str, case: dict[str, Any]) -> None:
    found = kube_events.folded(kube_events.read(json.dumps(event).encode()) for event in case["events"])
    shown = [[str(one.key), one.type, one.reason, one.message, one.source, one.count, one.first, one.last] for one in found]
    assert shown == case["folded"], name
