"""Pieces of long answers between the agent that makes them and whoever listens, at whichever replica: read once, never logged."""

import datetime as dt

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import piece_tables

PIECES = piece_tables.PIECES


class Unread(msgspec.Struct, frozen=True):
    """What waits for its listener."""

    size_bytes: int
    since: dt.datetime | None


def unread(tx: Tx, tenant: str, task: str) -> Unread:
    """How much of a task's pieces is there, and since when."""
    wanted = sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(PIECES.c.body)), 0), sa.func.min(PIECES.c.made_at))
    size, since = tx.execute(wanted.where(PIECES.c.tenant_id == tenant, PIECES.c.task_id == task)).one()
    return Unread(int(size), since)


def add(tx: Tx, tenant: str, *, task: str, number: int, body: bytes, now: dt.datetime) -> None:
    """Keep a piece until it is read; one that came before changes nothing."""
    values = {"tenant_id": tenant, "task_id": task, "number": number, "body": body, "made_at": now}
    tx.execute(pg.insert(PIECES).values(values).on_conflict_do_nothing())


def take(tx: Tx, tenant: str, task: str) -> tuple[tuple[int, bytes], ...]:
    """Read and remove all of a task's, in order."""
    gone = sa.delete(PIECES).where(PIECES.c.tenant_id == tenant, PIECES.c.task_id == task).returning(PIECES.c.number, PIECES.c.body)
    return tuple(sorted((row.number, bytes(row.body)) for row in tx.execute(gone)))
