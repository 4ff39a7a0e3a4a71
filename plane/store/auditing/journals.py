"""How far each log has the agents' journals, and what it knows of their tasks without them."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import columns, journal_tables, tables

JOURNALS, AGENTS, TASKS = journal_tables.journals, tables.agents, tables.tasks
KEY_BYTES = 32


class Mark(msgspec.Struct, frozen=True):
    """The last entry that is known, 0 for none; `broken`: what was found wrong with the journal, empty for nothing."""

    seq: int = 0
    hash: bytes = b""
    broken: str = ""


def mark(tx: Tx, tenant: str, agent: str, journal: str) -> Mark:
    """How far the log has it."""
    row = tx.execute(_MARK, {"tenant": tenant, "agent": agent, "journal": journal}).one_or_none()
    return Mark(row.seq, bytes(row.hash), row.broken) if row else Mark()


def lock(tx: Tx, tenant: str, agent: str, journal: str) -> Mark:
    """As `mark`; nobody else takes entries of this journal into this log until the transaction ends."""
    wanted = {"tenant_id": tenant, "agent_id": agent, "journal": journal, "hash": b""}
    tx.execute(pg.insert(JOURNALS).values(wanted).on_conflict_do_nothing())
    row = tx.execute(_MARK.with_for_update(), {"tenant": tenant, "agent": agent, "journal": journal}).one()
    return Mark(row.seq, bytes(row.hash), row.broken)


def advance(tx: Tx, tenant: str, agent: str, journal: str, to: Mark) -> None:
    """What is known now, of a row that is locked."""
    where = (JOURNALS.c.tenant_id == tenant, JOURNALS.c.agent_id == agent, JOURNALS.c.journal == journal)
    tx.execute(sa.update(JOURNALS).where(*where).values(seq=to.seq, hash=to.hash, broken=to.broken, at=sa.func.now()))


_MARK = sa.select(JOURNALS.c.seq, JOURNALS.c.hash, JOURNALS.c.broken).where(
    JOURNALS.c.tenant_id == sa.bindparam("tenant"),
    JOURNALS.c.agent_id == sa.bindparam("agent"),
    JOURNALS.c.journal == sa.bindparam("journal"),
)


def keys(tx: Tx, agent: str) -> tuple[bytes, ...]:
    """The public keys that an agent ever signed with, by generation from 1; a platform transaction."""
    row = tx.execute(sa.select(AGENTS.c.former_keys, AGENTS.c.signing_key).where(AGENTS.c.id == agent)).one()
    text = bytes(row.former_keys) + bytes(row.signing_key)
    return tuple(text[start : start + KEY_BYTES] for start in range(0, len(text), KEY_BYTES))


def ended(tx: Tx, tenant: str, ends: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Tasks, of those given with their outcomes, whose end the log knows without the journal."""
    ids = [task for task, _ in ends]
    rows = {row.id: row for row in tx.execute(_TASKS, {"tenant": tenant, "ids": ids})}
    known = {task for task, outcome in ends if task in rows and (rows[task].state, rows[task].outcome) == ("done", outcome)}
    gone = [task for task in ids if task not in rows]
    return frozenset(known.union(tx.execute(_LOGGED, {"tenant": tenant, "ids": gone}).scalars() if gone else ()))


_TASKS = sa.select(TASKS.c.id, TASKS.c.state, TASKS.c.outcome).where(
    TASKS.c.tenant_id == sa.bindparam("tenant"), columns.among(TASKS.c.id, "ids")
)
_ENDS = (
    "('app.sync.completed', 'app.removal.completed', 'object.patched', 'object.deleted', 'object.action.finished', 'app.task.recovered')"
)
_LOGGED = sa.text(
    f"SELECT correlation FROM audit_leaves WHERE tenant_id = :tenant AND correlation = ANY(:ids) AND correlation <> '' AND type IN {_ENDS}"  # noqa: S608 - our own text
)
