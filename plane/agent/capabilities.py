"""What the cluster can do, told at the start and when a CustomResourceDefinition comes or goes."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from plane.adapters.cluster import kube, kube_kinds, kube_watch
from plane.domain import version as release
from plane.wire import agent

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SETTLE_S = 1.0  # an operator installs a dozen definitions at once
RETRY_S = 15.0

log = structlog.get_logger()


class _Meta(msgspec.Struct, rename="camel"):
    name: str = ""
    resource_version: str = ""
    remaining_item_count: int = 0


class _Object(msgspec.Struct):
    metadata: _Meta


class _List(msgspec.Struct):
    metadata: _Meta
    items: tuple[msgspec.Raw, ...] | None = None  # an empty metadata-only list says null


class Watcher:
    """Keeps the served kinds fresh and tells about them."""

    def __init__(self, api: kube.Api, kinds: kube_kinds.Kinds, tell: Callable[[agent.Capabilities], None]) -> None:
        self._api = api
        self._kinds = kinds
        self._tell = tell
        self._told: agent.Capabilities | None = None

    async def run(self) -> None:
        """For ever: a metadata-only watch of definitions, because one of them may be a megabyte."""
        since = ""
        while True:
            try:
                if not since:
                    since = await self._start()
                async for batch in kube_watch.events(self._api, CRDS, since=since, accept=kube_watch.METADATA_ONLY):
                    since = self._take(batch) or since
                    if any(event.type != "BOOKMARK" for event in batch):
                        await asyncio.sleep(SETTLE_S)
                        await self._refresh()
            except kube.KubeRefused as e:
                since = ""
                if e.status != kube_watch.GONE:
                    log.warning("capabilities.refused", reason=str(e))
                    await asyncio.sleep(RETRY_S)
            except kube.Unreachable:
                await asyncio.sleep(RETRY_S / 5)

    def _take(self, batch: list[kube_watch.Event]) -> str:
        """Where to go on from. A definition's name is plural.group."""
        found = [(event.type, msgspec.json.decode(event.object, type=_Object).metadata) for event in batch]
        for kind, meta in found:
            if kind in {"ADDED", "MODIFIED"}:
                self._kinds.expect(meta.name.partition(".")[2])
        return found[-1][1].resource_version if found else ""

    async def _start(self) -> str:
        await self._refresh()
        return (await self._count(CRDS))[1]

    async def _refresh(self) -> None:
        await self._kinds.refresh()
        version = str(kube.decode(await self._api.get("/version")).get("gitVersion", ""))
        served = tuple(agent.Kind(one.group, one.version, one.kind, one.namespaced) for one in self._kinds.all())
        nodes, _ = await self._count("/api/v1/nodes")
        found = agent.Capabilities(kube_version=version, agent_version=release.VERSION, kinds=served, nodes=nodes, knows=agent.KNOWS)
        if found != self._told:
            self._told = found
            self._tell(found)

    async def _count(self, path: str) -> tuple[int, str]:
        """How many there are, and as of when: a list of one says how many remain."""
        found = msgspec.json.decode(await self._api.get(path, query="limit=1", accept=kube_watch.METADATA_LIST), type=_List)
        return len(found.items or ()) + found.metadata.remaining_item_count, found.metadata.resource_version
