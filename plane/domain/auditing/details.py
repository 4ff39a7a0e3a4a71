"""What `details` of each type of event hold. Fields keep their names and meanings; a new one has a default, which is left out."""

import msgspec


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of types that have nothing more to say."""


class JournalPlace(msgspec.Struct, frozen=True):
    """Where it stands in an agent's own journal; `up_s`: how long the agent had run, by a clock that nobody can set."""

    journal: str
    seq: int
    up_s: float


class FailedObject(msgspec.Struct, frozen=True):
    """An object that could not be brought to what Git says."""

    object: str
    message: str


class Heal(Details, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent put back by itself. `agent_time`: by its clock; `away`: the plane did not answer then."""

    object: str
    fields: tuple[str, ...]
    manager: str
    action: str
    agent_time: str
    away: bool = False
    journal: JournalPlace | None = None


class DriftSeen(Details, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent saw while the plane did not answer."""

    object: str
    fields: tuple[str, ...]
    manager: str
    journal: JournalPlace


class TaskRecovered(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A task's end by the agent's journal. `work`: apply, remove, or an order's name; `counts`: objects by result."""

    work: str
    generation: int
    result: str
    counts: dict[str, int]
    failed: tuple[FailedObject, ...] = ()
    pruned: tuple[str, ...] = ()
    journal: JournalPlace


class AgentStarted(Details, frozen=True, kw_only=True, omit_defaults=True):
    """`clean`: it had been stopped before, rather than killed."""

    agent: str
    version: str
    clean: bool
    journal: JournalPlace


class AgentStopped(Details, frozen=True, kw_only=True, omit_defaults=True):
    """An agent was told to end."""

    agent: str
    journal: JournalPlace


class PlaneLost(Details, frozen=True, kw_only=True, omit_defaults=True):
    """An agent could not reach the plane. `since`: by the agent's clock."""

    agent: str
    since: str
    journal: JournalPlace


class PlaneFound(Details, frozen=True, kw_only=True, omit_defaults=True):
    """It could again."""

    agent: str
    away_s: float
    journal: JournalPlace


class JournalBegun(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A journal and the one before it on the same disk: how far that went by the agent's word, and how far the plane knows it."""

    agent: str
    disk: str
    before: str = ""
    last: int = 0
    known: int = 0
    journal: JournalPlace


class JournalBroken(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A journal that does not hold: entries `first` to `last`, or a sentence alone."""

    agent: str
    name: str
    first: int = 0
    last: int = 0
