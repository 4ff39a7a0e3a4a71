"""What `details` of events about agents hold: their keys, and what their journals say. As `details`."""

from plane.domain.auditing import details


class Twins(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """The agent, and the terms of office that claimed in its name, as far as they show that there are two."""

    agent: str
    terms: tuple[str, ...] = ()


class AgentKeys(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """An agent and, after a rotation, which of its keys hold."""

    agent: str
    generation: int = 0
    sealing_key_id: str = ""


class AgentStarted(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """`clean`: it had been stopped before, rather than killed."""

    agent: str
    version: str
    clean: bool
    journal: details.JournalPlace


class AgentStopped(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """An agent was told to end."""

    agent: str
    journal: details.JournalPlace


class PlaneLost(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """An agent could not reach the plane. `since`: by the agent's clock."""

    agent: str
    since: str
    journal: details.JournalPlace


class PlaneFound(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """It could again."""

    agent: str
    away_s: float
    journal: details.JournalPlace


class JournalBegun(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """A journal and the one before it on the same disk: how far that went by the agent's word, and how far the plane knows it."""

    agent: str
    disk: str
    before: str = ""
    last: int = 0
    known: int = 0
    journal: details.JournalPlace


class JournalBroken(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """A journal that does not hold: entries `first` to `last`, or a sentence alone."""

    agent: str
    name: str
    first: int = 0
    last: int = 0


class TaskRecovered(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """A task's end by the agent's journal. `work`: apply, remove, or an order's name; `counts`: objects by result."""

    work: str
    generation: int
    result: str
    counts: dict[str, int]
    failed: tuple[details.FailedObject, ...] = ()
    pruned: tuple[str, ...] = ()
    journal: details.JournalPlace
