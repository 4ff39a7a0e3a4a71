"""Health of every built-in kind, and of those nobody taught us."""

import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain.health import health
from tests.support import cases

# From few words: all of Unicode takes hypothesis more than a second to tabulate the first time, and slow drawing counts as a fault there.
TEXT = st.sampled_from(["", "a", "True", "False", "Failed", "é", "\x00"])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
FIELDS = st.sampled_from(
    [
        "conditions",
        "phase",
        "replicas",
        "observedGeneration",
        "containerStatuses",
        "loadBalancer",
        "ingress",
        "annotations",
        "state",
        "active",
    ]
)
STATUS = st.dictionaries(
    FIELDS, JSON | st.dictionaries(FIELDS, JSON, max_size=2) | st.lists(st.dictionaries(FIELDS, JSON, max_size=2), max_size=2)
)


@pytest.mark.parametrize(("name", "case"), cases.named("health"))
def test_an_object_is_judged_as_the_table_says(name: str, case: dict[str, Any]) -> None:
    found = health.judge(case["object"])
    assert [found.status, found.message] == case["expected"], name


def test_the_worst_counts_and_the_first_of_equals() -> None:
    first, second = health.Health("Degraded", "first"), health.Health("Degraded", "second")
    assert health.worst([health.Health("Healthy"), health.Health("Progressing"), first, second, health.MISSING]) == first


def test_nothing_at_all_is_healthy() -> None:
    assert health.worst([]) == health.Health("Healthy")


def test_the_order_is_the_one_users_of_argo_cd_know() -> None:
    assert health.ORDER == ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")


@given(st.sampled_from([*sorted(health.BUILT_IN), ("x.example", "Y")]), STATUS, STATUS)
def test_no_object_breaks_the_judge(kind: tuple[str, str], spec: dict[str, Any], status: dict[str, Any]) -> None:
    body = {"apiVersion": f"{kind[0]}/v1" if kind[0] else "v1", "kind": kind[1], "metadata": {"name": "a"}, "spec": spec, "status": status}
    assert health.judge(body).status in health.ORDER


def test_judging_is_cheap() -> None:
    table = [case["object"] for _, case in cases.named("health")]
    best_s = min(timeit.repeat(lambda: [health.judge(body) for body in table], number=1, repeat=20)) / len(table)
    assert best_s < 200e-6  # ten times the aim: this guards the order of magnitude on a busy machine
