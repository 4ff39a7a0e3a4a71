"""Resource actions that users wrote in Lua, with Argo CD's interface. Running them is `adapters.scripts`' part."""

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from plane.domain import actions, errors, merge_patch, objects

Body = dict[str, Any]
MOST_CREATED = 20


class Source(msgspec.Struct, frozen=True):
    """The scripts of a kind; group and kind may be globs.

    `discovery` tells the actions, `definitions` do them, by name; `merge`: the built-in ones of the kind stay beside them; `name` is how
    people know the scripts.
    """

    group: str
    kind: str
    discovery: str
    definitions: Mapping[str, str] = {}
    merge: bool = False
    name: str = ""


def find(sources: Iterable[Source], group: str, kind: str) -> Source | None:
    """The scripts of a kind: those that name more of it win, and of equals the first."""
    fitting = [one for one in sources if fnmatch.fnmatchcase(group, one.group) and fnmatch.fnmatchcase(kind, one.kind)]
    return min(fitting, key=lambda one: (one.group.count("*"), one.kind.count("*"), -len(one.group)), default=None)


def listed(returned: Any) -> tuple[actions.Action, ...]:  # noqa: ANN401 any JSON data
    """What discovery returned: a table from names to what is known of them; sorted."""
    if not isinstance(returned, dict):
        raise errors.Invalid({"discovery.lua": "returned a list; return a table from the names of actions to {}"})
    return tuple(_action(name, said if isinstance(said, dict) else {}) for name, said in sorted(returned.items()))


def change(before: Body, returned: Any, *, where: str) -> actions.Change:  # noqa: ANN401 any JSON data
    """What an action returned: the object as it is to be, or a list of {operation, resource}.

    Raises:
        Invalid: it is neither, patches another object, or creates what is none.
    """
    steps = returned if isinstance(returned, list) else [{"operation": "patch", "resource": returned}]
    patch: Body = {}
    created: list[Body] = []
    for step in steps:
        resource = _resource(step, where)
        operation = step.get("operation")
        if operation == "create":
            created.append(resource)
        elif operation == "patch":
            patch = _patched(before, resource, where)
        else:
            raise errors.Invalid({where: f"returned the operation {operation!r}; use create or patch"})
    if len(created) > MOST_CREATED:
        raise errors.Invalid({where: f"creates {len(created)} objects; {MOST_CREATED} are the most"})
    return actions.Change(patch, tuple(created))


def _action(name: str, said: Body) -> actions.Action:
    known = said.get("params")
    parameters = tuple(_parameter(each) for each in known if isinstance(each, dict)) if isinstance(known, list) else ()
    return actions.Action(name, disabled=bool(said.get("disabled")), parameters=parameters)


def _parameter(said: Body) -> actions.Parameter:
    default = said.get("default")
    return actions.Parameter(str(said.get("name", "")), default="" if default is None else str(default))


def _resource(step: Any, where: str) -> Body:  # noqa: ANN401 any JSON data
    resource = step.get("resource") if isinstance(step, dict) else None
    meta = resource.get("metadata") if isinstance(resource, dict) else None
    if (
        not isinstance(resource, dict)
        or not isinstance(meta, dict)
        or not all((resource.get("apiVersion"), resource.get("kind"), meta.get("name")))
    ):
        raise errors.Invalid({where: "returned an object without apiVersion, kind or metadata.name"})
    return resource


def _patched(before: Body, after: Body, where: str) -> Body:
    if objects.key_of(before) != objects.key_of(after):
        raise errors.Invalid(
            {where: f"patches {objects.key_of(after)}; only {objects.key_of(before)} itself can be, others can be created"}
        )
    return merge_patch.between(before, after)
