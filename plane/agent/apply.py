"""One object into the cluster, or out of it: the request, what is tried again, and the sentence when it is final."""

import asyncio
import random
import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from plane.adapters import kube, kube_kinds
from plane.agent import cluster, pace, records, releases, waits
from plane.domain import errors, objects, waves
from plane.wire import agent

QUERY = f"fieldManager={agent.FIELD_MANAGER}&force=true"
TRY_S = 60.0  # how long an object is tried again when the API server is busy or away
SERVER_ERRORS = 4  # attempts at an answer 500: an etcd time-out passes, a broken webhook does not
PAUSE_S = (0.1, 5.0)
DRAIN_S = 10.0  # of the 30 s that Kubernetes gives a pod to end
NOT_FOUND, CONFLICT, INVALID, BUSY, BROKEN = 404, 409, 422, 429, 500
PROPAGATION = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}

# A validation error quotes the whole value: pages of pod template, or a Secret. Go's JSON never has a space after `}:`, the sentence does.
_OBJECT = re.compile(r"Invalid value: [{\[].*?[}\]](?=: )", re.DOTALL)

log = structlog.get_logger()


class Refused(errors.PlaneError):
    """An object that could not be applied or deleted; the sentence is the API server's with the way out, values masked."""

    code = "object-refused"


class Order(msgspec.Struct, frozen=True):
    """One object to apply. `hook_run`: set for hooks, the generation of the task that makes them."""

    release: releases.Release
    index: int
    key: objects.ObjectKey
    options: agent.Options = agent.Options()
    hook_run: str = ""


