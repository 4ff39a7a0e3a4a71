"""Asking the API server until there is a final answer: what is tried again, how often, and how many at once."""

import asyncio
import contextvars
import random
import re
import time
from collections.abc import Callable

from plane.adapters.cluster import kube
from plane.agent.applying import pace, refusals
from plane.agent.watching import cluster

PRECONDITION = "Precondition failed"
TRY_S = 60.0  # how long an object is tried again when the API server is busy or away
LEAST_TRIES = 2  # also when the first took all that time: a connection that died is not the API server's word
SAY_AFTER_S = 2.0
SERVER_ERRORS = 4  # attempts at an answer 500: an etcd time-out passes, a broken webhook does not
SETTLED = ("Apply failed with", "the object has been modified", PRECONDITION)  # fields of others; a stale replace; another object
PAUSE_S = (0.1, 5.0)
DRAIN_S = 10.0  # of the 30 s that Kubernetes gives a pod to end
NOT_FOUND, CONFLICT, BUSY, BROKEN = 404, 409, 429, 500
ACCOUNT_USER = "system:serviceaccount:"
_ACCOUNT = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?:[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
NO_ACCOUNT = (
    "the project names no service account for this destination, and nothing is written as the agent instead; add an entry to "
    "spec.destinationServiceAccounts"
)

# Hears what a request waits for, and an empty sentence once it does no more; a task sets it for all that it asks for.
LISTENER: contextvars.ContextVar[Callable[[str], None] | None] = contextvars.ContextVar("listener", default=None)


class _Gate:
    """What all share that ask one API server."""

    def __init__(self) -> None:
        self.pace = pace.Pace()
        self.open = 0
        self.draining = False


class Asking:
    """It holds the pace for all tasks of the agent, as whoever they ask."""

    def __init__(self, there: cluster.Cluster, *, api: kube.Api | None = None, gate: _Gate | None = None, refusal: str = "") -> None:
        self._there = there
        self._api = api or there.api
        self._gate = gate or _Gate()
        self._refusal = refusal  # why nothing may be asked

    def acting_as(self, account: str) -> "Asking":
        """The same for requests in the name of a service account, NAMESPACE:NAME; what is none is refused, never replaced by another."""
        if not _ACCOUNT.fullmatch(account):
            return Asking(self._there, gate=self._gate, refusal=NO_ACCOUNT)
        return Asking(self._there, api=self._there.api.acting_as(f"{ACCOUNT_USER}{account}"), gate=self._gate)

    async def drain(self) -> None:
        """Start no request any more and let those under way end."""
        self._gate.draining = True
        until = time.monotonic() + DRAIN_S
        while self._gate.open and time.monotonic() < until:  # noqa: ASYNC110 - at the end of the program; an event per request costs the hot path
            await asyncio.sleep(0.02)

    async def _ask(self, method: str, path: str, *, query: str, payload: bytes, content_type: str) -> bytes:
        if self._refusal:
            raise refusals.Refused(self._refusal)
        async with self._gate.pace.turn():
            if self._gate.draining:
                await asyncio.Event().wait()  # for ever: the program ends
            self._gate.open += 1
            try:
                return await self._api.call(method, path, query=query, body=payload, content_type=content_type)
            finally:
                self._gate.open -= 1

    async def once(self, method: str, path: str, query: str, payload: bytes, content_type: str) -> bytes:
        """A request that must not be made twice: tried again only when the API server was too busy to begin.

        Raises:
            KubeRefused: final. Unreachable: nobody knows what became of it.
        """
        until, attempt = time.monotonic() + TRY_S, 0
        while True:
            attempt += 1
            try:
                return await self._ask(method, path, query=query, payload=payload, content_type=content_type)
            except kube.KubeRefused as e:
                if e.status != BUSY or time.monotonic() > until:
                    raise
                self._gate.pace.refused()
                await asyncio.sleep(max(e.retry_after_s, _pause_s(attempt)))

    async def insist(self, method: str, path: str, query: str, payload: bytes, content_type: str = "") -> bytes:
        """Ask until there is a final answer."""
        content_type = content_type or (kube.APPLY_PATCH if method == "PATCH" else kube.JSON)
        started, attempt, listener, told = time.monotonic(), 0, LISTENER.get(), False
        try:
            while True:
                attempt += 1
                try:
                    return await self._ask(method, path, query=query, payload=payload, content_type=content_type)
                except (kube.KubeRefused, kube.Unreachable) as e:
                    took_s = time.monotonic() - started
                    wait, why = self._wait_s(e, path, attempt, late=took_s > TRY_S), str(e)
                if listener and took_s > SAY_AFTER_S:
                    told = True
                    listener(f"waiting for the API server to take {method} {path}: {why}")
                await asyncio.sleep(max(wait, _pause_s(attempt)))
        finally:
            if listener and told:
                listener("")

    def _wait_s(self, error: kube.KubeRefused | kube.Unreachable, path: str, attempt: int, *, late: bool) -> float:
        """How long to wait at least before the next try; raises when there is none."""
        if isinstance(error, kube.Unreachable):
            if late and attempt >= LEAST_TRIES:
                raise refusals.Refused(str(error)) from error
            return 0.0
        if error.status == BUSY or error.retry_after_s:
            self._gate.pace.refused()
        if late or not (_passing(error, attempt) or self._late(error, path)):
            raise error
        return error.retry_after_s

    def _late(self, error: kube.KubeRefused, path: str) -> bool:
        """Whether the kind was defined a moment ago and this API server does not serve it yet, though another or its discovery does."""
        unserved = error.status == NOT_FOUND and "could not find the requested resource" in str(error)
        return unserved and path.startswith("/apis/") and self._there.kinds.expecting(path.split("/")[2])


def _pause_s(attempt: int) -> float:
    """Longer with every attempt, and never the same for two."""
    wait: float = min(PAUSE_S[1], PAUSE_S[0] * 2**attempt)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries


def _passing(error: kube.KubeRefused, attempt: int) -> bool:
    """Whether the same request may succeed later."""
    if error.status in {BUSY, 503, 504} or error.retry_after_s:
        return True
    if error.status == CONFLICT:
        return attempt <= SERVER_ERRORS and not any(
            words in str(error) for words in SETTLED
        )  # otherwise a race with another writer or with a deletion
    return error.status == BROKEN and attempt <= SERVER_ERRORS and "field not declared in schema" not in str(error)
