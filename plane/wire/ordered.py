"""Orders about one live object as the API takes them, and what it answers."""

from typing import Annotated, Any, Literal

import msgspec

from plane.wire import rest

Group = Annotated[str, msgspec.Meta(max_length=253, pattern=r"^[a-z0-9.-]*$")]
Kind = Annotated[str, msgspec.Meta(max_length=63, pattern=r"^[A-Za-z0-9]+$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9._-]+$")]
Value = Annotated[str, msgspec.Meta(max_length=1000)]
Version = Annotated[str, msgspec.Meta(max_length=64)]


class ObjectOrder(rest.Body, frozen=True, kw_only=True):
    """The object by its exact names, as the list of actions gives them.

    `uid`, `resourceVersion`: only that object, only as it was then.
    """

    group: Group = ""
    kind: Kind
    namespace: Annotated[str, msgspec.Meta(max_length=63)] = ""
    name: Name
    uid: Version = ""
    resource_version: Version = ""


class RunAction(ObjectOrder, frozen=True, kw_only=True):
    """Do an action; `parameters` by name, numbers as text."""

    action: Word
    parameters: Annotated[dict[Word, Value], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=dict)


class PatchObject(ObjectOrder, frozen=True, kw_only=True):
    """Patch: `merge` is a JSON merge patch, `strategic` Kubernetes' own, `json` a list of steps. `dryRun`: only show what would become."""

    patch: Any
    type: Literal["merge", "json", "strategic"] = "merge"
    dry_run: bool = False


class DeleteObject(ObjectOrder, frozen=True, kw_only=True):
    """Delete. `graceSeconds`: 0 ends a Pod at once; without it the object's own holds."""

    propagation: Literal["foreground", "background", "orphan"] = "background"
    grace_seconds: Annotated[int, msgspec.Meta(ge=0, le=86400)] | None = None


class Parameter(rest.Answer, frozen=True, kw_only=True):
    """What an action may be told. `type`: text, or count for a whole number; without a default it must be told."""

    name: str
    type: str
    default: str = ""


class Action(rest.Answer, frozen=True, kw_only=True):
    """An action; `reason`: why it cannot be done just now."""

    name: str
    disabled: bool = False
    reason: str = ""
    parameters: tuple[Parameter, ...] = ()


class ObjectActions(rest.Answer, frozen=True, kw_only=True):
    """A live object with its actions; none for a kind that has none."""

    group: str
    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str
    actions: tuple[Action, ...]


class Actions(rest.Answer, frozen=True, kw_only=True):
    """Objects with their actions. `warnings`: what is left out, and why."""

    items: tuple[ObjectActions, ...]
    warnings: tuple[str, ...] = ()


class Ordered(rest.Answer, frozen=True, kw_only=True):
    """An order about one object.

    `state`: queued when the agent has not answered in time, follow the task then; done otherwise. `fields`: JSON pointers of what changed;
    `resourceVersion` of the object now, empty when it is gone; `object` after a patch, secret values masked.
    """

    task: str
    state: Literal["queued", "done"] = "queued"
    previous_version: str = ""
    resource_version: str = ""
    fields: tuple[str, ...] = ()
    created: tuple[rest.Key, ...] = ()
    warnings: tuple[str, ...] = ()
    object: dict[str, Any] | None = None
