"""What happened to an app: syncs that went through, releases, tasks; newest first."""

from typing import Any

import msgspec
import sqlalchemy as sa

from plane.store.engine import Tx
from plane.store.layout import tables
from plane.wire import agent

HISTORY, RELEASES, TASKS, BLOBS, STATES = tables.history, tables.releases, tables.tasks, tables.blobs, tables.app_states
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
Row = sa.Row[*tuple[Any, ...]]
_SLIM = [column for column in TASKS.c if column.name not in {"payload", "results", "live"}]
_STATES = msgspec.msgpack.Decoder(list[agent.ObjectState])


def entries(tx: Tx, tenant: str, app: str, *, before: int, limit: int) -> list[Row]:
    """History below a number."""
    where = (HISTORY.c.tenant_id == tenant, HISTORY.c.app_id == app, HISTORY.c.number < before)
    return list(tx.execute(sa.select(HISTORY).where(*where).order_by(HISTORY.c.number.desc()).limit(limit)))


def entry(tx: Tx, tenant: str, app: str, number: int) -> Row | None:
    """One entry."""
    return tx.execute(
        sa.select(HISTORY).where(HISTORY.c.tenant_id == tenant, HISTORY.c.app_id == app, HISTORY.c.number == number)
    ).one_or_none()


def releases(tx: Tx, tenant: str, app: str, *, before: str, limit: int) -> list[Row]:
    """Releases below an id."""
    where = (RELEASES.c.tenant_id == tenant, RELEASES.c.app_id == app, RELEASES.c.id < (before or LAST))
    return list(tx.execute(sa.select(RELEASES).where(*where).order_by(RELEASES.c.id.desc()).limit(limit)))


def release(tx: Tx, tenant: str, app: str, digest: str) -> Row | None:
    """The newest release of the app with this digest, with its body."""
    joined = RELEASES.join(BLOBS, sa.and_(BLOBS.c.tenant_id == RELEASES.c.tenant_id, BLOBS.c.digest == RELEASES.c.digest))
    where = (RELEASES.c.tenant_id == tenant, RELEASES.c.app_id == app, RELEASES.c.digest == digest)
    query = sa.select(RELEASES.c.digest, RELEASES.c.commit, BLOBS.c.body).select_from(joined).where(*where)
    return tx.execute(query.order_by(RELEASES.c.id.desc()).limit(1)).one_or_none()


def tasks(tx: Tx, tenant: str, app: str, *, before: str, limit: int) -> list[Row]:
    """Tasks below an id, without their results."""
    where = (TASKS.c.tenant_id == tenant, TASKS.c.app_id == app, TASKS.c.id < (before or LAST))
    return list(tx.execute(sa.select(*_SLIM).where(*where).order_by(TASKS.c.id.desc()).limit(limit)))


def task(tx: Tx, tenant: str, app: str, identity: str) -> Row | None:
    """One task with its results."""
    where = (TASKS.c.tenant_id == tenant, TASKS.c.app_id == app, TASKS.c.id == identity)
    return tx.execute(sa.select(*_SLIM, TASKS.c.results).where(*where)).one_or_none()


def objects(tx: Tx, tenant: str, app: str) -> list[agent.ObjectState]:
    """The app's objects as its agent last told."""
    packed = tx.execute(sa.select(STATES.c.objects).where(STATES.c.tenant_id == tenant, STATES.c.app_id == app)).scalar_one_or_none()
    return _STATES.decode(packed) if packed else []
