"""Objects in some namespaces that belong to no app, found by lists of metadata at the time of the question; no watch stands for it."""

import asyncio
from collections.abc import Iterable

import msgspec

from plane.adapters.cluster import kube, kube_kinds, kube_watch
from plane.agent.answering import question
from plane.agent.applying import guard
from plane.agent.kept import releases
from plane.domain import objects
from plane.domain import orphans as domain
from plane.wire import agent, answers
from plane.wire import orphans as wire

MOST = 2000  # objects in an answer
MOST_LISTS = 2000  # of kinds in namespaces
AT_ONCE = 8  # requests of one question; the API server has others to serve
UNMARKED = f"!{agent.OWNER_LABEL}"
_LISTABLE = frozenset({"get", "list", "watch"})  # what cannot be watched is computed on request, such as metrics


class _Meta(msgspec.Struct, rename="camel"):
    name: str
    namespace: str = ""
    annotations: dict[str, str] = {}
    creation_timestamp: str | None = None
    owner_references: tuple[msgspec.Raw, ...] = ()


class _Item(msgspec.Struct):
    metadata: _Meta


_ITEM = msgspec.json.Decoder(_Item)


async def answer(asked: question.Asked) -> bytes:
    """What an `orphans` question hears: only of namespaces inside the task's scope."""
    wanted, warnings = asked.terms(wire.Where), list[str]()
    inside = [one for one in wanted.namespaces if guard.permits(asked.task, objects.ObjectKey("", "ConfigMap", one, ""))]
    places = [(resource, namespace) for namespace in inside for resource in _kinds(asked)]
    if len(places) > MOST_LISTS:
        warnings.append(f"only {MOST_LISTS} of {len(places)} lists were made; ask about fewer namespaces")
    turn = asyncio.Semaphore(AT_ONCE)

    async def listed(resource: kube_kinds.Resource, namespace: str) -> list[wire.Orphan]:
        async with turn:
            return await _listed(asked, resource, namespace, warnings)

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(listed(*place)) for place in places[:MOST_LISTS]]
    found = sorted((one for part in running for one in part.result()), key=lambda one: one.key)
    if len(found) > MOST:
        warnings.append(f"only {MOST} of {len(found)} objects are shown")
    return answers.encode(wire.Found(items=tuple(found[:MOST]), warnings=tuple(warnings)))


def _kinds(asked: question.Asked) -> Iterable[kube_kinds.Resource]:
    """Every kind that lives in namespaces, in the version that the API server prefers."""
    served = {(one.group, one.kind) for one in asked.there.kinds.all() if one.namespaced and one.verbs >= _LISTABLE}
    found = (asked.there.kinds.preferred(*kind) for kind in sorted(served))
    return [one for one in found if one and one.namespaced]


async def _listed(asked: question.Asked, resource: kube_kinds.Resource, namespace: str, warnings: list[str]) -> list[wire.Orphan]:
    found: list[wire.Orphan] = []
    path = resource.path(namespace)
    try:
        async for page in kube_watch.pages(asked.there.api, path, selector=UNMARKED, accept=kube_watch.METADATA_LIST):
            found += [one for raw in page.items if (one := _orphan(raw, resource))]
            await asyncio.sleep(0)  # a page is some milliseconds of work; let the others have a turn
            if len(found) > MOST:
                break
    except kube.KubeRefused as e:
        if e.status not in {404, 405}:  # not served any more
            warnings.append(f"{resource.plural} in {namespace} could not be listed: {e}")
    return found


def _orphan(raw: msgspec.Raw, resource: kube_kinds.Resource) -> wire.Orphan | None:
    meta = _ITEM.decode(raw).metadata
    key = objects.ObjectKey(resource.group, resource.kind, meta.namespace, meta.name)
    if not domain.orphaned(domain.Seen(key, owned=bool(meta.owner_references), annotations=meta.annotations)):
        return None
    return wire.Orphan(key=releases.wire_key(key), created=meta.creation_timestamp or "")
