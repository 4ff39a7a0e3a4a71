"""Resource actions that users wrote in Lua, with Argo CD's interface. Running them is `adapters.scripts`' part."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from plane.domain import errors, objects
from plane.domain.acting import actions, merge_patch

Body = dict[str, Any]
MOST_CREATED = 20
MOST_DEFINITIONS = 50
MOST_CHARACTERS = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")


class ActionsSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """What can be done to objects of a kind: Lua with Argo CD's interface. `definitions`: name → script, for every name in discovery."""

    discovery: str
    definitions: dict[str, str] = {}
    merge_builtin_actions: bool = False


class Source(msgspec.Struct, frozen=True):
    """The scripts of a kind; group and kind may be globs.

    `discovery` tells the actions, `definitions` do them, by name; `merge`: the built-in ones of the kind stay beside them; `name` is how
    people know the scripts; `tenant`, `project` and `local` as in `levels.Levelled`.
    """

    group: str
    kind: str
    discovery: str
    definitions: Mapping[str, str] = {}
    merge: bool = False
    name: str = ""
    tenant: str = ""
    project: str = ""
    local: bool = False


def of(spec: ActionsSpec, group: str, kind: str, *, name: str = "") -> Source:
    """The scripts as a document writes them."""
    return Source(group, kind, spec.discovery, spec.definitions, merge=spec.merge_builtin_actions, name=name)


def problems(spec: ActionsSpec) -> dict[str, str]:
    """Field → broken rule."""
    found = {}
    if len(spec.definitions) > MOST_DEFINITIONS:
        found["spec.actions.definitions"] = f"are more than {MOST_DEFINITIONS}"
    for name, text in {"discovery": spec.discovery, **{f"definitions[{name!r}]": text for name, text in spec.definitions.items()}}.items():
        if not text or len(text) > MOST_CHARACTERS:
            found[f"spec.actions.{name}"] = f"must be a script of 1 to {MOST_CHARACTERS:,} characters"
    for name in spec.definitions:
        if not _NAME.fullmatch(name):
            found[f"spec.actions.definitions[{name!r}]"] = "an action's name is letters, digits, '-', '_' and '.', at most 63"
    return found


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
