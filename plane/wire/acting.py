"""Changes of one live object, ordered through an agent: what the order says, and what is answered.

An order is a query task whose only key is the object. It is not repeated by the agent that did it, but an agent that dies between doing
and telling gets it again: `uid` and `version` hold it to the object that somebody looked at.
"""

from typing import Any, Literal

import msgspec

from plane.wire import agent, answers

PatchType = Literal["merge", "json", "strategic"]
Propagation = Literal["foreground", "background", "orphan"]
DEFAULT_GRACE = -1  # the object's own


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every order says. `until`: Unix seconds after which it is refused; `uid`, `version`: of the object it is meant for."""

    until: int
    uid: str = ""
    version: str = ""


class Act(Order, frozen=True, kw_only=True, omit_defaults=True):
    """Do an action. `at`: the moment in Unix seconds that is written where an action writes one, the same when it is done again."""

    action: str
    at: int
    parameters: dict[str, str] = {}


class Change(Order, frozen=True, kw_only=True, omit_defaults=True):
    """Patch. `body`: JSON; `judged`: digest of what policy looked at, and nothing else may come of it."""

    body: bytes
    type: PatchType = "merge"
    dry_run: bool = False
    judged: str = ""


class Delete(Order, frozen=True, kw_only=True, omit_defaults=True):
    """Delete."""

    propagation: Propagation = "background"
    grace_s: int = DEFAULT_GRACE


class Parameter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an action may be told."""

    name: str
    kind: str = "text"
    default: str = ""


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An action of an object; `reason`: why it cannot be done just now."""

    name: str
    disabled: bool = False
    reason: str = ""
    parameters: tuple[Parameter, ...] = ()


class Actions(msgspec.Struct, frozen=True, kw_only=True):
    """An object and its actions; `uid` and `version` as orders take them."""

    key: agent.Key
    uid: str = ""
    version: str = ""
    actions: tuple[Action, ...] = ()


class Listed(answers.Answer, frozen=True, kw_only=True, tag="actions"):
    """Objects with their actions; `cut`: there are more than are shown."""

    objects: tuple[Actions, ...]
    cut: bool = False


class Done(answers.Answer, frozen=True, kw_only=True, omit_defaults=True, tag="done"):
    """What an order did.

    Attributes:
        before: resourceVersion of the object that was changed.
        after: its resourceVersion now; empty when it is gone.
        fields: JSON pointers of what changed, at most 100; never values.
        created: objects that an action made.
        warnings: sentences: what Git says otherwise, what holds the object.
        body: the object after a patch, masked.
        problems: what the order itself has wrong, path → broken rule; then nothing was done.
        digest: of a dry run, names what would become of the object, as `Change.judged` does.
    """

    before: str = ""
    after: str = ""
    fields: tuple[str, ...] = ()
    created: tuple[agent.Key, ...] = ()
    warnings: tuple[str, ...] = ()
    body: dict[str, Any] | None = None
    problems: dict[str, str] | None = None
    digest: str = ""
