"""What `details` of each type of event hold. Fields keep their names and meanings; a new one has a default, which is left out."""

from typing import Any

import msgspec

Plain = dict[str, Any]  # a document as JSON


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


class Written(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A document before and after; absent where it was not there. `secrets_…`: what stands for each of its secret values, keyed."""

    before: Plain | None = None
    after: Plain | None = None
    tenant: str = ""  # of the document, where it is another than the log's
    labels_before: dict[str, str] | None = None  # where they were changed
    labels_after: dict[str, str] | None = None
    secrets: tuple[str, ...] = ()  # names of the secret fields that were written
    secrets_before: dict[str, str] = {}  # fingerprints by secret field: an equal one is an unchanged value
    secrets_after: dict[str, str] = {}


class Held(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A hold as it is, or was."""

    reason: str
    owner: str
    since: str = ""
    until: str = ""
    over: str = "app"


class Person(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who may log in."""

    kind: str


class Role(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A role that was given or taken."""

    role: str


class Token(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A token, never its secret. `expires`: RFC 3339; `replaces`: the token that it was made in place of."""

    token: str
    name: str
    expires: str = ""
    scopes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    replaces: str = ""


class LoggedIn(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Who vouched for whom, and the token that came of it. `subject`: the provider's name of them; `expires`: RFC 3339."""

    provider: str
    token: str
    subject: str = ""
    expires: str = ""


class GroupsChanged(Details, frozen=True, kw_only=True):
    """Somebody's groups, as a provider says them at a log-in."""

    provider: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class Rewrapped(Details, frozen=True, kw_only=True, omit_defaults=True):
    """How many stored secrets; `fingerprints`: how many, older than these, got one."""

    secrets: int
    fingerprints: int = 0


class Replayed(Details, frozen=True, kw_only=True, omit_defaults=True, rename={"start": "from"}):
    """Where a sink was, and where it goes on."""

    start: int
    to: int


class Asked(Details, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What somebody wanted of a sync."""

    prune: bool
    dry_run: bool
    force: bool
    revision: str = ""
    resources: tuple[str, ...]
    labels: str
    strategy: str
    sync_options: tuple[str, ...]
    plan: str = ""
    files: dict[str, str] = {}  # a sync of local files: digests by path
    sources: dict[str, dict[str, str]] = {}  # the same where they take the place of some of several sources, by the word for it


class PlanKept(Details, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A plan of a sync, by its number within the app."""

    number: int
    name: str
    prune: bool
    resources: tuple[str, ...]
    labels: str
    strategy: str
    sync_options: tuple[str, ...]


class PatchRefused(Details, frozen=True, kw_only=True, omit_defaults=True):
    """The rules, as policy/rule, that refused what the object would become."""

    object: str
    rules: tuple[str, ...]


class RollbackAsked(Details, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Which line of the history somebody wanted back."""

    number: int
    prune: bool
    dry_run: bool


class Terminated(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Tasks that were ended."""

    tasks: tuple[str, ...]


class Approved(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Why the deletions waited: sentences."""

    approved: tuple[str, ...]


class Overruled(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Generations: what the cluster has seen, what the plane knew."""

    seen: int
    known: int
    asked_by: str


class Drifted(msgspec.Struct, frozen=True):
    """An object and where it differs."""

    object: str
    fields: tuple[str, ...]


class DriftDetected(Details, frozen=True, kw_only=True, omit_defaults=True):
    """What differs from Git, at most 50 objects."""

    objects: tuple[Drifted, ...]


class LogsRead(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Whose logs somebody read; absent: of all Pods."""

    kind: str = ""
    name: str = ""
    namespace: str = ""
    container: str = ""
    follow: bool = False


class Order(Details, frozen=True, kw_only=True, omit_defaults=True):
    """What was wanted of an object: actions have `action` and `parameters`, patches `type`, deletions `propagation` and `grace_seconds`."""

    object: str
    action: str = ""
    parameters: dict[str, str] | None = None
    type: str = ""
    propagation: str = ""
    grace_seconds: int | None = None
    policies: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class OrderDone(Details, frozen=True, kw_only=True, omit_defaults=True):
    """What came of it; `fields`: JSON pointers that changed, never values."""

    object: str
    asked_by: str
    action: str = ""
    parameters: dict[str, str] | None = None
    type: str = ""
    propagation: str = ""
    resource_version_before: str = ""
    resource_version_after: str = ""
    fields: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Filters(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Which part of the log somebody wanted to see; absent: all of it."""

    since: str = ""
    until: str = ""
    project: str = ""
    type: str = ""
    actor: str = ""
    target: str = ""
    app: str = ""
    cluster: str = ""
    commit: str = ""
    outcome: str = ""


class Exported(Filters, frozen=True, kw_only=True, omit_defaults=True):
    """In which format; `resumed_at`: a file that had broken off went on there."""

    format: str
    resumed_at: int = 0


class LogRead(Details, frozen=True, kw_only=True, omit_defaults=True):
    """`how`: search, follow, proof or check; the same look again within ten minutes is not told."""

    how: str
    filters: Filters


class LoginsRefused(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Requests with tokens that do not hold: how many by reason, and by address those with most."""

    count: int
    reasons: dict[str, int]
    addresses: dict[str, int]


class ProgramLife(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A program of the plane; `signing_key`: which key it signs states of the log with."""

    program: str
    version: str
    host: str
    pid: int
    signing_key: str


class Gap(Details, frozen=True, kw_only=True, omit_defaults=True):
    """The place of the intent, or of the finding that is resolved."""

    intent: int


class Terms(msgspec.Struct, frozen=True):
    """How long events stay, in days (0: for ever), and what holds them."""

    keep_days: int
    hold: str


class TermsChanged(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Before and after."""

    before: Terms
    after: Terms


class Expired(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Events before this place may be gone."""

    before: int
    keep_days: int


class Erased(Details, frozen=True, kw_only=True, omit_defaults=True):
    """In how many events."""

    events: int


class KeyChanged(Details, frozen=True, kw_only=True, omit_defaults=True):
    """The keys of the log's states, as tools for signed notes write them."""

    before: str
    after: str


class LogState(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A signed state of another plane's log, and the key that signed it."""

    size: int
    root: str
    key: str


class Stamped(Details, frozen=True, kw_only=True, omit_defaults=True):
    """A signed state as its note, and the answer of the authority over it (RFC 3161, base64), with the time that it says."""

    size: int
    note: str
    stamp: str
    stamped_at: str


class Behind(Details, frozen=True, kw_only=True, omit_defaults=True):
    """How far a mandatory sink is behind."""

    behind: int


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
