"""What an agent can be asked for: older ones would do something else, or nothing, without a word."""

import msgspec

from plane.domain import errors
from plane.store.delivering import facts
from plane.wire import agent

MEANT = {
    "once": "syncs of chosen objects, strategies and sync options of one sync",
    "pauses": "times in which it must not heal",
    "plans": "syncs of a plan that was kept",
    "rotate": "new keys on demand",
    "accounts": "writing as a project's service account",
}


def knows(packed: bytes | None, ability: str) -> bool:
    """Whether the agent that told these capabilities has the ability; of one that has told none yet nothing is known against it."""
    return not packed or ability in msgspec.msgpack.decode(packed, type=agent.Capabilities).knows


def check(packed: bytes | None, ability: str, *, cluster: str, version: str = "") -> None:
    """Raise Conflict where the agent is too old."""
    if not knows(packed, ability):
        raise errors.Conflict(sentence(ability, cluster=cluster, version=version))


def of(cluster: facts.Cluster, ability: str) -> None:
    """`check` of a cluster's agent."""
    check(cluster.capabilities, ability, cluster=cluster.name, version=cluster.agent_version)


def sentence(ability: str, *, cluster: str, version: str) -> str:
    """What people are told."""
    return f"the agent of cluster {cluster}{f' (version {version})' if version else ''} does not know {MEANT[ability]}; upgrade it"
