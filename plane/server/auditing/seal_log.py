"""The sealer: gives events their dense places in each log, grows the Merkle tree, signs checkpoints."""

from collections.abc import Sequence

import msgspec

from plane.domain import access
from plane.domain.auditing import audit, details
from plane.server import context, record
from plane.store import engine, wake
from plane.store.auditing import audit as log
from plane.store.auditing import audit_reading
from plane.store.delivering import facts

BATCH = 1000


class _By(msgspec.Struct, frozen=True):
    id: str


class _Said(msgspec.Struct, frozen=True):
    """What the sealer reads of a stored event; the rest stays bytes."""

    time: str
    type: str
    actor: _By
    project: str = ""
    target: str = ""
    cluster: str = ""
    commit: str = ""
    outcome: str = "success"
    correlation: str = ""


_READ = msgspec.json.Decoder(_Said)


def seal_all(plane: context.Plane) -> int:
    """Seal what is new in every log; returns how many events got their place."""
    with engine.dispatch(plane.engine) as tx:
        tenants = log.logs_with_news(tx)
    return sum(seal(plane, tenant) for tenant in tenants)


def seal(plane: context.Plane, tenant: str) -> int:
    """Seal one batch of one log and sign the checkpoint, in one transaction; concurrent sealers wait for the head's lock."""
    with engine.begin(plane.engine, access.Scope(tenant, access.SYSTEM)) as tx:
        before = log.head(tx, tenant)
        found = log.unsealed(tx, tenant, before, limit=BATCH)
        if not found:
            return 0
        leaves = [log.Leaf(one.id, audit.leaf_of(one.body), _facets(one.body), one.project_id) for one in found]
        peaks, full = audit.grow(before.peaks, before.size, [leaf.hash for leaf in leaves])
        key = _key(plane, tx, tenant, before)
        after = log.Head(before.size + len(leaves), peaks, found[-1].xid, found[-1].id)
        log.seal(tx, tenant, log.Growth(before, after, full), leaves)
        log.add_checkpoint(tx, tenant, checkpoint(plane, tenant, after, leaves, key=key))
        wake.notify(tx, "plane_audit", tenant)
    return len(found)


def _key(plane: context.Plane, tx: engine.Tx, tenant: str, head: log.Head) -> bytes:
    """The present key, once the log has told of it: until that is sealed, the one before signs, so that who trusts it is told by it."""
    keys, newest = plane.log_signer.keys(), audit_reading.last_checkpoint(tx, tenant)
    if newest is None or audit.unb64(newest.key) == keys[0]:
        return keys[0]
    origin, before = f"{plane.plane_id}/{tenant}", audit.unb64(newest.key)
    told = details.KeyChanged(before=audit.verifier_key(origin, before), after=audit.verifier_key(origin, keys[0]))
    if audit_reading.told_key(tx, tenant) == told.after:
        return keys[0]
    if not log.waits(tx, tenant, head, audit.KEY_CHANGED):
        record.append(plane, tx, access.Scope(tenant, access.SYSTEM), audit.KEY_CHANGED, details=told)
    return before if before in keys else keys[0]


def checkpoint(plane: context.Plane, tenant: str, head: log.Head, leaves: Sequence[log.Leaf], *, key: bytes) -> audit.Checkpoint:
    """The head as a signed checkpoint; `leaves` are those since the one before."""
    point = audit.Checkpoint(
        origin=f"{plane.plane_id}/{tenant}",
        size=head.size,
        root=audit.fold(head.peaks).hex(),
        time=facts.stamp(plane.clock.now()),
        key=audit.b64(key),
        counts=audit.tally(leaf.facets for leaf in leaves),
        peaks=tuple(peak.hex() for peak in head.peaks),
    )
    return msgspec.structs.replace(point, signature=audit.b64(plane.log_signer.sign(key, point.text())))


def _facets(body: bytes) -> audit.Facets:
    said = _READ.decode(body)
    texts = {name: getattr(said, name) for name in audit.Facets.__struct_fields__ if name != "actor"}
    return audit.Facets(actor=said.actor.id, **texts)


def kind(body: bytes) -> str:
    """The type of a stored event; empty when it is gone."""
    return _READ.decode(body).type if body else ""
