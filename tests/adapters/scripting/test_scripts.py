"""Scripts of users: what they may say, and that nothing they do reaches or holds up the plane."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from plane.adapters.scripting import script_messages, scripts
from plane.domain import errors
from plane.domain.health import health_scripts, health_values
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


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("hs = {}\n\nif then", "is no Lua: line 3: unexpected symbol near 'then'"),
        ("local x = 1\nwhile true do end", "took longer than 2 s and was stopped at line 2"),
        ("return {status = require('os')}", "went wrong: line 1: attempt to call global 'require' (a nil value)"),
        ("return {status = 'Fine'}", "said 'Fine', which is no status; use Healthy, Suspended, Progressing, Missing, Degraded, Unknown"),
        (health_scripts.Expressions(current="status.ready =="), "current is no CEL: 1:16"),
        (health_scripts.Expressions(failed="'text'"), "failed is neither true nor false"),
    ],
)
def test_a_script_that_can_never_do_is_found_without_an_object(source: Any, rule: str) -> None:  # noqa: ANN401 - Lua or CEL
    with contextlib.closing(scripts.Scripts(script_messages.Limits(wall_s=2))) as runner:
        assert runner.check(source).startswith(rule)


@pytest.mark.parametrize(
    "source",
    [
        "return {status = obj.status.conditions[1].type}",
        "if obj.status.phase == 'Ready' then return {status = 'Healthy'} end",
        health_scripts.Expressions(current="status.phase == 'Ready'"),
    ],
)
def test_a_script_that_needs_an_object_is_not_refused_without_one(runner: scripts.Scripts, source: Any) -> None:  # noqa: ANN401 - Lua or CEL
    assert runner.check(source) == ""


def test_a_script_that_fails_is_named_with_its_line(runner: scripts.Scripts) -> None:
    script = health_scripts.Script("x.example", "Widget", "\nreturn {status = obj.none.phase}", "acme/widgets")
    told = "its health script acme/widgets went wrong: line 2: attempt to index field 'none' (a nil value)"
    assert runner.run(script, BODY) == health_values.Health("Unknown", told)
