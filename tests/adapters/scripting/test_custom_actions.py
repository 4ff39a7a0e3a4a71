"""Resource actions that users wrote: Argo CD's interface, bounded, and no change that was not meant."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from plane.adapters.scripting import custom_actions, scripts
from plane.domain import errors, levels
from plane.domain.acting import action_scripts, actions
from tests.support import cases

NOW = dt.datetime(2026, 8, 1, 12, tzinfo=dt.UTC)
PRECISE = 9007199254740993  # no double holds it
WIDGET: dict[str, Any] = {
    "apiVersion": "x.example/v1",
    "kind": "Widget",
    "metadata": {"name": "a", "namespace": "shop", "generation": PRECISE, "deletionTimestamp": None},
    "spec": {"size": 3, "ratio": 0.5, "parts": [{"name": "a", "empty": {}}, {"name": "b"}], "none": [], "nothing": {}},
}
DISCOVERY = """
local actions = {}
actions["go"] = {["params"] = {{["name"] = "replicas"}, {["name"] = "how", ["default"] = "fast"}}}
actions["stop"] = {["disabled"] = obj.spec.size > 2, ["iconClass"] = "fa"}
return actions
"""


@pytest.fixture(scope="module")
def runner() -> Iterator[scripts.Scripts]:
    """The children."""
    made = scripts.Scripts()
    yield made
    made.close()


def source(script: str = "return obj", *, kind: str = "Widget", group: str = "x.example", merge: bool = False) -> action_scripts.Source:
    return action_scripts.Source(group, kind, DISCOVERY, {"go": script, "stop": script}, merge=merge, name="widgets")


@pytest.mark.parametrize(("name", "case"), cases.named("lua_actions"))
def test_a_script_does_what_its_author_expects(runner: scripts.Scripts, name: str, case: dict[str, Any]) -> None:
    given = case.get("parameters", {})
    if "refused" in case:
        with pytest.raises(errors.Invalid) as refusal:
            custom_actions.change(runner, source(case["script"]), WIDGET, "go", given, now=NOW)
        assert case["refused"] in str(refusal.value), name
        return
    change = custom_actions.change(runner, source(case["script"]), WIDGET, "go", given, now=NOW)
    assert change == actions.Change(case["patch"], tuple(case.get("create", ()))), name


def test_discovery_tells_what_can_be_done_now_and_with_what(runner: scripts.Scripts) -> None:
    told = (actions.Parameter("replicas"), actions.Parameter("how", default="fast"))
    assert custom_actions.of(runner, source(), WIDGET) == (actions.Action("go", parameters=told), actions.Action("stop", disabled=True))


def test_what_a_script_disables_is_refused(runner: scripts.Scripts) -> None:
    with pytest.raises(errors.Conflict, match=r"action 'stop' cannot be done to x\.example/Widget shop/a just now"):
        custom_actions.change(runner, source(), WIDGET, "stop", {}, now=NOW)


def test_a_default_is_what_the_script_is_told(runner: scripts.Scripts) -> None:
    change = custom_actions.change(runner, source("obj.spec.how = actionParams.how return obj"), WIDGET, "go", {}, now=NOW)
    assert change.patch == {"spec": {"how": "fast"}}


def test_a_parameter_that_is_none_is_refused(runner: scripts.Scripts) -> None:
    with pytest.raises(errors.Invalid, match=r"parameters\.size: action 'go' has no such parameter; it has replicas, how"):
        custom_actions.change(runner, source(), WIDGET, "go", {"size": "1"}, now=NOW)


def test_own_actions_take_the_place_of_ours_unless_they_say_otherwise(runner: scripts.Scripts) -> None:
    web: dict[str, Any] = {**WIDGET, "apiVersion": "apps/v1", "kind": "Deployment"}
    alone, beside = (source(kind="Deployment", group="apps", merge=merge) for merge in (False, True))
    assert [each.name for each in custom_actions.of(runner, alone, web)] == ["go", "stop"]
    assert [each.name for each in custom_actions.of(runner, beside, web)] == ["go", "pause", "restart", "resume", "scale", "stop"]
    assert custom_actions.change(runner, beside, web, "pause", {}, now=NOW).patch == {"spec": {"paused": True}}
    with pytest.raises(errors.Invalid, match="has no action 'pause'; it has go, stop"):
        custom_actions.change(runner, alone, web, "pause", {}, now=NOW)


def test_the_scripts_that_name_more_of_a_kind_win() -> None:
    any_, group, exact = source(kind="*", group="*"), source(kind="*"), source()
    assert levels.find([any_, group, exact], "x.example", "Widget") is exact
    assert levels.find([any_, group, exact], "x.example", "Other") is group
    assert levels.find([any_, group, exact], "", "Pod") is any_
    assert levels.find([exact], "", "Widget") is None
