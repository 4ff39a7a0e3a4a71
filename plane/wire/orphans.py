"""Orphaned resources: the question to agents, their answer, and what is shown of it."""

import msgspec

from plane.wire import agent, answers, rest


class Where(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Terms of an `orphans` question."""

    namespaces: tuple[str, ...] = ()


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """One object; `created` RFC 3339."""

    key: agent.Key
    created: str = ""


class Found(answers.Answer, frozen=True, kw_only=True, tag="orphans"):
    """By key. `warnings`: what is left out, and why."""

    items: tuple[Orphan, ...]
    warnings: tuple[str, ...] = ()


class OrphanedResource(rest.Key, frozen=True, kw_only=True):
    """An object in a namespace of the project's apps that belongs to no app."""

    cluster: str
    created: str = ""


class OrphanedResources(rest.Answer, frozen=True, kw_only=True):
    """All of a project at this moment. `warnings`: what is left out, and why."""

    items: tuple[OrphanedResource, ...]
    warnings: tuple[str, ...] = ()
