"""Users' health scripts: what they may look like, and for which kinds. Running them is `adapters.scripts`' part."""

import hashlib

import msgspec

from plane.domain.acting import action_scripts

FILES = ("health.lua", "health.yaml")  # Argo CD's script; Flux's expressions


class Expressions(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """Flux's `healthCheckExprs` of one kind, in CEL."""

    current: str = ""
    in_progress: str = ""
    failed: str = ""


class CheckSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """How a kind is judged: a Lua script or CEL expressions. An empty group is the core group; `*` or `_` stand for anything.

    `actions`: what can be done to objects of the kind; with them the rest may be left out.

    With `cluster` it holds in that cluster alone, and goes before those of its level that hold everywhere.
    """

    kind: str
    group: str = ""
    cluster: str = ""
    lua: str = ""
    cel: Expressions | None = None
    actions: action_scripts.ActionsSpec | None = None

    def judges(self) -> bool:
        """Whether it says how objects are."""
        return bool(self.lua) or self.cel is not None


class Script(msgspec.Struct, frozen=True):
    """How a user wants a kind judged; both may be globs.

    `file` names it to people; `tenant`, `project` and `local` as in `levels.Levelled`.
    """

    group: str
    kind: str
    source: str | Expressions  # Lua, or CEL
    file: str = ""
    tenant: str = ""
    project: str = ""
    local: bool = False

    def digest(self) -> bytes:
        """Names it with all it says."""
        return hashlib.blake2b(msgspec.msgpack.encode(self), digest_size=16).digest()


MOST_CHARACTERS = 64 * 1024  # of one script: ten times the longest of those that Argo CD ships


def problems(spec: CheckSpec) -> dict[str, str]:
    """Field → broken rule."""
    found = {}
    if not spec.kind:
        found["spec.kind"] = "names the kind to judge, such as Widget, or * for every kind of the group"
    if bool(spec.lua) == (spec.cel is not None) and (spec.judges() or spec.actions is None):
        found["spec"] = "needs one of lua and cel"
    elif spec.cel is not None and not (spec.cel.current or spec.cel.in_progress or spec.cel.failed):
        found["spec.cel"] = "needs an expression: current, inProgress or failed"
    if spec.actions is not None:
        found |= action_scripts.problems(spec.actions)
    if len(spec.lua) > MOST_CHARACTERS:
        found["spec.lua"] = f"is longer than {MOST_CHARACTERS:,} characters"
    return found


def pattern(written: str) -> str:
    """A group or kind as a glob; Argo CD's folders write `_` where a glob has `*`."""
    return written.replace("_", "*")


def placed(parts: tuple[str, ...]) -> tuple[str, str] | None:
    """Group and kind of a script's folders as Argo CD lays them out, `group/Kind`; `_` is a wildcard, `core` or nothing the core group."""
    if not parts or len(parts) > 2:  # noqa: PLR2004 group and kind
        return None
    group, kind = ("", *parts)[-2:]
    return "" if group == "core" else pattern(group), pattern(kind)
