"""One object into the cluster, or out of it: the requests, and the sentence when it is final."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import msgspec

from plane.adapters.cluster import kube, kube_kinds
from plane.agent.applying import asking, client_side, refusals, takeover
from plane.agent.kept import records, releases, rules, writing
from plane.agent.watching import cluster, waits
from plane.domain import kinds, objects, options
from plane.domain.comparing import ignoring, ownership
from plane.domain.planning import operation, plan
from plane.wire import agent

REPLACE_TRIES = 4
FREE_TRIES = 10
ROOM_S = 30.0  # until an object that is made anew must be gone; nothing that it owns is waited for
NOT_FOUND, CONFLICT = 404, 409
PROPAGATION = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}

Refused = refusals.Refused


class Order(msgspec.Struct, frozen=True):
    """One object to apply. `hook_run`: set for hooks, the generation of the task that makes them and the phase."""

    release: releases.Release
    index: int
    key: objects.ObjectKey
    options: agent.Options = agent.Options()
    hook_run: str = ""
    yields: bool = False


class Applier:
    """Writes objects. One per agent."""

    def __init__(
        self, there: cluster.Cluster, *, asking_: asking.Asking | None = None, account: str = "", known: "_Known | None" = None
    ) -> None:
        self._there = there
        self._asking = asking_ or asking.Asking(there)
        self._account = account
        self._known = known or _Known()

    @property
    def own(self) -> asking.Asking:
        """For requests of the agent's own, on behalf of no app."""
        return self._asking

    @property
    def inflight(self) -> set[objects.ObjectKey]:
        """Objects that are being written."""
        return self._known.inflight

    def acting_as(self, account: str) -> "Applier":
        """The same writing as a service account, NAMESPACE:NAME; itself for an empty one."""
        if account == self._account:
            return self
        return Applier(self._there, asking_=self._asking.acting_as(account), account=account, known=self._known)

    async def apply(self, order: Order) -> records.Record:
        """Write it as its options say, server-side apply if they say nothing; returns the object as it is now.

        Raises:
            Refused: final. SecretRefused: a sealed value cannot be opened. UnknownKind, BadName, BadAnnotation.
        """
        if order.options.dry_run:  # what is only asked hides nobody's change
            answer, resource = await self._written(order)
            return records.record(records.see(msgspec.Raw(answer), resource))
        self.inflight.add(order.key)
        try:
            answer, resource = await self._written(order)
        finally:
            self.inflight.discard(order.key)
        return self._there.watches.absorb(answer, resource)

    async def predict(self, order: Order) -> dict[str, Any]:
        """What the object would become, by the API server's word; raises as `apply` does."""
        told = msgspec.structs.replace(order.options, dry_run=True)
        return kube.decode((await self._written(msgspec.structs.replace(order, options=told)))[0])

    async def _written(self, order: Order) -> tuple[bytes, kube_kinds.Resource]:
        if order.options.run_as != self._account:
            raise Refused(f"{order.key} is to be written as another account than this task runs as")
        manifest = order.release.manifests[order.index]
        resource = await self._there.kinds.resolve(manifest.api_version, manifest.key.kind)
        path = kube_kinds.key_path(resource, order.key)
        self._refuse_taken(order)
        await self._there.watches.ensure([(resource.group, resource.kind)])
        effective = writing.how(manifest, order.options)
        live = await self._live(order, effective, path)
        if live is not None and effective.ssa == "IfNotPresent":
            return live, resource
        opened = releases.values(order.release, manifest.key, self._there.unsealer)
        whole = effective.replace or not effective.server_side_apply
        payload = await self._sparing(order, _payload(order, opened), live, whole=whole)
        write = _Write(order.key, resource, path, payload, effective, order.options, order.release.documents[order.index])
        try:
            return await self._send(write, live), resource
        except kube.KubeRefused as e:
            raise Refused(
                releases.mask(refusals.explained(e, manifest.key), opened), status=e.status
            ) from None  # the chained text could quote a value

    async def _live(self, order: Order, effective: options.Effective, path: str) -> bytes | None:
        """The live object, for the options that need it."""
        if not (effective.replace or effective.ssa == "IfNotPresent" or order.yields or _respected(order)):
            return None
        return await self._read(path)

    async def _sparing(self, order: Order, payload: bytes, live: bytes | None, *, whole: bool) -> bytes:
        """The same without the fields that RespectIgnoreDifferences protects."""
        found = _respected(order)
        if live is not None and order.yields:
            body = kube.decode(payload)
            payload = msgspec.json.encode(ignoring.without(body, ownership.theirs(kube.decode(live), body)))
        if live is None or not found:
            return payload
        return msgspec.json.encode(await self._there.comparer.spared(kube.decode(payload), kube.decode(live), found, whole=whole))

    async def _send(self, write: "_Write", live: bytes | None) -> bytes:
        if write.effective.replace:
            return await self._replace(write, live)
        if not write.effective.server_side_apply:
            return await self._client_side(write)
        if write.effective.takes_over():
            return await self._taking_over(write)
        return await self._patch(write)

    async def _taking_over(self, write: "_Write") -> bytes:
        """Apply. An object that is not ours yet is asked for without force first, so that what others own of it is noticed at no cost."""
        record, named = self._there.watches.get(write.key), write.effective.migrated_manager
        stranger = record is None or not record.ours
        if write.options.dry_run:
            return await self._rehearsed(write) if stranger else await self._patch(write)
        try:
            answer = await self._patch(write, forced=not stranger)
        except kube.KubeRefused as e:
            if not stranger or not takeover.may_help(e):
                raise
        else:
            if not takeover.due(answer, named, stranger=stranger):
                return answer
        self._known.adopted[write.key] = await takeover.hand_over(self._insist, write.path, takeover.names(named, stranger=stranger))
        return await self._patch(write)

    def adopted(self, key: objects.ObjectKey) -> tuple[str, ...]:
        """From which tools the last apply took an object over; told once."""
        return self._known.adopted.pop(key, ()) if self._known.adopted else ()

    async def _rehearsed(self, write: "_Write") -> bytes:
        """A dry run cannot take over fields first, so conflicts that only come from that are ignored."""
        try:
            return await self._patch(write)
        except kube.KubeRefused as e:
            live = await takeover.has_former(self._insist, write.path, write.effective.migrated_manager) if takeover.may_help(e) else None
            if live is None:
                raise
            return live

    async def _client_side(self, write: "_Write") -> bytes:
        """Three-way merge of last applied, desired and live; repeated when somebody else writes meanwhile."""
        query = writing.query(write.effective, applies=False, dry_run=write.options.dry_run)
        for _ in range(REPLACE_TRIES):
            live = await self._read(write.path)
            try:
                if live is None:
                    body = client_side.made(write.payload, write.document)
                    return await self._insist("POST", write.resource.path(write.key.namespace), query, body, kube.JSON)
                changed = client_side.changed(write.payload, write.document, live)
                return await self._insist("PUT", write.path, query, changed, kube.JSON) if changed else live
            except kube.KubeRefused as e:
                if refusals.immutable(e) and write.may_recreate() and live is not None and not write.options.dry_run:
                    await self._make_room(write.key, write.resource)
                elif e.status != CONFLICT:
                    raise
        raise Refused(f"{write.key} could not be applied: somebody else wrote it {REPLACE_TRIES} times meanwhile")

    async def _patch(self, write: "_Write", *, forced: bool = True) -> bytes:
        query = writing.query(write.effective, applies=True, dry_run=write.options.dry_run, forced=forced)
        try:
            return await self._insist("PATCH", write.path, query, write.payload)
        except kube.KubeRefused as e:
            if not forced or not refusals.immutable(e) or not write.may_recreate():
                raise
            if write.options.dry_run:
                return await self._insist("GET", write.path, "", b"", kube.JSON)
        await self._make_room(write.key, write.resource)
        return await self._insist("PATCH", write.path, query, write.payload)

    async def _replace(self, write: "_Write", live: bytes | None) -> bytes:
        """Replace the whole object, whatever others wrote into it; with Force=true delete and recreate it."""
        query = writing.query(write.effective, applies=False, dry_run=write.options.dry_run)
        if live is not None and write.may_recreate() and not write.options.dry_run:
            await self._make_room(write.key, write.resource)
            live = None
        for _ in range(REPLACE_TRIES):
            if live is None:
                return await self._insist("POST", write.resource.path(write.key.namespace), query, write.payload, kube.JSON)
            try:
                return await self._insist("PUT", write.path, query, _versioned(write.payload, live), kube.JSON)
            except kube.KubeRefused as e:
                if e.status != CONFLICT:
                    raise
            live = await self._read(write.path)
        raise Refused(f"{write.key} could not be replaced: somebody else wrote it {REPLACE_TRIES} times meanwhile")

    async def _read(self, path: str) -> bytes | None:
        try:
            return await self._insist("GET", path, "", b"", kube.JSON)
        except kube.KubeRefused as e:
            if e.status == NOT_FOUND:
                return None
            raise

    async def _make_room(self, key: objects.ObjectKey, resource: kube_kinds.Resource) -> None:
        """Delete an object that is to be created anew, and wait until its name is free."""
        await self.delete(key, resource, uid="", propagation="background")
        try:
            async with asyncio.timeout(ROOM_S):
                await self._there.waits.until(key, waits.gone, self._there.watches.get(key))
        except TimeoutError as e:
            live = await self._read(kube_kinds.key_path(resource, key))
            held = refusals.held(key, list(kube.decode(live)["metadata"].get("finalizers") or ()) if live else [])
            raise Refused(f"it was deleted to be made anew, and after {ROOM_S:.0f} s still waits for {held}") from e

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
            if e.status == NOT_FOUND or (e.status == CONFLICT and asking.PRECONDITION in str(e)):
                return False
            raise Refused(refusals.explained(e, key), status=e.status) from e
        return True

    async def free(self, key: objects.ObjectKey, resource: kube_kinds.Resource, finalizers: frozenset[str]) -> None:
        """Take these finalizers off an object, if it has them. Refused when the API server says no."""
        path = kube_kinds.key_path(resource, key)
        for _ in range(FREE_TRIES):  # the object's own controller and the garbage collector write it at the same moment
            try:
                live = await self._read(path)
                meta = kube.decode(live)["metadata"] if live else {}
                left = [name for name in meta.get("finalizers") or () if name not in finalizers]
                if left == list(meta.get("finalizers") or ()):
                    return
                body = {"metadata": {"uid": meta["uid"], "finalizers": left, "resourceVersion": meta["resourceVersion"]}}
                await self._insist("PATCH", path, "", msgspec.json.encode(body), kube.MERGE_PATCH)
            except kube.KubeRefused as e:
                if e.status not in {NOT_FOUND, CONFLICT}:
                    raise Refused(refusals.explained(e, key), status=e.status) from e
        raise Refused(f"{key} could not be freed of {', '.join(sorted(finalizers))}: somebody else wrote it {FREE_TRIES} times meanwhile")

    async def get(self, key: objects.ObjectKey, api_version: str) -> dict[str, Any] | None:
        """The live object in the version Git uses, or None."""
        resource = await self._there.kinds.resolve(api_version, key.kind)
        try:
            return kube.decode(await self._there.api.get(kube_kinds.key_path(resource, key)))
        except kube.KubeRefused as e:
            if e.status == NOT_FOUND:
                return None
            raise

    async def put(self, body: dict[str, Any]) -> None:
        """Let an object be as given, unless somebody wrote it meanwhile; Refused when the API server says no."""
        key = objects.key_of(body)
        resource = await self._there.kinds.resolve(body["apiVersion"], key.kind)
        query = f"fieldManager={agent.FIELD_MANAGER}"
        try:
            await self._insist("PUT", kube_kinds.key_path(resource, key), query, msgspec.json.encode(body), kube.JSON)
        except kube.KubeRefused as e:
            raise Refused(refusals.explained(e, key), status=e.status) from None  # the chained text could quote a value

    async def resource(self, key: objects.ObjectKey) -> kube_kinds.Resource:
        """The version in which to delete."""
        found = self._there.kinds.preferred(key.group, key.kind)
        if found is None:
            raise kube_kinds.UnknownKind(key.group or "v1", key.kind)
        return found

    async def create_namespace(self, wanted: operation.Namespace, *, app: str) -> None:
        """Create a namespace unless it is there, and let the app own what it wants on it. It is nobody's object, so it is never pruned.

        Read first: an agent that may not create namespaces can still use those there are.
        """
        path = f"/api/v1/namespaces/{wanted.name}"
        body = msgspec.json.encode(plan.namespace(plan.Options(app, namespace=wanted)))
        manager = f"{agent.FIELD_MANAGER}-{app}"  # one per app: what another app wants on the same namespace stays
        try:
            there = b"" if wanted.labels or wanted.annotations else await self._readable(path)
            if there is None:
                await self._insist("POST", "/api/v1/namespaces", f"fieldManager={agent.FIELD_MANAGER}", body, kube.JSON)
            elif not there or f'"manager":"{manager}"'.encode() in there:  # what it does not want any more goes
                await self._insist("PATCH", path, f"fieldManager={manager}&force=true", body)
        except kube.KubeRefused as e:
            if e.status != CONFLICT:
                key = objects.ObjectKey(*kinds.NAMESPACE, "", wanted.name)
                raise Refused(refusals.explained(e, key), status=e.status) from e

    async def _readable(self, path: str) -> bytes | None:
        try:
            return await self._insist("GET", path, "", b"", kube.JSON)
        except kube.KubeRefused:
            return None

    async def drain(self) -> None:
        """Start no further requests and wait for those that are running."""
        await self._asking.drain()

    def once(self, method: str, path: str, query: str, payload: bytes, content_type: str) -> Awaitable[bytes]:
        """A request that must not be made twice; see `asking.Asking.once`."""
        return self._asking.once(method, path, query, payload, content_type)

    def _insist(self, method: str, path: str, query: str, payload: bytes, content_type: str = "") -> Awaitable[bytes]:
        return self._asking.insist(method, path, query, payload, content_type)

    def _refuse_taken(self, order: Order) -> None:
        """Two apps that claim one object would undo each other for ever: the first keeps it."""
        record = self._there.watches.get(order.key)
        if record and record.app != order.release.app and self._there.book.wants(record.app, order.key):
            mark = record.live.mark or record.app
            raise Refused(f"{order.key} belongs to app {mark}; remove it there first, or here")


