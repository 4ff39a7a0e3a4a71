"""Whose objects a script is for, and which of several for one kind is asked: the inner level wins."""

import fnmatch
from collections.abc import Iterable
from typing import Protocol, TypeVar

import msgspec


class Whose(msgspec.Struct, frozen=True):
    """The tenant and the project of an object, by name; of neither, only what holds for everybody is for it."""

    tenant: str = ""
    project: str = ""


class Levelled(Protocol):
    """A script: globs of the kinds it is for; `tenant`, `project`: whose objects, empty: everybody's; `local`: made for this cluster."""

    @property
    def group(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def local(self) -> bool: ...


One = TypeVar("One", bound=Levelled)


def find(scripts: Iterable[One], group: str, kind: str, whose: Whose = Whose()) -> One | None:  # noqa: B008 frozen
    """The script of a kind for somebody's objects.

    The project's goes before the tenant's and that before the platform's; within one level what was made for the cluster goes before what
    holds everywhere, then that which names more of the kind before one with wildcards, and of equals the first in order.
    """
    return min((one for one in scripts if _holds(one, whose) and fits(one, group, kind)), key=_rank, default=None)


def fits(script: Levelled, group: str, kind: str) -> bool:
    """Whether a script is for a kind."""
    return fnmatch.fnmatchcase(group, script.group) and fnmatch.fnmatchcase(kind, script.kind)


def _holds(script: Levelled, whose: Whose) -> bool:
    return script.tenant in {"", whose.tenant} and script.project in {"", whose.project}


def _rank(script: Levelled) -> tuple[bool, bool, bool, int, int, int]:
    return not script.project, not script.tenant, not script.local, script.group.count("*"), script.kind.count("*"), -len(script.group)
