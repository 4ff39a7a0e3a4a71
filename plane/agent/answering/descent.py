"""Finding what descends from objects at the time of a question: lists of metadata, in pages and bounded; no watch stands for it."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from plane.adapters.cluster import kube, kube_kinds, kube_watch
from plane.agent.answering import naming, question
from plane.agent.applying import guard
from plane.domain import objects
from plane.domain.viewing import tree
from plane.wire import agent

Body = dict[str, Any]
T = TypeVar("T")
AT_ONCE = 8  # requests of one question; the API server has others to serve
MOST_KINDS = 300  # kinds looked at for children of custom objects
MOST_LISTED = 20_000  # objects of one kind in one namespace that are looked through
FEW = 10  # objects of one kind that are read one by one; more are listed
_LISTABLE = frozenset({"get", "list", "watch"})  # what cannot be watched is computed on request, such as metrics


class Below(msgspec.Struct, frozen=True):
    """The roots and what descends from them, parents first. `warnings`: what is missing, and why."""

    seen: tuple[tree.Seen, ...]
    warnings: tuple[str, ...]


class _Owner(msgspec.Struct):
    uid: str = ""


class _Meta(msgspec.Struct, rename="camel"):
    name: str
    uid: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    creation_timestamp: str | None = None
    owner_references: tuple[_Owner, ...] = ()


class _Item(msgspec.Struct):
    metadata: _Meta


_ITEM = msgspec.json.Decoder(_Item)


async def roots(asked: question.Asked) -> tuple[tree.Seen, ...]:
    """The app's own objects that are there."""
    places = sorted({(key.group, key.kind, key.namespace) for key in asked.there.watches.owned(asked.task.app_id)})
    selector = f"{agent.OWNER_LABEL}={asked.task.app_id}"
    listing = _Listing(asked)
    found = await _together([listing.seen(resource, at, selector) for *kind, at in places if (resource := listing.resource(tuple(kind)))])
    own = frozenset(naming.owned(asked))
    return tuple(one for part in found for one in part if one.key in own)


async def below(asked: question.Asked, above: Sequence[tree.Seen]) -> Below:
    """What descends from these, inside the task's scope."""
    listing = _Listing(asked)
    served = frozenset((one.group, one.kind) for one in asked.there.kinds.all() if one.verbs >= _LISTABLE)
    kinds = tree.offspring({one.kind for one in above}, served)
    at = [one for one in namespaces(asked, above) if guard.permits(asked.task, objects.ObjectKey("", "Pod", one, ""))]
    everywhere = any(not one.key.namespace for one in above)
    places = [(resource, place) for kind in kinds[:MOST_KINDS] for resource, place in listing.places(kind, at, everywhere=everywhere)]
    if len(kinds) > MOST_KINDS:
        listing.warnings.append(f"only {MOST_KINDS} of the {len(kinds)} kinds that could be children were looked at")
    parts = await _together([listing.seen(resource, place) for resource, place in places])
    others = [one for part in parts for one in part if guard.permits(asked.task, one.key)]
    found = tree.linked(above, others)
    sets = [one for one in found if one.kind == tree.STATEFUL_SET]
    if sets:
        found = tree.linked(above, tree.claimed(others, (await bodies(asked, sets)).values()))
    return Below(found, tuple(listing.warnings))


def namespaces(asked: question.Asked, above: Iterable[tree.Seen]) -> tuple[str, ...]:
    """Where children can be: beside their parents, or wherever the app is for those of cluster-scoped ones."""
    found = {one.key.namespace for one in above}
    return tuple(sorted((found | set(naming.namespaces(asked)) if "" in found else found) - {""}))


async def bodies(asked: question.Asked, wanted: Iterable[tree.Seen]) -> dict[objects.ObjectKey, Body]:
    """The objects themselves: a few by name, many of one kind by list. One that is gone meanwhile is left out."""
    groups: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in wanted:
        groups[one.key.group, one.key.kind, one.key.namespace].add(one.key.name)
    listing = _Listing(asked)
    work: list[Coroutine[None, None, list[Body]]] = []
    for (*kind, place), names in groups.items():
        resource = listing.resource(tuple(kind))
        if resource and len(names) > FEW:
            work.append(listing.named(resource, place, names))
        elif resource:
            work += [listing.one(resource, place, name) for name in sorted(names)]
    return {objects.key_of(body): body for part in await _together(work) for body in part}


class _Listing:
    """Requests of one question, and what they did not find out."""

    def __init__(self, asked: question.Asked) -> None:
        self._asked = asked
        self.warnings: list[str] = []

    def resource(self, kind: tuple[str, ...]) -> kube_kinds.Resource | None:
        return self._asked.there.kinds.preferred(kind[0], kind[1])

    def places(self, kind: tuple[str, str], namespaces: Sequence[str], *, everywhere: bool) -> Iterable[tuple[kube_kinds.Resource, str]]:
        resource = self.resource(kind)
        if resource and resource.namespaced:
            return [(resource, one) for one in namespaces]
        return [(resource, "")] if resource and everywhere else []

    async def seen(self, resource: kube_kinds.Resource, namespace: str, selector: str = "") -> list[tree.Seen]:
        """Metadata of a collection, or nothing and a warning where we may not look."""
        found: list[tree.Seen] = []
        path = resource.path(namespace)
        try:
            async for page in kube_watch.pages(self._asked.there.api, path, selector=selector, accept=kube_watch.METADATA_LIST):
                found += [_seen(raw, resource) for raw in page.items]
                await asyncio.sleep(0)  # a page is some milliseconds of work; let the others have a turn
                if len(found) >= MOST_LISTED:
                    self.warnings.append(
                        f"only the first {MOST_LISTED} {resource.plural} of {namespace or 'the cluster'} were looked through"
                    )
                    break
        except kube.KubeRefused as e:
            if e.status != 404:  # noqa: PLR2004 - not served any more
                self.warnings.append(f"{resource.plural} in {namespace or 'the cluster'} could not be listed: {e}")
        return found

    async def named(self, resource: kube_kinds.Resource, namespace: str, names: set[str]) -> list[Body]:
        found: list[Body] = []
        async for page in kube_watch.pages(self._asked.there.api, resource.path(namespace)):
            found += [_typed(raw, resource) for raw in page.items if _ITEM.decode(raw).metadata.name in names]
            await asyncio.sleep(0)
        return found

    async def one(self, resource: kube_kinds.Resource, namespace: str, name: str) -> list[Body]:
        try:
            return [kube.decode(await self._asked.there.api.get(resource.path(namespace, name)))]
        except kube.KubeRefused as e:
            if e.status in {403, 404}:  # shown without what only the body tells
                return []
            raise


def _seen(raw: msgspec.Raw, resource: kube_kinds.Resource) -> tree.Seen:
    meta = _ITEM.decode(raw).metadata
    key = objects.ObjectKey(resource.group, resource.kind, meta.namespace, meta.name)
    return tree.Seen(key, meta.uid, tuple(one.uid for one in meta.owner_references), meta.creation_timestamp or "", meta.labels)


def _typed(raw: msgspec.Raw, resource: kube_kinds.Resource) -> Body:
    """Items of lists carry neither apiVersion nor kind."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **kube.decode(bytes(raw))}


async def _together(work: Sequence[Coroutine[None, None, T]]) -> list[T]:
    """Results in order, a few at a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def taken(one: Coroutine[None, None, T]) -> T:
        async with turn:
            return await one

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(taken(one)) for one in work]
    return [one.result() for one in running]
