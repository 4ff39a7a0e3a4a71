"""New keys for the agent: when they are old, or when somebody asks by `plane agent rotate`. The old ones sign the news of the new."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Mapping

import structlog

from plane.adapters import link
from plane.adapters.cluster import kube, kube_watch
from plane.adapters.secrets import sealing
from plane.agent.kept import identity, own
from plane.wire import agent

RETRY_S = 60.0
LOOK_S = 3600.0  # how exact the schedule is

log = structlog.get_logger()


class Rotation:
    """Keeps the keys young. `every` zero: only when asked."""

    def __init__(self, home: own.Home, plane: link.Plane, who: identity.Identity, *, every: dt.timedelta) -> None:
        self._home = home
        self._plane = plane
        self._who = who
        self._store = identity.Store(home)
        self._every = every

    async def run(self) -> None:
        """For ever: at once where a rotation was begun before a restart, then by watch and clock."""
        while True:
            try:
                data = await self._store.read()
                if self._wanted(data):
                    await self._rotate(data)
                await self._changed()
            except (link.PlaneAway, link.Revoked, link.LinkRefused, kube.KubeRefused, kube.Unreachable) as e:
                log.warning("keys.kept", reason=str(e))
                await asyncio.sleep(RETRY_S)

    def _wanted(self, data: Mapping[str, bytes]) -> bool:
        if self._who.revoked:
            return False
        begun = identity.ASKED in data or identity.NEXT + "signing" in data
        made = data.get(identity.MADE)
        return begun or bool(self._every and made and dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(made.decode()) > self._every)

    async def _rotate(self, data: Mapping[str, bytes]) -> None:
        """Write the next keys, tell the plane, put them in force. Each step may be repeated after a restart."""
        begun = await self._store.begin(data)
        coming = identity.next_keys(begun)
        self._who.openers[sealing.key_id(coming.sealing.public)] = coming.sealing.private  # sealed to from the moment the plane hears of it
        enrolled = await self._announce(coming)
        fresh = await self._store.swap(begun, enrolled, **{identity.ASKED: None})
        self._who.keys, self._who.enrolled = fresh.keys, fresh.enrolled
        self._who.openers.update(fresh.openers)
        self._plane.credentials = link.credentials(fresh.keys.signing, fresh.enrolled)
        log.info("keys.rotated", generation=enrolled.generation)

    async def _announce(self, fresh: identity.Keys) -> agent.Enrolled:
        """Signed with the old key; where the plane knows the new one already, its answer was lost, and the new one asks for it again."""
        said = link.prove_next(fresh.signing, self._who.enrolled.agent_id, fresh.sealing.public)
        try:
            return await self._plane.rotate(said)
        except (link.PlaneAway, link.Revoked):
            return await self._plane.speaking_as(link.next_credentials(fresh.signing, self._who.enrolled)).rotate(said)

    async def _changed(self) -> None:
        """Until the Secret changes, or an hour."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._next_event()

    async def _next_event(self) -> None:
        path = f"/api/v1/namespaces/{self._home.namespace}/secrets"
        since = ""
        async for page in kube_watch.pages(self._home.api, path, name=identity.SECRET):
            since = page.resource_version
            if any(self._wanted(identity.contents(kube.decode(bytes(item)))) for item in page.items):
                return
        async for batch in kube_watch.events(self._home.api, path, since=since, name=identity.SECRET):
            if any(event.type == "MODIFIED" for event in batch):
                return
