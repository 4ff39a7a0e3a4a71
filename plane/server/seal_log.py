"""The sealer: gives events their dense places in each log, grows the Merkle tree, signs checkpoints."""

import msgspec

from plane.domain import access, audit
from plane.server import context
from plane.store import audit as log
from plane.store import engine, facts

BATCH = 1000
CHECKPOINT_CONTEXT = b""  # the note itself names the log; C2SP checkpoints are signed as they are


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
        leaves = [(one.id, audit.leaf_of(one.body)) for one in found]
        peaks = audit.extend(before.peaks, before.size, [leaf for _, leaf in leaves])
        after = log.Head(before.size + len(leaves), peaks, found[-1].xid, found[-1].id)
        log.seal(tx, tenant, before, after, leaves)
        log.add_checkpoint(tx, tenant, checkpoint(plane, tenant, after))
    return len(found)


def checkpoint(plane: context.Plane, tenant: str, head: log.Head) -> audit.Checkpoint:
    """The head as a signed checkpoint."""
    point = audit.Checkpoint(f"{plane.plane_id}/{tenant}", head.size, audit.fold(head.peaks).hex(), facts.stamp(plane.clock.now()))
    return msgspec.structs.replace(point, signature=audit.b64(plane.signer.sign(CHECKPOINT_CONTEXT, point.note())))