class _Known:
    """What is remembered of objects, whoever writes them. `adopted`: from which tools they were taken over."""

    def __init__(self) -> None:
        self.inflight: set[objects.ObjectKey] = set()
        self.adopted: dict[objects.ObjectKey, tuple[str, ...]] = {}


class _Write(msgspec.Struct, frozen=True):
    """A request to be made."""

    key: objects.ObjectKey
    resource: kube_kinds.Resource
    path: str
    payload: bytes
    effective: options.Effective
    options: agent.Options
    document: bytes  # as the release has it, without opened values

    def may_recreate(self) -> bool:
        """Whether somebody asked for it: the object, or the one who asked for the sync."""
        return self.effective.force or self.options.force


def _payload(order: Order, opened: Mapping[str, bytes]) -> bytes:
    """The document as it came, unless a secret value or a generated name must be inserted."""
    document = order.release.documents[order.index]
    if not opened and not order.hook_run:
        return document
    body = releases.body(order.release, order.index, opened)
    if order.hook_run:
        meta = {name: value for name, value in body["metadata"].items() if name != "generateName"}
        annotations = {**(meta.get("annotations") or {}), records.HOOK_RUN: order.hook_run}
        body = {**body, "metadata": {**meta, "name": order.key.name, "annotations": annotations}}
    return msgspec.json.encode(body)


def _respected(order: Order) -> ignoring.Rules:
    """The app's `ignoreDifferences` for this object, where they bind what is written too."""
    respects = writing.of_app(order.options.sync_options).respect_ignore_differences
    return rules.of(order.options, order.key) if respects else ignoring.Rules()


def _versioned(payload: bytes, live: bytes) -> bytes:
    body, version = kube.decode(payload), kube.decode(live)["metadata"]["resourceVersion"]
    return msgspec.json.encode({**body, "metadata": {**body["metadata"], "resourceVersion": version}})
