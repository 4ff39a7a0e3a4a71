"""Why a workload is unhealthy: its pods and their events, read once per change of its health. No watch stands for pods, nothing polls."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
import structlog

from plane.adapters.cluster import kube
from plane.agent import errands
from plane.agent.answering import masking
from plane.agent.kept import records
from plane.agent.watching import cluster, watch
from plane.domain import errors, kube_events, objects
from plane.domain.health import health, health_children, health_values

LONG_S = 30.0  # a rollout that lasts longer is looked into; images of a usual size are there by then
AT_ONCE = 2  # inquiries; a node that fails makes many workloads unhealthy in one moment
MOST_PODS = 200
MOST_SETS = 50
MOST_EVENTS = 50
MOST_WAITING = 2_000  # further workloads go without: nobody reads so many sentences
WITH_SETS = frozenset({("apps", "Deployment"), ("argoproj.io", "Rollout")})
WORKLOADS = WITH_SETS | {("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job")}

Body = dict[str, Any]

log = structlog.get_logger()


class _Case(msgspec.Struct):
    """An unhealthy workload. `since` and `asked_at` on the monotonic clock; `asked`: the health that `quote` explains."""

    uid: str
    since: float
    asked: health.Health | None = None
    asked_at: float = 0.0
    quote: str = ""
    under_way: bool = False
    moved: asyncio.Event = msgspec.field(default_factory=asyncio.Event)


class Inquiry:
    """Told of every record; writes `record.quote`, then calls `told`."""

    def __init__(self, there: cluster.Cluster, told: Callable[[records.Record], None]) -> None:
        self._there = there
        self._told = told
        self._cases: dict[objects.ObjectKey, _Case] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._errands = errands.Errands()

    def notice(self, change: watch.Change) -> None:
        """A change of a record. Cheap unless a workload is unhealthy."""
        record = change.new
        if (change.key.group, change.key.kind) not in WORKLOADS:
            return
        if record is None or record.deleting or record.health.status not in {"Degraded", "Progressing"}:
            self._cases.pop(change.key, None)
            return
        case = self._cases.get(change.key)
        if case is None or case.uid != record.live.uid:
            if len(self._cases) >= MOST_WAITING:
                return
            case = self._cases[change.key] = _Case(record.live.uid, time.monotonic())
        record.quote = case.quote
        case.moved.set()
        if case.asked != record.health and not case.under_way:
            case.under_way = True
            self._errands.start(self._ask(change.key, case), name=f"inquire {change.key}", broken=lambda: self._end(case))

    async def close(self) -> None:
        """Stop asking."""
        await self._errands.close()

    async def _ask(self, key: objects.ObjectKey, case: _Case) -> None:
        """When it is time: at once for a Degraded one, for the others not before it has lasted, nor sooner after the last time."""
        try:
            while (record := self._current(key, case)) is not None and record.health != case.asked:
                early_s = 0.0 if _is_news(case, record.health) else LONG_S - (time.monotonic() - max(case.since, case.asked_at))
                if early_s <= 0:
                    async with self._turn:
                        await self._quote(record, case)
                    continue
                case.moved.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(early_s):
                        await case.moved.wait()
        finally:
            self._end(case)

    @staticmethod
    def _end(case: _Case) -> None:
        case.under_way = False

    def _current(self, key: objects.ObjectKey, case: _Case) -> records.Record | None:
        record = self._there.watches.get(key)
        return record if record and self._cases.get(key) is case and record.live.uid == case.uid else None

    async def _quote(self, record: records.Record, case: _Case) -> None:
        case.asked, case.asked_at = record.health, time.monotonic()
        try:
            words = masking.veil(self._there, record.app).text(await self._words(record.key))
        except (errors.PlaneError, health_values.Malformed) as e:
            log.warning("children.missed", object=str(record.key), reason=str(e))
            return
        now = self._current(record.key, case)
        if now is not None and words != case.quote:
            case.quote = now.quote = words
            self._told(now)

    async def _words(self, key: objects.ObjectKey) -> str:
        """At most five requests: the workload, its pods, their events, its ReplicaSets, and events of the one that made no pods."""
        resource = self._there.kinds.preferred(key.group, key.kind)
        if resource is None:
            return ""
        try:
            body = kube.decode(await self._there.api.get(resource.path(key.namespace, key.name)))
        except kube.KubeRefused as e:
            if e.status == 404:  # noqa: PLR2004 - gone meanwhile
                return ""
            raise
        selector = _selector(body)
        if not selector:
            return ""
        said = health_children.of_pods(await self._list(("", "Pod"), key.namespace, labelSelector=selector, limit=MOST_PODS))
        if said:
            return health_children.quoted(said, () if said.weight else await self._events(key.namespace, said.uid))
        if (key.group, key.kind) in WITH_SETS:
            sets = await self._list(("apps", "ReplicaSet"), key.namespace, labelSelector=selector, limit=MOST_SETS)
            return health_children.refused(sets)
        return health_children.warning(await self._events(key.namespace, str(body["metadata"]["uid"])))

    async def _events(self, namespace: str, uid: str) -> list[kube_events.Event]:
        resource = self._there.kinds.preferred("", "Event")
        if resource is None:
            return []
        query = urlencode({"fieldSelector": f"involvedObject.uid={uid}", "limit": MOST_EVENTS})
        found = _ITEMS.decode(await self._there.api.get(resource.path(namespace), query=query))
        return [kube_events.read(raw) for raw in found.items or ()]

    async def _list(self, kind: tuple[str, str], namespace: str, **query: str | int) -> list[Body]:
        resource = self._there.kinds.preferred(*kind)
        if resource is None:
            return []
        found = _ITEMS.decode(await self._there.api.get(resource.path(namespace), query=urlencode(query)))
        return [msgspec.json.decode(raw, type=dict[str, Any]) for raw in found.items or ()]


class _Items(msgspec.Struct):
    items: tuple[msgspec.Raw, ...] | None = None


_ITEMS = msgspec.json.Decoder(_Items)


def _is_news(case: _Case, now: health.Health) -> bool:
    """Whether it has just become Degraded."""
    return now.status == "Degraded" and (case.asked is None or case.asked.status != "Degraded")


def _selector(body: Body) -> str:
    """Of its pods, as a query says it; empty for a selector that is none."""
    spec = health_values.part(body, "spec", "selector")
    words = [f"{name}={text}" for name, text in health_values.part(spec, "matchLabels").items()]
    return ",".join((*words, *map(_expression, health_values.entries(spec, "matchExpressions"))))


def _expression(one: dict[str, Any]) -> str:
    name, operator, texts = one.get("key"), one.get("operator"), ",".join(one.get("values") or ())
    return {"Exists": f"{name}", "DoesNotExist": f"!{name}", "In": f"{name} in ({texts})"}.get(str(operator), f"{name} notin ({texts})")
