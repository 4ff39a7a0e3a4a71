"""What users wrote of kinds, as agents get it: how they are judged, and what can be done with them."""

import msgspec


class ActionScripts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What users want to be possible with a kind, in Lua: `definitions` by name; `merge`: beside the agent's own actions.

    `group`, `kind`, `tenant`, `project` and `local` as in `Check`.
    """

    name: str
    group: str
    kind: str
    discovery: str
    definitions: dict[str, str] = {}
    merge: bool = False
    tenant: str = ""
    project: str = ""
    local: bool = False


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How users want a kind judged: in Lua, or in CEL.

    `group` and `kind` are globs; `tenant`: whose objects, by name, empty: everybody's; `project`: those of its apps alone; `local`: made
    for this cluster, so that it goes before those of its level that are made for all.
    """

    name: str
    group: str
    kind: str
    tenant: str = ""
    project: str = ""
    local: bool = False
    lua: str = ""
    current: str = ""
    in_progress: str = ""
    failed: str = ""


class Checks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All health checks of a cluster; `digest` names the set."""

    cluster_id: str
    digest: str
    checks: tuple[Check, ...] = ()
    actions: tuple[ActionScripts, ...] = ()


class SignedChecks(msgspec.Struct, frozen=True, kw_only=True):
    """`payload` is the msgpack of Checks, `signature` Ed25519 over the checks context (plane.wire.signing) and the payload."""

    payload: bytes
    signature: bytes
