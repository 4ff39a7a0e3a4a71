"""The form of an action in a table: the patch it writes, what it must be told, and why it may be impossible just now."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from plane.domain import errors, kinds

Body = dict[str, Any]
Block = Callable[[Body], str]  # why an action cannot be done to an object; empty when it can
NAME_LENGTH = 63  # of a name that also becomes a label's value, as a Job's or Workflow's does
STAMP = "%Y%m%d%H%M%S"


class Slot(msgspec.Struct, frozen=True):
    """A place in a patch that is filled in when the action is done: the moment, or what a parameter says."""

    parameter: str = ""
    text: bool = False  # a number is written as text, as annotations want it


NOW = Slot()


class Parameter(msgspec.Struct, frozen=True):
    """What somebody may say with an action. A count is a whole number, 0 or more.

    `at`: the field whose value is the default; without it and `default` the parameter is required.
    """

    name: str
    kind: Literal["text", "count"] = "text"
    default: str = ""
    at: tuple[str, ...] = ()


class Request(msgspec.Struct, frozen=True):
    """An action as it was asked for: the object as it lives, checked parameters, the moment."""

    body: Body
    given: Mapping[str, str | int]
    now: dt.datetime

    def stamp(self) -> str:
        """The moment as Kubernetes writes it."""
        return self.now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Change(msgspec.Struct, frozen=True):
    """What an action does: a JSON merge patch of its object, objects to create, or both."""

    patch: Body = {}
    create: tuple[Body, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """One action of a kind.

    Attributes:
        patch: a JSON merge patch with slots; `status` in it means that subresource.
        blocks: tried in order; the first that says something disables the action.
        make: the change, where a patch with slots cannot say it.
    """

    name: str
    patch: Body = {}
    blocks: tuple[Block, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    make: Callable[[Request], Change] | None = None


Table = Mapping[kinds.Kind, tuple[Rule, ...]]


def at(body: Any, *path: str) -> Any:  # noqa: ANN401 any JSON data
    """What lies at a path; None when nothing does."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def mapping(body: Any, *path: str) -> Body:  # noqa: ANN401 any JSON data
    """The mapping at a path; empty when there is none."""
    found = at(body, *path)
    return found if isinstance(found, dict) else {}


def items(body: Any, *path: str) -> list[Any]:  # noqa: ANN401 any JSON data
    """The list at a path; empty when there is none."""
    found = at(body, *path)
    return found if isinstance(found, list) else []


def put(*path: str, value: Any) -> Body:  # noqa: ANN401 any JSON data
    """The patch that writes one field; None takes it away."""
    for name in reversed(path):
        value = {name: value}
    made: Body = value
    return made


def annotate(name: str, value: str | Slot | None) -> Body:
    """The patch that writes one annotation."""
    return put("metadata", "annotations", name, value=value)


def label(name: str, value: str | None) -> Body:
    """The patch that writes one label."""
    return put("metadata", "labels", name, value=value)


def when(why: str, *path: str, value: object = True) -> Block:
    """Blocks while a field has a value."""
    return lambda body: why if at(body, *path) == value else ""


def unless(why: str, *path: str, value: object = True) -> Block:
    """Blocks while a field does not have a value."""
    return lambda body: "" if at(body, *path) == value else why


def unheard(body: Body) -> str:
    """Blocks what needs a status until there is one."""
    return "" if mapping(body, "status") else "its controller has not reported a status yet"


def switch(names: tuple[str, str], state: str, *path: str, values: tuple[Any, Any] = (True, False)) -> tuple[Rule, Rule]:
    """Two actions that undo each other. `values`: of the field when on, and when off (None: taken away)."""
    on, off = values
    return (
        Rule(names[0], put(*path, value=on), (when(f"it is {state} already", *path, value=on),)),
        Rule(names[1], put(*path, value=off), (unless(f"it is not {state}", *path, value=on),)),
    )


def fill(patch: Any, request: Request) -> Any:  # noqa: ANN401 any JSON data
    """The patch with its slots filled in."""
    if isinstance(patch, Slot):
        value = request.given[patch.parameter] if patch.parameter else request.stamp()
        return str(value) if patch.text else value
    if isinstance(patch, dict):
        return {name: fill(value, request) for name, value in patch.items()}
    return patch


def child(request: Request, api_version: str, kind: str, meta: Body, spec: Body) -> Change:
    """A new object that its source owns, named after it and the moment."""
    source = mapping(request.body, "metadata")
    stamp = request.now.astimezone(dt.UTC).strftime(STAMP)
    name = f"{source['name'][: NAME_LENGTH - len(stamp) - 1].rstrip('-.')}-{stamp}"
    owner = {
        "apiVersion": request.body["apiVersion"],
        "kind": request.body["kind"],
        "name": source["name"],
        "uid": source.get("uid", ""),
    }
    made = {**meta, "name": name, "namespace": source.get("namespace", ""), "ownerReferences": [owner]}
    return Change(create=({"apiVersion": api_version, "kind": kind, "metadata": made, "spec": spec},))


def refuse(parameter: str, rule: str) -> errors.Invalid:
    """The error of a parameter that cannot be used."""
    return errors.Invalid({f"parameters.{parameter}": rule})
