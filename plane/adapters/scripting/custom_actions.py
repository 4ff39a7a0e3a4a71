"""Actions of an object where users may have written some: theirs before ours, and ours beside them only where they say so."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from plane.adapters.scripting import scripts
from plane.domain import errors
from plane.domain.acting import action_scripts, actions

Body = dict[str, Any]


def of(runner: scripts.Scripts, source: action_scripts.Source | None, body: Body) -> tuple[actions.Action, ...]:
    """The actions of an object, sorted by name; Invalid when its scripts do not tell them."""
    if source is None:
        return actions.of(body)
    own = {each.name: each for each in runner.discover(source, body)}
    ours = {each.name: each for each in actions.of(body)} if source.merge else {}
    return tuple(each for _, each in sorted({**ours, **own}.items()))


def change(
    runner: scripts.Scripts, source: action_scripts.Source | None, body: Body, name: str, given: Mapping[str, str], *, now: dt.datetime
) -> actions.Change:
    """What an action does to an object as it lives.

    Raises:
        Invalid: no such action, parameters that do not fit it, a script that fails. Conflict: it is disabled.
    """
    if source is None or (source.merge and name not in source.definitions):
        return actions.change(body, name, given, now=now)
    known = {each.name: each for each in runner.discover(source, body)}
    if name not in known or name not in source.definitions:
        raise actions.unknown(body, name, tuple(each.name for each in of(runner, source, body)))
    actions.refuse_disabled(body, known[name])
    return runner.act(source, body, name, _told(known[name], given))


def _told(action: actions.Action, given: Mapping[str, str]) -> dict[str, str]:
    """What was said, and defaults for the rest."""
    known = {each.name: each for each in action.parameters}
    for name in given.keys() - known.keys():
        rule = f"action {action.name!r} has no such parameter; it has {', '.join(known) or 'none'}"
        raise errors.Invalid({f"parameters.{name}": rule})
    return {name: given.get(name, each.default) for name, each in known.items() if name in given or each.default}
