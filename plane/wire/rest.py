"""The REST bodies that are not documents: pages, requests, operations, answers about running apps."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from plane.domain import errors
from plane.domain.judging import policy

T = TypeVar("T")
MAX_PAGE = 500
MAX_NUMBER = 2**53 - 1  # the largest that every reader of JSON keeps exact
Text = Annotated[str, msgspec.Meta(max_length=200)]


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A request: camelCase, nothing unknown."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An answer: clients ignore what they do not know."""


class Paging(Body, frozen=True, kw_only=True):
    """`cursor` is the `next` of the page before."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = 50
    cursor: Text = ""


class PageQuery(Paging, frozen=True, kw_only=True):
    """`labels`: `key=value` words, comma between. `total`: count what all pages hold."""

    labels: Text = ""
    total: bool = False


class Page(Answer, Generic[T], frozen=True, kw_only=True):
    """Items in the order of their key; `next` is empty on the last page; `total`, where it was asked for, counts those of all pages."""

    items: tuple[T, ...]
    next: str = ""
    total: int | msgspec.UnsetType = msgspec.UNSET


class Deleted(Answer, frozen=True, kw_only=True):
    """It is gone, or on its way."""

    name: str
    deleting: bool = False  # an app's objects go first


class Taken(Deleted, frozen=True, kw_only=True):
    """A role that was given by hand is taken. `bindings`: the RoleBindings that give it still."""

    bindings: tuple[str, ...] = ()


class DeleteApp(Body, frozen=True, kw_only=True):
    """`cascade`: its objects in the cluster go with it."""

    cascade: bool = True


class EventsQuery(Body, frozen=True, kw_only=True):
    """`after`: end when a task above this generation is through; -1: go on until the client leaves."""

    after: Annotated[int, msgspec.Meta(ge=-1)] = -1


class Sync(Body, frozen=True, kw_only=True):
    """Bring the cluster to what Git wants. `force`: replace objects that cannot be changed in place.

    `revision`: a branch, tag or commit instead of the app's own targetRevision, this once. `resources`, each
    `group:kind:namespace/name` with globs and `!` in front to leave out, and `labels`, a selector, choose objects: then no hook
    runs, and the sync is no entry of the history. `strategy` apply: no hook runs. `syncOptions`: laid over the app's, this once.
    `plan`: a kept plan by number or name, to be done exactly or not at all; it brings all the rest.
    """

    plan: Text = ""
    prune: bool = False
    dry_run: bool = False
    force: bool = False
    revision: Text = ""
    resources: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=800)], ...], msgspec.Meta(max_length=100)] = ()
    labels: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    strategy: Literal["hook", "apply"] = "hook"
    sync_options: Annotated[tuple[Text, ...], msgspec.Meta(max_length=50)] = ()


class Refresh(Body, frozen=True, kw_only=True):
    """Look at the repository now. `hard`: render again even if nothing changed."""

    hard: bool = False


class Rollback(Body, frozen=True, kw_only=True):
    """`number` of the history entry to go back to."""

    number: Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]
    prune: bool = False
    dry_run: bool = False


class NewHold(Body, frozen=True, kw_only=True):
    """Stop all syncs, also those that people ask for. `owner`: who to ask, the caller if empty; `until`: RFC 3339, or until released."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    owner: Text = ""
    until: Text = ""


class Approve(Body, frozen=True, kw_only=True):
    """Allow the deletions of a release; empty: of the one that waits."""

    release: Text = ""


class Operation(Answer, frozen=True, kw_only=True):
    """Long work that was taken on: follow `events`; it is the app's first task above `generation`."""

    kind: Literal["sync", "rollback", "refresh", "approve"]
    app: str
    events: str
    generation: int = 0


