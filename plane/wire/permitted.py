"""What a project lets a task of its apps do, as agents get it: the same rules that the plane asked before it made the task."""

import msgspec

NOBODY = "none"  # in `Options.run_as`: the project wants an account and names none for this place, so that nothing may be written


class Kinds(msgspec.Struct, frozen=True, array_like=True):
    """Objects by globs: [group, kind, name]; an empty name is every name."""

    group: str
    kind: str
    name: str = ""


class Rules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """For one cluster. `namespaces` are globs, those with `!` take away; none: all that the grant gives.

    A list of allowed kinds that is absent allows all.
    """

    namespaces: tuple[str, ...] = ()
    cluster_allowed: tuple[Kinds, ...] | None = None
    cluster_denied: tuple[Kinds, ...] = ()
    namespace_allowed: tuple[Kinds, ...] | None = None
    namespace_denied: tuple[Kinds, ...] = ()