class Applier:
    """Writes objects. One per agent: it holds the pace for all tasks."""

    def __init__(self, there: cluster.Cluster) -> None:
        self._there = there
        self.pace = pace.Pace()
        self.inflight: set[objects.ObjectKey] = set()
        self._asking = 0
        self._draining = False

    async def apply(self, order: Order) -> records.Record:
        """Server-side apply; returns the object as it is now.

        Raises:
            Refused: final. SecretRefused: a sealed value cannot be opened. UnknownKind, BadName.
        """
        manifest = order.release.manifests[order.index]
        resource = await self._there.kinds.resolve(manifest.api_version, manifest.key.kind)
        path = kube_kinds.key_path(resource, order.key)
        self._refuse_taken(order)
        await self._there.watches.ensure([(resource.group, resource.kind)])
        opened = releases.values(order.release, manifest.key, self._there.unsealer)
        payload = _payload(order, opened)
        query = QUERY + ("&dryRun=All" if order.options.dry_run else "") + _validation(manifest, order.options)
        self.inflight.add(order.key)
        try:
            answer = await self._insist("PATCH", path, query, payload)
        except kube.KubeRefused as e:
            if not _replaceable(e, manifest, order.options):
                raise Refused(releases.mask(_explained(e, manifest), opened)) from None  # the chained text could quote a value
            await self._make_room(order.key, resource)
            answer = await self._insist("PATCH", path, query, payload)
        finally:
            self.inflight.discard(order.key)
        if order.options.dry_run:
            return records.record(records.see(msgspec.Raw(answer), resource))
        return self._there.watches.absorb(answer, resource)

    async def _make_room(self, key: objects.ObjectKey, resource: kube_kinds.Resource) -> None:
        """Delete an object that is to be created anew, and wait until its name is free."""
        await self.delete(key, resource, uid="", propagation="background")
        async with asyncio.timeout(TRY_S):
            await self._there.waits.until(key, waits.gone, self._there.watches.get(key))

    async def delete(self, key: objects.ObjectKey, resource: kube_kinds.Resource, *, uid: str, propagation: str = "foreground") -> bool:
        """Delete; False when it was gone already or is another object by now. Refused when the API server says no."""
        options: dict[str, Any] = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": PROPAGATION.get(propagation, "Foreground"),
        }
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self._insist("DELETE", kube_kinds.key_path(resource, key), "", msgspec.json.encode(options))
        except kube.KubeRefused as e:
            if e.status in {NOT_FOUND, CONFLICT}:
                return False
            raise Refused(str(e)) from e
        return True

    async def get(self, key: objects.ObjectKey, api_version: str) -> dict[str, Any] | None:
        """The live object in the version Git uses, or None."""
        resource = await self._there.kinds.resolve(api_version, key.kind)
        try:
            return kube.decode(await self._there.api.get(kube_kinds.key_path(resource, key)))
        except kube.KubeRefused as e:
            if e.status == NOT_FOUND:
                return None
            raise

    async def resource(self, key: objects.ObjectKey) -> kube_kinds.Resource:
        """The version in which to delete."""
        found = self._there.kinds.preferred(key.group, key.kind)
        if found is None:
            raise kube_kinds.UnknownKind(key.group or "v1", key.kind)
        return found

    async def create_namespace(self, name: str) -> None:
        """Create a namespace unless it is there. It is nobody's object, so it is never pruned.

        Read first: an agent that may not create namespaces can still use those there are.
        """
        if await self._there_is(f"/api/v1/namespaces/{name}"):
            return
        body = msgspec.json.encode({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        try:
            await self._insist("POST", "/api/v1/namespaces", f"fieldManager={agent.FIELD_MANAGER}", body, kube.JSON)
        except kube.KubeRefused as e:
            if e.status != CONFLICT:
                raise Refused(str(e)) from e

    async def _there_is(self, path: str) -> bool:
        try:
            await self._insist("GET", path, "", b"", kube.JSON)
        except kube.KubeRefused:
            return False
        return True

    async def drain(self) -> None:
        """Start no request any more and let those under way end."""
        self._draining = True
        until = time.monotonic() + DRAIN_S
        while self._asking and time.monotonic() < until:  # noqa: ASYNC110 - at the end of the program; an event per request costs the hot path
            await asyncio.sleep(0.02)

    async def _ask(self, method: str, path: str, *, query: str, payload: bytes, content_type: str) -> bytes:
        async with self.pace.turn():
            if self._draining:
                await asyncio.Event().wait()  # for ever: the program ends
            self._asking += 1
            try:
                return await self._there.api.call(method, path, query=query, body=payload, content_type=content_type)
            finally:
                self._asking -= 1

    async def _insist(self, method: str, path: str, query: str, payload: bytes, content_type: str = "") -> bytes:
        """Ask until there is a final answer."""
        content_type = content_type or (kube.APPLY_PATCH if method == "PATCH" else kube.JSON)
        until, attempt = time.monotonic() + TRY_S, 0
        while True:
            attempt += 1
            try:
                return await self._ask(method, path, query=query, payload=payload, content_type=content_type)
            except kube.KubeRefused as e:
                if e.status == BUSY or e.retry_after_s:
                    self.pace.refused()
                if not (_passing(e, attempt) or self._late(e, path)) or time.monotonic() > until:
                    raise
                wait = e.retry_after_s
            except kube.Unreachable as e:
                if time.monotonic() > until:
                    raise Refused(str(e)) from e
                wait = 0.0
            await asyncio.sleep(max(wait, min(PAUSE_S[1], PAUSE_S[0] * 2**attempt)) * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries

    def _late(self, error: kube.KubeRefused, path: str) -> bool:
        """Whether the kind was defined a moment ago and this API server does not serve it yet, though another or its discovery does."""
        unserved = error.status == NOT_FOUND and "could not find the requested resource" in str(error)
        return unserved and path.startswith("/apis/") and self._there.kinds.expecting(path.split("/")[2])

    def _refuse_taken(self, order: Order) -> None:
        """Two apps naming one object would undo each other for ever: the first keeps it."""
        record = self._there.watches.get(order.key)
        if record and record.app != order.release.app and self._there.book.wants(record.app, order.key):
            mark = record.live.mark or record.app
            raise Refused(f"{order.key} belongs to app {mark}; remove it there first, or here")


def _payload(order: Order, opened: Mapping[str, bytes]) -> bytes:
    """The document as it came, unless a value or a name must be put in."""
    document = order.release.documents[order.index]
    if not opened and not order.hook_run:
        return document
    body = releases.body(order.release, order.index, opened)
    if order.hook_run:
        meta = {name: value for name, value in body["metadata"].items() if name != "generateName"}
        annotations = {**(meta.get("annotations") or {}), records.HOOK_RUN: order.hook_run}
        body = {**body, "metadata": {**meta, "name": order.key.name, "annotations": annotations}}
    return msgspec.json.encode(body)


def _option(manifest: objects.Manifest, name: str) -> str:
    return waves.option(manifest.body["metadata"].get("annotations") or {}, name)


def _validation(manifest: objects.Manifest, options: agent.Options) -> str:
    off = "Validate=false" in options.sync_options or _option(manifest, "Validate") == "false"
    return "&fieldValidation=Ignore" if off else "&fieldValidation=Strict"


def _replaceable(error: kube.KubeRefused, manifest: objects.Manifest, options: agent.Options) -> bool:
    """Whether to delete and create again: the change is impossible and somebody asked for that."""
    immutable = error.status == INVALID and "immutable" in str(error)
    return immutable and (options.force or _option(manifest, "Force") == "true") and not options.dry_run


def _passing(error: kube.KubeRefused, attempt: int) -> bool:
    """Whether the same request may succeed later."""
    if error.status in {BUSY, 503, 504} or error.retry_after_s:
        return True
    if error.status == CONFLICT:
        return attempt <= SERVER_ERRORS  # a race with another writer or with a deletion
    return error.status == BROKEN and attempt <= SERVER_ERRORS and "field not declared in schema" not in str(error)


def _explained(error: kube.KubeRefused, manifest: objects.Manifest) -> str:
    """The API server's own message and, for the common ones, the way out."""
    text = _OBJECT.sub("Invalid value: {…}", str(error))
    if error.status == INVALID and "immutable" in text:
        way_out = "delete it, or allow that with the annotation gitops-plane.io/sync-options: Force=true"
        return f"{text}; such a field can only change with the object: {way_out}"
    if error.status == NOT_FOUND and f'namespaces "{manifest.key.namespace}" not found' in text:
        return f"{text}; create it, or set the sync option CreateNamespace=true"
    return text
