"""The fence: the last generation of each app that was let in, kept in the cluster itself.

ConfigMaps hold app → mark, `SHARD_APPS` apps each, filled one after the other: the first sync of many apps writes one ConfigMap per claim,
not one per app, and every write names the version it was made from, so that a second agent's is refused.
"""

import asyncio
from collections.abc import Iterable, Mapping

import msgspec
import structlog

from plane.adapters.cluster import kube, kube_watch
from plane.agent.kept import own
from plane.domain import errors

LABEL = "gitops-plane.io/fence"
PREFIX = "gitops-plane-fence-"
SHARD_APPS = 512  # about 130 KiB of the 1 MiB that a ConfigMap may hold
ATTEMPTS = 5

log = structlog.get_logger()


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the cluster knows of an app.

    Attributes:
        kinds: `group/Kind` of everything it may own here.
        removed: nothing is left.
        ended: hooks of the task that ended and were deleted for it: phase and object → why it failed, empty when it did not.
    """

    generation: int
    release: str = ""
    task: str = ""
    kinds: tuple[str, ...] = ()
    removed: bool = False
    ended: dict[str, str] = {}


class FenceDown(errors.PlaneError):
    """The fence could not be written; nothing may be applied without it."""

    code = "fence-down"


class _Shard(msgspec.Struct):
    version: str
    marks: dict[str, Mark]


def admits(mark: Mark | None, *, generation: int, task: str) -> bool:
    """Whether a task may change the cluster: above the fence, or the very task that was let in before a restart."""
    return mark is None or generation > mark.generation or (generation == mark.generation and task == mark.task)


def kinds(mark: Mark) -> frozenset[tuple[str, str]]:
    """(group, kind) of everything the app may own."""
    return frozenset((group, kind) for group, _, kind in (word.partition("/") for word in mark.kinds))


class Fence:
    """All marks of this cluster. One writer at a time."""

    def __init__(self, home: own.Home) -> None:
        self._home = home
        self._shards: dict[str, _Shard] = {}
        self._at: dict[str, str] = {}
        self._writing = asyncio.Lock()
        self._noting = asyncio.Lock()

    def mark(self, app: str) -> Mark | None:
        """The mark of an app, if it was ever here."""
        shard = self._at.get(app)
        return self._shards[shard].marks.get(app) if shard else None

    def marks(self) -> Mapping[str, Mark]:
        """All of them."""
        return {app: self._shards[shard].marks[app] for app, shard in self._at.items()}

    async def load(self) -> None:
        """Read all shards."""
        self._shards, self._at = {}, {}
        path = f"/api/v1/namespaces/{self._home.namespace}/configmaps"
        async for page in kube_watch.pages(self._home.api, path, selector=LABEL):
            for item in page.items:
                self._take(kube.decode(bytes(item)))

    async def raise_to(self, wanted: Mapping[str, Mark]) -> frozenset[str]:
        """Write marks; returns the apps whose mark was written. The others met a newer one, which another agent wrote.

        Raises:
            FenceDown: conflict after conflict, or the API server refuses.
        """
        async with self._writing:
            admitted: set[str] = set()
            left = dict(wanted)
            for _ in range(ATTEMPTS):
                for shard, apps in self._placed(left).items():
                    if await self._write(shard, {app: left[app] for app in apps}):
                        admitted.update(apps)
                left = {app: mark for app, mark in left.items() if app not in admitted}
                if not left:
                    return frozenset(admitted)
                await self.load()
                left = {app: mark for app, mark in left.items() if _above(mark, self.mark(app))}
        if left:
            raise FenceDown("the fence could not be written: another writer was faster five times")
        return frozenset(admitted)

    def ended(self, app: str, *, task: str) -> Mapping[str, str]:
        """The hooks of a task that are over and gone."""
        mark = self.mark(app)
        return mark.ended if mark and mark.task == task else {}

    async def note(self, app: str, *, task: str, hook: str, failed: str) -> None:
        """Keep that a hook is over, before it is deleted: an agent that takes the task up again would run it a second time.

        Raises:
            FenceDown, and what the API server says.
        """
        async with self._noting:
            mark = self.mark(app)
            if mark and mark.task == task and hook not in mark.ended:
                await self.raise_to({app: msgspec.structs.replace(mark, ended={**mark.ended, hook: failed})})

    async def forget(self, apps: Iterable[str]) -> None:
        """Keep only the generation of apps that are gone, so that a delayed task stays refused."""
        known = {app: mark for app in apps if (mark := self.mark(app))}
        await self.raise_to({app: Mark(mark.generation, task=mark.task, removed=True) for app, mark in known.items()})

    def _placed(self, wanted: Mapping[str, Mark]) -> dict[str, list[str]]:
        """Shard → apps: known apps stay where they are, new ones fill the last shard."""
        placed: dict[str, list[str]] = {}
        sizes = {name: len(shard.marks) for name, shard in self._shards.items()}
        for app in wanted:
            shard = self._at.get(app) or next((name for name in sorted(sizes) if sizes[name] < SHARD_APPS), f"{PREFIX}{len(sizes):03d}")
            sizes[shard] = sizes.get(shard, 0) + (app not in self._at)
            placed.setdefault(shard, []).append(app)
        return placed

    async def _write(self, name: str, marks: Mapping[str, Mark]) -> bool:
        data = {app: msgspec.json.encode(mark).decode() for app, mark in marks.items()}
        shard = self._shards.get(name)
        if shard is None:
            body: dict[str, object] = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "labels": {**own.MANAGED_BY, LABEL: "1"}},
                "data": data,
            }
            if not await self._home.create("configmaps", body):
                return False
            written = await self._home.read("configmaps", name)
        else:
            written = await self._home.patch("configmaps", name, {"metadata": {"resourceVersion": shard.version}, "data": data})
        if written is None:
            return False
        self._take(written)
        return True

    def _take(self, body: Mapping[str, object]) -> None:
        found = msgspec.convert(body, _ConfigMap)
        marks = {app: msgspec.json.decode(text, type=Mark) for app, text in (found.data or {}).items()}
        self._shards[found.metadata.name] = _Shard(found.metadata.version, marks)
        for app, mark in marks.items():
            other = self._at.get(app)
            if other is None or other == found.metadata.name or mark.generation > self._shards[other].marks[app].generation:
                self._at[app] = found.metadata.name


class _Meta(msgspec.Struct):
    name: str
    version: str = msgspec.field(name="resourceVersion")


class _ConfigMap(msgspec.Struct):
    metadata: _Meta
    data: dict[str, str] | None = None


def _above(wanted: Mark, present: Mark | None) -> bool:
    return admits(present, generation=wanted.generation, task=wanted.task)
