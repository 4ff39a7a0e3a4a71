"""Which health script of a user's is for which kind. Running them is `adapters.scripts`' part."""

import fnmatch
from collections.abc import Iterable

import msgspec

FILES = ("health.lua", "health.yaml")  # Argo CD's script; Flux's expressions


class Expressions(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """Flux's `healthCheckExprs` of one kind, in CEL."""

    current: str = ""
    in_progress: str = ""
    failed: str = ""


class Script(msgspec.Struct, frozen=True):
    """How a user wants a kind judged; both may be globs."""

    group: str
    kind: str
    source: str | Expressions  # Lua, or CEL
    file: str = ""


def placed(parts: tuple[str, ...]) -> tuple[str, str] | None:
    """Group and kind of a script's folders as Argo CD lays them out, `group/Kind`; `_` is a wildcard, `core` or nothing the core group."""
    if not parts or len(parts) > 2:  # noqa: PLR2004 group and kind
        return None
    group, kind = ("", *parts)[-2:]
    return "" if group == "core" else group.replace("_", "*"), kind.replace("_", "*")


def find(scripts: Iterable[Script], group: str, kind: str) -> Script | None:
    """The script of a kind; one that names more of it wins over one with wildcards, and of equals the first in order."""
    fitting = [script for script in scripts if fnmatch.fnmatchcase(group, script.group) and fnmatch.fnmatchcase(kind, script.kind)]
    return min(fitting, key=lambda script: (script.group.count("*"), script.kind.count("*"), -len(script.group)), default=None)
