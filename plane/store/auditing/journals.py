"""How far each log has the agents' journals, and what it knows of their tasks without them."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import columns, journal_tables, tables

JOURNALS, AGENTS, TASKS, CLUSTERS = journal_tables.journals, tables.agents, tables.tasks, tables.clusters
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


class Known(msgspec.Struct, frozen=True):
    """A journal and whose it is. `keys`: the public keys that the agent ever signed with, by generation from 1."""

    mark: Mark
    keys: tuple[bytes, ...]
    cluster: str


def known(tx: Tx, agent: str, journal: str) -> Known:
    """How far the platform's log has it; a platform transaction."""
    row = tx.execute(_KNOWN, {"tenant": tables.NIL, "agent": agent, "journal": journal}).one()
    text = bytes(row.former_keys) + bytes(row.signing_key)
    keys = tuple(text[start : start + KEY_BYTES] for start in range(0, len(text), KEY_BYTES))
    return Known(Mark(row.seq or 0, bytes(row.hash or b""), row.broken or ""), keys, row.name)


def lock(tx: Tx, tenant: str, agent: str, journal: str) -> Mark:
    """As `mark`; nobody else takes entries of this journal into this log until the transaction ends."""
    row = tx.execute(_LOCK, {"tenant_id": tenant, "agent_id": agent, "journal": journal, "hash": b""}).one()
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


_SAME = sa.and_(
    JOURNALS.c.tenant_id == sa.bindparam("tenant"), JOURNALS.c.agent_id == AGENTS.c.id, JOURNALS.c.journal == sa.bindparam("journal")
)
_KNOWN = (
    sa.select(AGENTS.c.former_keys, AGENTS.c.signing_key, CLUSTERS.c.name, JOURNALS.c.seq, JOURNALS.c.hash, JOURNALS.c.broken)
    .select_from(AGENTS.join(CLUSTERS, CLUSTERS.c.id == AGENTS.c.cluster_id).outerjoin(JOURNALS, _SAME))
    .where(AGENTS.c.id == sa.bindparam("agent"))
)
# An update that changes nothing locks the row that is there as well as the one that is made, in one statement.
_LOCK = (
    pg.insert(JOURNALS)
    .values({name: sa.bindparam(name) for name in ("tenant_id", "agent_id", "journal", "hash")})
    .on_conflict_do_update(index_elements=["tenant_id", "agent_id", "journal"], set_={"seq": JOURNALS.c.seq})
    .returning(JOURNALS.c.seq, JOURNALS.c.hash, JOURNALS.c.broken)
)


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
