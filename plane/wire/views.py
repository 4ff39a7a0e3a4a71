"""What is shown of an app's live objects: the REST shapes, which agents' answers hold as they are."""

from typing import Annotated, Any

import msgspec

from plane.wire import rest

Name = Annotated[str, msgspec.Meta(max_length=253)]


class SubjectQuery(rest.Body, frozen=True, kw_only=True):
    """One object; without `kind` and `name` all of the app.

    `kind` as in a manifest, in small letters or the plural; `group` (`core` for the empty one) and `namespace` where names are not enough.
    """

    kind: Name = ""
    name: Name = ""
    group: Name = ""
    namespace: Name = ""


class Live(rest.Answer, frozen=True, kw_only=True):
    """Live objects, their secret values masked. `warnings`: what is left out, and why."""

    items: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...] = ()


class Node(rest.Answer, frozen=True, kw_only=True, omit_defaults=True):
    """An object of the app, or one that descends from it.

    `parents`: uids of the nodes that own it; `sync` of objects in Git; `ready` of a Pod: `ready/all` containers.
    """

    group: str
    kind: str
    namespace: str
    name: str
    uid: str = ""  # empty: it is missing in the cluster
    parents: tuple[str, ...] = ()
    sync: str = ""
    health: str = ""
    message: str = ""
    created: str = ""
    images: tuple[str, ...] = ()
    ready: str = ""
    restarts: int = 0


class Edge(rest.Answer, frozen=True, kw_only=True):
    """Traffic flows from one node to another; both are uids."""

    source: str
    target: str


class Tree(rest.Answer, frozen=True, kw_only=True):
    """The app's objects, parents first. `warnings`: what is left out, and why."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    warnings: tuple[str, ...] = ()


class KubeEvent(rest.Answer, frozen=True, kw_only=True):
    """What Kubernetes says of an object; equal ones are one, counted. Times are RFC 3339."""

    type: str
    reason: str
    message: str
    group: str
    kind: str
    namespace: str
    name: str
    count: int
    first: str
    last: str
    source: str = ""


class KubeEvents(rest.Answer, frozen=True, kw_only=True):
    """Newest last."""

    items: tuple[KubeEvent, ...]
    warnings: tuple[str, ...] = ()


class LogsQuery(SubjectQuery, frozen=True, kw_only=True):
    """Whose logs, and which lines of them.

    `container`: by default the one that kubectl would take; `previous`: of the run before the last restart; `tail`: so many last lines of
    each container, before `filter` chooses: lines that hold the text, or with `!` in front those that do not.
    """

    container: Name = ""
    all_containers: bool = False
    previous: bool = False
    since_seconds: Annotated[int, msgspec.Meta(ge=1)] | None = None
    since_time: Annotated[str, msgspec.Meta(max_length=40)] = ""
    tail: Annotated[int, msgspec.Meta(ge=0)] | None = None
    filter: Annotated[str, msgspec.Meta(max_length=500)] = ""
    follow: bool = False
    timestamps: bool = False
    max_pods: Annotated[int, msgspec.Meta(ge=1, le=50)] = 20


class LogSource(rest.Answer, frozen=True, kw_only=True):
    """A container whose log is read."""

    namespace: str
    pod: str
    container: str


class LogRun(rest.Answer, frozen=True, kw_only=True):
    """Lines that follow each other; `source` counts from 0 in the `sources` of the first piece."""

    source: int
    lines: tuple[str, ...]


class LogPiece(rest.Answer, frozen=True, kw_only=True, omit_defaults=True):
    """Some of the lines. `sources` only in the first piece, `warnings` only in the last."""

    sources: tuple[LogSource, ...] = ()
    runs: tuple[LogRun, ...] = ()
    warnings: tuple[str, ...] = ()
