"""What is said of an app to whoever asks why it is as it is."""

import msgspec

from plane.domain.deciding import decide
from plane.domain.judging import policy


class Explanation(msgspec.Struct, frozen=True):
    """What `plane app explain` says: the sentence first, then since when, then the facts it rests on."""

    status: str  # nothing, apply, remove, or a WaitCode
    sentence: str
    since: str = ""
    sync: str = "Unknown"
    health: str = "Unknown"
    health_message: str = ""
    health_since: str = ""
    facts: dict[str, str] = {}
    violations: tuple[policy.Judged, ...] = ()
    warnings: tuple[str, ...] = ()


AWAY_S = 120  # an agent polls every 30 s; four missed polls are an absence


def agent_sentence(cluster: decide.Destination, *, now: float, seen: float | None) -> str:
    """What to say about an agent that holds a task up; empty when it is there. Times are Unix seconds."""
    if seen is None or now - seen <= AWAY_S:
        return ""
    gone = f"the agent of cluster {cluster.name} was last heard of at {cluster.last_seen}; the sync begins when it is back"
    return f"{gone}. Look at its pod and its way out to the plane"