class Key(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """A Kubernetes object."""

    group: str = ""
    kind: str
    namespace: str = ""
    name: str


class Extra(Answer, frozen=True):
    """A field that somebody else added to an object of an app, which is no difference from Git."""

    pointer: str
    manager: str
    time: str = ""


class Resource(Key, frozen=True, kw_only=True):
    """An object of an app as its agent sees it. `fields`: JSON pointers that differ from Git; `extra`: at most 20."""

    sync: str
    health: str
    message: str = ""
    fields: tuple[str, ...] = ()
    extra: tuple[Extra, ...] = ()
    more_extra: int = 0
    wave: int = 0


class HistoryEntry(Answer, frozen=True, kw_only=True):
    """One sync that went through. `healthyAt`: when it was first seen Synced and Healthy."""

    number: int
    task: str
    release: str
    commit: str
    actor: str
    trigger: str
    started_at: str
    finished_at: str
    healthy_at: str = ""


class Release(Answer, frozen=True, kw_only=True):
    """One release of an app, without its manifests."""

    id: str
    digest: str
    commit: str
    author: str
    subject: str
    objects: int
    allowed: bool
    verdict: Any
    created_at: str


class Manifests(Answer, frozen=True, kw_only=True):
    """A release's objects in apply order; a secret value shows as its fingerprint."""

    digest: str
    commit: str
    manifests: tuple[Any, ...]


class Result(Key, frozen=True, kw_only=True):
    """What a task did to one object."""

    result: str
    message: str = ""
    phase: str = "Sync"
    wave: int = 0


class Task(Answer, frozen=True, kw_only=True):
    """One order to an agent. `results` only when one task is asked for."""

    id: str
    kind: str
    generation: int
    state: str
    outcome: str
    message: str
    phase: str
    release: str
    commit: str
    actor: str
    trigger: str
    attempts: int
    created_at: str
    started_at: str
    finished_at: str
    results: tuple[Result, ...] = ()


class Difference(Key, frozen=True, kw_only=True):
    """One object that differs. `diff`: unified, in YAML, from the live object to what it becomes, without secret values.

    `fields`: JSON pointers; `former`: tools that the object is taken over from, with all that they own and Git does not have.
    """

    action: Literal["create", "update", "delete"]
    fields: tuple[str, ...] = ()
    diff: str = ""
    former: tuple[str, ...] = ()


class Ignored(Key, frozen=True, kw_only=True):
    """What `ignoreDifferences` leave out of one object's difference."""

    diff: str


class DiffQuery(Body, frozen=True, kw_only=True):
    """`ignored`: also tell what `ignoreDifferences` leave out."""

    ignored: bool = False


class Addition(Key, frozen=True, kw_only=True):
    """An object that others added to. A sync leaves it as it is, unless `drift.foreign` is `revert`."""

    extra: tuple[Extra, ...]


class Diff(Answer, frozen=True, kw_only=True):
    """Git against the cluster at this moment."""

    release: str
    commit: str
    items: tuple[Difference, ...]
    extra: tuple[Addition, ...] = ()
    ignored: tuple[Ignored, ...] = ()


class Explanation(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """Why the app is as it is. `status`: nothing, apply, remove, or the code it waits with; `facts`: what the sentence rests on.

    `warnings`: what the app and its objects say without effect.
    """

    app: str
    status: str
    sentence: str
    since: str = ""
    sync: str = "Unknown"
    health: str = "Unknown"
    health_message: str = ""
    health_since: str = ""
    facts: dict[str, str] = {}
    violations: tuple[policy.Judged, ...] = ()
    warnings: tuple[str, ...] = ()


class JoinToken(Answer, frozen=True, kw_only=True):
    """One enrolment; `token` is shown this once."""

    cluster: str
    token: str
    expires_at: str


class Tested(Answer, frozen=True, kw_only=True):
    """What a look at the repository found."""

    ok: bool
    refs: int = 0
    sentence: str = ""


NOT_OURS = "is not one that this plane gave; begin without it"
_NUMBER = re.compile(r"[0-9]{1,18}")  # what the database takes as one


def after(query: Paging) -> str:
    """The key a cursor stands for; Invalid when it is none of ours."""
    try:
        found = base64.urlsafe_b64decode(query.cursor + "=" * (-len(query.cursor) % 4)).decode() if query.cursor else ""
    except (binascii.Error, UnicodeDecodeError, ValueError) as e:
        raise errors.Invalid({"cursor": NOT_OURS}) from e
    if not found.isprintable():
        raise errors.Invalid({"cursor": NOT_OURS})
    return found


def after_number(query: Paging, *, first: int) -> int:
    """As `after`, of lists in order of numbers; `first`: where they begin."""
    said = after(query)
    return number(said) if said else first


def number(said: str) -> int:
    """A number in a cursor; Invalid."""
    if not _NUMBER.fullmatch(said):
        raise errors.Invalid({"cursor": NOT_OURS})
    return int(said)


def selector(query: PageQuery) -> Mapping[str, str]:
    """The labels that a page asks for."""
    words = [word.partition("=") for word in query.labels.split(",") if word]
    if any(not equals or not key for key, equals, _ in words):
        raise errors.Invalid({"labels": "must be key=value words with commas between, for example team=shop,tier=web"})
    return {key: value for key, _, value in words}


def cursor(key: object) -> str:
    """The opaque text for a key; `after` reads it."""
    return base64.urlsafe_b64encode(str(key).encode()).rstrip(b"=").decode()


def page(items: Sequence[T], limit: int, *, key: Callable[[T], object], total: int | msgspec.UnsetType = msgspec.UNSET) -> Page[T]:
    """A page from one row more than it shows."""
    shown = tuple(items[:limit])
    return Page(items=shown, next=cursor(key(shown[-1])) if len(items) > limit else "", total=total)
