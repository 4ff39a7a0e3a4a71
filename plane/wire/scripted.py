"""Resource actions that users wrote, as agents get them with the health checks."""

import msgspec


class ActionScripts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What users want to be possible with a kind, in Lua: `definitions` by name; `merge`: beside the agent's own actions.

    `group`, `kind`, `tenant` and `local` as in `agent.Check`.
    """

    name: str
    group: str
    kind: str
    discovery: str
    definitions: dict[str, str] = {}
    merge: bool = False
    tenant: str = ""
    local: bool = False
