"""Health of the kinds that other projects bring; every row of a table is a `kind`, what its object holds, and what it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain.health import health
from plane.domain.health.health_rules import catalogue, rules
from tests.support import cases

FILES = sorted(path.stem for path in (cases.ROOT / "health_rules").glob("*.yaml"))
ROWS = [(f"{file} {n}: {row['kind']}", row) for file in FILES for n, row in enumerate(cases.load(f"health_rules/{file}.yaml"), 1)]


def _object(row: dict[str, Any]) -> dict[str, Any]:
    version, kind = row["kind"].split()
    given: dict[str, Any] = {name: row[name] for name in ("spec", "status") if name in row}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "a", **row.get("metadata", {})}, **given}


def _rule(row: dict[str, Any]) -> rules.Rule | None:
    version, kind = row["kind"].split()
    return catalogue.find(version.partition("/")[0], kind)


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_kind_is_judged_as_the_table_says(name: str, row: dict[str, Any]) -> None:
    found = health.judge(_object(row))
    assert found.status == row["is"], name
    assert row.get("says", found.message) == found.message


def test_every_status_that_a_rule_can_give_has_a_case() -> None:
    given = {(id(_rule(row)), row["is"]) for _, row in ROWS}
    named = [(f"{group} {kind}", rule) for (group, kind), rule in catalogue.RULES.items()] + [(g[0], g[2]) for g in catalogue.GLOBS]
    wanted = [(name, clause.status, id(rule)) for name, rule in named for clause in rule.clauses]
    assert sorted({(name, status) for name, status, rule in wanted if (rule, status) not in given}) == []


def test_no_two_tables_claim_a_kind() -> None:
    assert catalogue.twice() == []


def test_no_table_claims_what_kubernetes_rules_judge() -> None:
    assert sorted(health.BUILT_IN.keys() & catalogue.RULES.keys()) == []


NAMES = st.sampled_from(["status", "conditions", "phase", "parents", "byPod", "Ready", "type", "reason", "a", "True"])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)


@given(st.sampled_from(sorted(catalogue.RULES)), ODD, ODD, ODD)
def test_no_object_breaks_a_rule(kind: tuple[str, str], status: object, spec: object, conditions: object) -> None:
    body: dict[str, Any] = {"apiVersion": f"{kind[0]}/v1", "kind": kind[1], "metadata": {"name": "a", "generation": 1}, "spec": spec}
    for odd in (status, {"conditions": conditions}, {"parents": conditions, "byPod": conditions, "phase": status}):
        assert health.judge({**body, "status": odd}).status in health.ORDER
