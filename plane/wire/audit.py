"""The audit log over REST: what is asked for, and the proofs that come back."""

from typing import Annotated, Any, Literal

import msgspec

from plane.wire import rest

Format = Literal["jsonl", "csv", "ocsf", "cloudevents", "parquet", "manifest"]
Compression = Literal["none", "gzip", "zstd"]


class Filters(rest.Paging, frozen=True, kw_only=True):
    """What events: times are RFC 3339; `type` is one or several with commas between, `app.*` for all below; `actor` a name or an id."""

    since: rest.Text = ""
    until: rest.Text = ""
    project: rest.Text = ""
    type: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    actor: rest.Text = ""
    target: rest.Text = ""
    app: rest.Text = ""
    cluster: rest.Text = ""
    commit: rest.Text = ""
    outcome: Literal["", "success", "failure", "denied"] = ""


class Query(Filters, frozen=True, kw_only=True):
    """`since` is a day ago when it is not given. `order`: by place in the log."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=rest.MAX_PAGE)] = 100
    order: Literal["oldest", "newest"] = "oldest"


class Follow(Filters, frozen=True, kw_only=True):
    """`after`: the last place one has; -1 begins with what comes from now on."""

    after: Annotated[int, msgspec.Meta(ge=-1, le=rest.MAX_NUMBER)] = -1


class Export(Filters, frozen=True, kw_only=True):
    """An export goes up to a checkpoint: the newest, or the one of size `end`.

    `resume`: the size of the last checkpoint one has, or in formats that hold none, the place behind the last event.
    """

    format: Format = "jsonl"
    compression: Compression = "none"
    end: Annotated[int, msgspec.Meta(ge=0, le=rest.MAX_NUMBER)] = 0
    resume: Annotated[int, msgspec.Meta(ge=0, le=rest.MAX_NUMBER)] = 0


class Checkpoint(rest.Answer, frozen=True, kw_only=True):
    """The newest signed state of the log. `note` is a C2SP checkpoint, `verifierKey` what tools for notes check it with."""

    origin: str
    size: int
    root: str
    time: str
    note: str
    verifier_key: str


class InclusionQuery(rest.Body, frozen=True, kw_only=True):
    """One event by its id, or by its place; in the log of `size`, or the newest checkpoint's."""

    event: rest.Text = ""
    seq: Annotated[int, msgspec.Meta(ge=-1)] = -1
    size: Annotated[int, msgspec.Meta(ge=0)] = 0


class Inclusion(rest.Answer, frozen=True, kw_only=True):
    """RFC 6962 section 2.1.1: hashing `leaf` with `path` gives `root`, which the checkpoint's note signs when its size is this one."""

    seq: int
    size: int
    leaf: str
    path: tuple[str, ...]
    root: str
    event: Any
    checkpoint: Checkpoint


class ConsistencyQuery(rest.Body, frozen=True, kw_only=True):
    """`old`: the size one knows; `size`: the later one, or the newest checkpoint's."""

    old: Annotated[int, msgspec.Meta(ge=1)]
    size: Annotated[int, msgspec.Meta(ge=0)] = 0


class Consistency(rest.Answer, frozen=True, kw_only=True):
    """RFC 6962 section 2.1.2: the log of `size` begins with that of `old`."""

    old: int
    size: int
    path: tuple[str, ...]
    old_root: str
    root: str
    checkpoint: Checkpoint


class Terms(rest.Body, frozen=True, kw_only=True):
    """`keepDays`: how long events stay, 0 for ever; `hold`: why nothing may leave or be erased for now, empty for no hold."""

    keep_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    hold: rest.Text = ""


class CheckQuery(rest.Body, frozen=True, kw_only=True):
    """`cursor`: the `next` of the answer before; `limit`: how many events are looked at for one answer."""

    cursor: rest.Text = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200_000)] = 50_000


class Witness(rest.Body, frozen=True, kw_only=True):
    """A state of another plane's log. `old`: the size that the witness holds; `proof`: that the log continues it, in hexadecimal."""

    key: rest.Text
    note: Annotated[str, msgspec.Meta(max_length=4000)]
    old: Annotated[int, msgspec.Meta(ge=0, le=rest.MAX_NUMBER)] = 0
    proof: Annotated[tuple[Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")], ...], msgspec.Meta(max_length=64)] = ()


class Witnessed(rest.Answer, frozen=True, kw_only=True):
    """The newest state of a log that this plane is a witness of; as an answer, the note has its cosignature too."""

    origin: str
    size: int
    note: str


class Check(rest.Answer, frozen=True, kw_only=True):
    """What only the database shows. `strays`: events put among sealed ones; `cut`: the log is shorter than was signed.

    `looked`: at so many events; `next` is empty when there are no more.
    """

    strays: tuple[str, ...] = ()
    cut: str = ""
    looked: int = 0
    next: str = ""


class Manifest(rest.Answer, frozen=True, kw_only=True):
    """What an export holds. `first` and `end` are places: all events from the one up to the other that the filters let through.

    `signature`: the plane's, Ed25519 over the context `gitops-plane/audit-manifest/v1`, a zero byte, and this as JSON with sorted
    keys and without the signature.
    """

    origin: str
    first: int
    end: int
    events: int
    first_seq: int = -1
    last_seq: int = -1
    root: str
    filters: dict[str, str]
    checkpoint: str  # the note at `end`
    key: str
    signature: str = ""
    schema: str = "gitops-plane.io/audit-manifest/v1"


class StandingQuery(rest.Paging, frozen=True, kw_only=True):
    """How apps stood at `time` (now when it is left out): those of a project, one `app` of it, those on a cluster, or all."""

    time: rest.Text = ""
    project: rest.Text = ""
    app: rest.Text = ""
    cluster: rest.Text = ""


class HeldThen(rest.Answer, frozen=True, kw_only=True):
    """A hold that was there. `proof`: the place in the log of the event that says so."""

    target: str
    reason: str
    by: str
    until: str
    proof: int


class Standing(rest.Answer, frozen=True, kw_only=True):
    """How an app stood. `proof`, `stateProof`: the places in the log of the sync it ran by, and of what came last.

    `images` are those of the release, whose digest the event holds; none when `releaseKept` is false. `health` is what the plane wrote down
    beside the log, for thirty days and the last of each app for ever; empty: it is not known any more.
    """

    app: str
    project: str
    cluster: str
    commit: str
    release: str
    since: str
    by: str
    state: str
    proof: int
    state_proof: int
    images: tuple[str, ...] = ()
    release_kept: bool = False
    health: str = ""
    health_since: str = ""
    holds: tuple[HeldThen, ...] = ()


class Authors(rest.Body, frozen=True, kw_only=True):
    """`authors`: people as their commits name them, author or committer."""

    authors: Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=500)], ...], msgspec.Meta(min_length=1, max_length=100)]


class ErasedAuthors(rest.Answer, frozen=True, kw_only=True):
    """In how many events of the log."""

    events: int


class Replay(rest.Body, frozen=True, kw_only=True):
    """`position`: the place of the first event to send again."""

    position: Annotated[int, msgspec.Meta(ge=0)]


class RefusedEvent(rest.Answer, frozen=True, kw_only=True):
    """An event that a sink's far end would not have."""

    seq: int
    reason: str
