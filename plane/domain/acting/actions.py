"""What can be done to one live object besides syncing it, and what that writes: Argo CD's actions, by their names and parameters."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from plane.domain import errors, objects
from plane.domain.acting import merge_patch
from plane.domain.acting.action_rules import catalogue, rules

Body = dict[str, Any]
Change = rules.Change
MOST_REPLICAS = 100_000  # a slip of the hand is refused before it reaches a cluster
MOST_TEXT = 253


class Parameter(msgspec.Struct, frozen=True):
    """What an action may be told; without a default it must be."""

    name: str
    kind: Literal["text", "count"] = "text"
    default: str = ""


class Action(msgspec.Struct, frozen=True):
    """An action of an object; `reason`: why it cannot be done just now."""

    name: str
    disabled: bool = False
    reason: str = ""
    parameters: tuple[Parameter, ...] = ()


class Patch(msgspec.Struct, frozen=True):
    """One request: a patch of an object or of its subresource."""

    body: Any
    kind: Literal["merge", "json", "strategic"] = "merge"
    subresource: str = ""


def any_for(group: str, kind: str) -> bool:
    """Whether objects of a kind have actions."""
    return (group, kind) in catalogue.RULES


def of(body: Body) -> tuple[Action, ...]:
    """The actions of an object as it lives, sorted by name; none for a kind without any."""
    return tuple(sorted((_seen(rule, body) for rule in _rules(body)), key=lambda action: action.name))


def change(body: Body, name: str, given: Mapping[str, str], *, now: dt.datetime) -> Change:
    """What an action does to an object as it lives.

    Raises:
        Invalid: no such action, or parameters that do not fit it. Conflict: it is disabled.
    """
    rule = next((found for found in _rules(body) if found.name == name), None)
    if rule is None:
        raise unknown(body, name, tuple(action.name for action in of(body)))
    refuse_disabled(body, _seen(rule, body))
    request = rules.Request(body, _checked(rule, body, given), now)
    made = rule.make(request) if rule.make else Change(rules.fill(rule.patch, request))
    return msgspec.structs.replace(made, patch=merge_patch.effective(made.patch, body))


def refuse_disabled(body: Body, action: Action) -> None:
    """Conflict when the action cannot be done just now."""
    if action.disabled:
        why = f": {action.reason}" if action.reason else " just now"
        message = f"action {action.name!r} cannot be done to {objects.key_of(body)}{why}"
        raise errors.Conflict(message)


def unknown(body: Body, name: str, known: tuple[str, ...]) -> errors.Invalid:
    """The error of an action that an object does not have."""
    key = objects.key_of(body)
    kind = f"{key.group}/{key.kind}" if key.group else key.kind
    return errors.Invalid({"action": f"{kind} has no action {name!r}; it has {', '.join(known) or 'none'}"})


def patches(wanted: Change) -> tuple[Patch, ...]:
    """The requests of a change's patch: the status by its own, before the rest, as the rest may make a controller look at it."""
    status = {name: value for name, value in wanted.patch.items() if name == "status"}
    rest = {name: value for name, value in wanted.patch.items() if name != "status"}
    return (*((Patch(status, subresource="status"),) if status else ()), *((Patch(rest),) if rest else ()))


def _rules(body: Body) -> tuple[rules.Rule, ...]:
    key = objects.key_of(body)
    return catalogue.RULES.get((key.group, key.kind), ())


def _seen(rule: rules.Rule, body: Body) -> Action:
    reason = next(filter(None, (block(body) for block in rule.blocks)), "")
    return Action(rule.name, bool(reason), reason, tuple(_parameter(each, body) for each in rule.parameters))


def _parameter(rule: rules.Parameter, body: Body) -> Parameter:
    found = rules.at(body, *rule.at) if rule.at else None
    return Parameter(rule.name, rule.kind, rule.default if found is None else str(found))


def _checked(rule: rules.Rule, body: Body, given: Mapping[str, str]) -> dict[str, str | int]:
    """Values by name, of the type that the patch wants."""
    known = {each.name: each for each in rule.parameters}
    for name in given.keys() - known.keys():
        raise rules.refuse(name, f"action {rule.name!r} has no such parameter; it has {', '.join(known) or 'none'}")
    return {name: _value(each, given.get(name), body) for name, each in known.items()}


def _value(rule: rules.Parameter, said: str | None, body: Body) -> str | int:
    if said is None and not rule.default:  # what the field holds already is shown as the default, but would change nothing
        raise rules.refuse(rule.name, "is required")
    text = _parameter(rule, body).default if said is None else said
    if rule.kind == "text":
        if not text or len(text) > MOST_TEXT or not text.isprintable():
            raise rules.refuse(rule.name, f"must be 1 to {MOST_TEXT} visible characters")
        return text
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(MOST_REPLICAS)) or int(text) > MOST_REPLICAS:
        raise rules.refuse(rule.name, f"must be a whole number from 0 to {MOST_REPLICAS}")
    return int(text)
