"""Which child is quoted, and how."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import kube_events, objects
from plane.domain.health import health_children, health_values
from tests.support import cases


def pod(status: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": status["name"], "uid": f"uid of {status['name']}"}, "status": status}


@pytest.mark.parametrize(("name", "case"), cases.named("health_children"))
def test_the_pod_that_tells_most_is_quoted(name: str, case: dict[str, Any]) -> None:
    said = health_children.of_pods(map(pod, case["pods"]))
    events = [kube_events.Event(objects.ObjectKey("", "Pod", "a", "a"), "", **event) for event in case.get("events", ())]
    assert (health_children.quoted(said, events) if said else "") == case["says"], name


def test_a_quotation_is_short() -> None:
    said = health_children.Said("web", "uid", "a " * 1000, 1)
    assert len(health_children.quoted(said, ())) == health_children.MOST


def test_a_replica_set_that_may_make_no_pods_says_so() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}
    old = {"metadata": {"name": "web-1", "creationTimestamp": "2026-01-01T00:00:00Z"}, "status": {}}
    new = {"metadata": {"name": "web-2", "creationTimestamp": "2026-01-02T00:00:00Z"}, "status": {"conditions": [failure]}}
    assert health_children.refused([new, old]) == "ReplicaSet web-2: FailedCreate: exceeded quota"
    assert health_children.refused([old]) == health_children.refused([]) == ""


NAMES = st.sampled_from(["state", "waiting", "terminated", "lastState", "reason", "exitCode", "phase", "conditions", "type", "Failed"])
ODD = st.recursive(st.none() | st.integers() | NAMES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3))


@given(st.dictionaries(st.sampled_from(["containerStatuses", "conditions", "phase"]), ODD))
def test_no_pod_breaks_the_search(status: dict[str, Any]) -> None:
    with contextlib.suppress(health_values.Malformed):
        assert health_children.of_pods([{"metadata": {"name": "a"}, "status": status}])
