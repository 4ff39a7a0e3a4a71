"""One active agent per cluster: a coordination.k8s.io Lease.

Not the package's own `leaderelection`: it writes local time as if it were UTC and reads the lease before every renewal.
"""

import asyncio
import datetime as dt
import time

import msgspec
import structlog

from plane.adapters.cluster import kube
from plane.agent.kept import own
from plane.domain import errors

NAME = "gitops-plane-agent"
API = "/apis/coordination.k8s.io/v1"
DURATION_S = 15
RENEW_S = 5.0  # three renewals per duration: one lost is weather
GIVE_UP_S = 12.0  # before DURATION_S, so that this agent has stopped when another may start

log = structlog.get_logger()


class LeaseLost(errors.PlaneError):
    """Another agent is active now, or the API server was away too long to be sure."""

    code = "agent-lease-lost"


class Lease:
    """A claim under `identity`; a restart with the same identity takes it up at once."""

    def __init__(self, home: own.Home, identity: str) -> None:
        self._home = home
        self._identity = identity
        self._body: dict[str, object] = {}

    async def acquire(self) -> None:
        """Return once this agent is the active one."""
        seen, since, waiting = "", 0.0, False
        while True:
            holder, renewed = await self._read()
            if renewed != seen:
                # How long a holder has been silent is measured on our own clock: theirs may be an hour off.
                seen, since = renewed, time.monotonic()
            expired = time.monotonic() - since > DURATION_S
            if (holder in {"", self._identity} or expired) and await self._write(self._identity):
                log.info("lease.acquired", holder=self._identity)
                return
            if not waiting:
                waiting = True
                log.info("lease.awaited", holder=holder)
            await asyncio.sleep(RENEW_S / 2)

    async def keep(self) -> None:
        """Renew for ever; LeaseLost when it cannot."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                if not await self._write(self._identity):
                    raise LeaseLost("another agent took the lease; this one stops")
                renewed = time.monotonic()
            except (kube.Unreachable, kube.KubeRefused) as e:
                if time.monotonic() - renewed > GIVE_UP_S:
                    raise LeaseLost(f"the lease could not be renewed for {GIVE_UP_S:.0f} s: {e}") from e

    async def release(self) -> None:
        """Let the next agent start at once."""
        try:
            await self._write("")
        except (kube.Unreachable, kube.KubeRefused):
            log.warning("lease.left", holder=self._identity)

    async def _read(self) -> tuple[str, str]:
        """Holder and renewal time; both empty when there is no lease yet."""
        body = await self._home.read("leases", NAME, api=API)
        if body is None:
            body = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": NAME, "labels": own.MANAGED_BY},
                "spec": {},
            }
            await self._home.create("leases", body, api=API)
            body = await self._home.read("leases", NAME, api=API) or body
        self._body = body
        spec = msgspec.convert(body.get("spec") or {}, _Spec)
        return spec.holder or "", spec.renewed or ""

    async def _write(self, holder: str) -> bool:
        """Whether nobody else wrote since the last read or write."""
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": holder, "leaseDurationSeconds": DURATION_S, "renewTime": now}
        written = await self._home.replace("leases", NAME, {**self._body, "spec": spec}, api=API)
        if written is None:
            return False
        self._body = written
        return True


class _Spec(msgspec.Struct):
    holder: str | None = msgspec.field(name="holderIdentity", default=None)
    renewed: str | None = msgspec.field(name="renewTime", default=None)
