"""New keys for the agent: at a third of their life, or when somebody asks for them. The old ones sign the news of the new."""

import asyncio
import contextlib
import datetime as dt
import hashlib
from collections.abc import Mapping

import structlog

from plane.adapters import link
from plane.adapters.cluster import kube, kube_watch
from plane.adapters.secrets import sealing
from plane.agent.kept import identity, own
from plane.wire import agent

RETRY_S = 60.0
LOOK_S = 3600.0  # how exact the schedule is
SPREAD = 0.1  # of that third: agents that joined together do not all exchange their keys together

log = structlog.get_logger()


class Rotation:
    """Keeps the keys young. `life` zero: only when asked."""

    def __init__(self, home: own.Home, plane: link.Plane, who: identity.Identity, *, life: dt.timedelta) -> None:
        self._home = home
        self._plane = plane
        self._who = who
        self._store = identity.Store(home)
        self._life = life

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
        return begun or (
            identity.MADE in data and old(data, life=self._life, now=dt.datetime.fromtimestamp(self._plane.step.now(), dt.UTC))
        )

    async def _rotate(self, data: Mapping[str, bytes]) -> None:
        """Write the next keys, tell the plane, put them in force. Each step may be repeated after a restart."""
        begun = await self._store.begin(data)
        coming = identity.next_keys(begun)
        self._who.openers[sealing.key_id(coming.sealing.public)] = coming.sealing.private  # sealed to from the moment the plane hears of it
        with self._plane.step.exchanging():
            enrolled = await self._announce(coming)
            self._plane.credentials = link.credentials(coming.signing, enrolled)
        fresh = await self._store.swap(begun, enrolled, **{identity.ASKED: None})
        self._who.keys, self._who.enrolled = fresh.keys, fresh.enrolled
        self._who.openers.update(fresh.openers)
        log.info("keys.rotated", generation=enrolled.generation)

    async def _announce(self, fresh: identity.Keys) -> agent.Enrolled:
        """Signed with the old key; where the plane knows the new one already, its answer was lost, and the new one asks for it again."""
        said = link.prove_next(fresh.signing, self._who.enrolled.agent_id, fresh.sealing.public)
        try:
            return await self._plane.speaking_as(link.credentials(self._who.keys.signing, self._who.enrolled)).rotate(said)
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


def old(data: Mapping[str, bytes], *, life: dt.timedelta, now: dt.datetime) -> bool:
    """Whether a third of the keys' life is over, and a little more that is the keys' own; `life` zero: never.

    Keys made in the future are as far from now as those of the past: a clock that was set back must not keep them for ever.
    """
    share = int.from_bytes(hashlib.sha256(data["sealing-public"]).digest()[:2], "big") / 65536
    age = abs(now - dt.datetime.fromisoformat(data[identity.MADE].decode()))
    return bool(life) and age > life / 3 * (1 + SPREAD * share)
