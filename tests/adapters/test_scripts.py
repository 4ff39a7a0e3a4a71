"""Scripts of users: what they may say, and that nothing they do reaches or holds up the plane."""

from collections.abc import Iterator
from typing import Any

import pytest

from plane.adapters import script_messages, scripts
from plane.domain import errors, health_scripts, health_values
from tests.support import cases

BODY: dict[str, Any] = {
    "apiVersion": "x.example/v1",
    "kind": "Widget",
    "metadata": {"name": "a", "generation": 2, "gone": None},
    "spec": {"replicas": 3, "parts": [{"name": "a", "size": 1}, {"name": "b", "size": 2}]},
    "status": {"phase": "Ready", "replicas": 3, "conditions": [{"type": "Ready", "status": "True", "message": "fits"}]},
}


@pytest.fixture(scope="module")
def runner() -> Iterator[scripts.Scripts]:
    # Wide bounds: on a busy machine no honest script may reach them.
    made = scripts.Scripts(script_messages.Limits(wall_s=30))
    yield made
    made.close()


@pytest.fixture
def hasty() -> Iterator[scripts.Scripts]:
    made = scripts.Scripts(script_messages.Limits(wall_s=0.3))
    yield made
    made.close()


@pytest.mark.parametrize(("name", "case"), cases.named("jq"))
def test_a_jq_expression_leads_where_the_table_says(runner: scripts.Scripts, name: str, case: dict[str, Any]) -> None:
    assert [list(path) for path in runner.paths((case["expression"],), BODY)] == case["paths"], name


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        (".a[", "is no jq expression"),
        ("1", "names no path"),
        ('include "x"; .a', "is no jq expression"),
        (".a | tostring", "names no path"),
    ],
)
def test_an_expression_that_names_no_path_is_refused(runner: scripts.Scripts, expression: str, rule: str) -> None:
    with pytest.raises(errors.Invalid, match=rule):
        runner.paths((expression,), BODY)


@pytest.mark.parametrize("expression", ["def f: f; f", "first(range(1e12) | select(. < 0))", "[range(1e12)]"])
def test_an_expression_without_end_is_stopped_and_the_next_runs(hasty: scripts.Scripts, expression: str) -> None:
    with pytest.raises(errors.Invalid, match="was stopped"):
        hasty.paths((expression,), BODY)
    assert _eventually(hasty) == ((("spec", "replicas")),)


def _eventually(runner: scripts.Scripts) -> tuple[Any, ...]:
    """A busy machine may need more than a hasty bound for an honest script."""
    while True:
        try:
            return runner.paths((".spec.replicas",), BODY)
        except errors.Invalid:
            continue


@pytest.mark.parametrize(("name", "case"), cases.named("lua"))
def test_a_lua_script_says_what_the_table_says(runner: scripts.Scripts, name: str, case: dict[str, Any]) -> None:
    found = runner.lua(case["script"], BODY)
    assert [found.status, found.message] == case["expected"], name


@pytest.mark.parametrize(
    "script", ["while true do end", "local s = 'a' while true do s = s .. s end", "local t = {} while true do t[#t+1] = {} end"]
)
def test_a_lua_script_without_end_is_stopped(hasty: scripts.Scripts, script: str) -> None:
    assert hasty.lua(script, BODY).status == "Unknown"
    assert "was stopped" in hasty.lua(script, BODY).message


@pytest.mark.parametrize(
    "name", ["io", "debug", "package", "require", "load", "loadstring", "dofile", "python", "os.execute", "os.getenv", "os.exit"]
)
def test_a_lua_script_finds_no_way_out(runner: scripts.Scripts, name: str) -> None:
    found = runner.lua(f"hs = {{}} hs.status = 'Healthy' hs.message = tostring({name}) return hs", BODY)
    assert found == health_values.Health("Healthy", "nil")


def test_a_lua_script_leaves_nothing_behind(runner: scripts.Scripts) -> None:
    runner.lua("secret = 'kept' hs = {} hs.status = 'Healthy' return hs", BODY)
    assert runner.lua("hs = {} hs.status = 'Healthy' hs.message = tostring(secret) return hs", BODY).message == "nil"


@pytest.mark.parametrize(("name", "case"), cases.named("cel"))
def test_expressions_say_what_the_table_says(runner: scripts.Scripts, name: str, case: dict[str, Any]) -> None:
    told = health_scripts.Expressions(
        current=case.get("current", ""), in_progress=case.get("inProgress", ""), failed=case.get("failed", "")
    )
    found = runner.cel(told, BODY)
    assert found.status == case["status"], name
    assert case["says"] in found.message
