"""Reading the audit log: searches, stretches for exports, the nodes of its tree."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain.auditing import audit, audit_proofs
from plane.store import engine
from plane.store.engine import Row, Tx
from plane.store.layout import audit_tables, tables

NIL = tables.NIL
LAST = 2**63 - 1  # a place that no log reaches
PERSONAL = audit_tables.personal
HOURS = audit_tables.hours
EVENTS, LEAVES, NODES, CHECKPOINTS = audit_tables.events, audit_tables.leaves, audit_tables.nodes, audit_tables.checkpoints


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What events are asked for. `types` and the rest: any of them, empty for all."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    project_id: str = ""
    types: tuple[str, ...] = ()
    actor: str = ""  # an id
    target: str = ""
    cluster: str = ""
    commit: str = ""  # whole, or its first digits
    outcome: str = ""


def search(tx: Tx, tenant: str, asked: Asked, *, cursor: int, limit: int, newest: bool = False) -> tuple[audit.Sealed, ...]:
    """Sealed events after `cursor` in order of their places, or before it when the newest come first."""
    expired = tx.execute(_PLANNED_ANEW, {"tenant": tenant}).one().expired
    there = sa.or_(LEAVES.c.seq >= expired, sa.exists().where(_OF_LEAF).correlate(LEAVES))
    where = [LEAVES.c.tenant_id == tenant, *_conditions(tx, tenant, asked), *([there] if expired else [])]
    two = asked.types and (asked.actor or asked.target)
    found: list[audit.Sealed] = []
    while wanted := limit - len(found):
        beyond = LEAVES.c.seq < cursor if newest else LEAVES.c.seq > cursor
        here = [LEAVES.c.tenant_id == tenant, _places(*where, beyond, limit=wanted, newest=newest)] if two else [*where, beyond]
        rows = tx.execute(_page(*here, limit=wanted, newest=newest)).all()
        found += [
            audit.Sealed(row.seq, bytes(row.leaf).hex(), audit.together(row.body, bytes(row.personal or b""))) for row in rows if row.body
        ]
        if len(rows) < wanted:
            break
        cursor = rows[-1].seq  # an event of these is gone although its time is not over: a verifier says so, a search goes on
    return tuple(found)


# What a place or a time cuts off is known only with its value: by a plan for any value, a day is looked for in the whole log.
# And before which place events may be gone.
_PLANNED_ANEW = sa.text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), plane_expired_before(CAST(:tenant AS uuid)) AS expired"
)


def _page(*where: sa.ColumnElement[bool], limit: int, newest: bool) -> sa.Select[Any]:
    """Leaves first, as many as are wanted, and then their events: the other way around each event that fits is read before the order."""
    query = sa.select(LEAVES.c.tenant_id, LEAVES.c.seq, LEAVES.c.event_id, LEAVES.c.leaf).where(*where)
    leaf = query.order_by(LEAVES.c.seq.desc() if newest else LEAVES.c.seq).limit(limit).subquery("leaf")
    event = sa.and_(EVENTS.c.tenant_id == leaf.c.tenant_id, EVENTS.c.id == leaf.c.event_id)
    personal = sa.and_(PERSONAL.c.tenant_id == leaf.c.tenant_id, PERSONAL.c.event_id == leaf.c.event_id)
    rows = leaf.outerjoin(EVENTS, event).outerjoin(PERSONAL, personal)
    query = sa.select(leaf.c.seq, leaf.c.leaf, EVENTS.c.body, PERSONAL.c.body.label("personal")).select_from(rows)
    return query.order_by(leaf.c.seq.desc() if newest else leaf.c.seq)


def _places(*where: sa.ColumnElement[bool], limit: int, newest: bool) -> sa.ColumnElement[bool]:
    """The places alone, which an index has together with types: of two things that never met no leaf is read."""
    query = sa.select(LEAVES.c.seq).where(*where).order_by(LEAVES.c.seq.desc() if newest else LEAVES.c.seq)
    return LEAVES.c.seq.in_(query.limit(limit).correlate(None))


_OF_LEAF = sa.and_(EVENTS.c.tenant_id == LEAVES.c.tenant_id, EVENTS.c.id == LEAVES.c.event_id)


def _conditions(tx: Tx, tenant: str, asked: Asked) -> list[sa.ColumnElement[bool]]:
    found = _times(tx, tenant, asked)
    if asked.project_id:
        found.append(LEAVES.c.project_id == asked.project_id)
    if asked.types:
        found.append(LEAVES.c.type.in_(asked.types))
    found += [LEAVES.c[name] == value for name in ("actor", "target", "cluster", "outcome") if (value := getattr(asked, name))]
    if asked.commit:
        found += [LEAVES.c.commit != "", LEAVES.c.commit >= asked.commit, LEAVES.c.commit <= asked.commit + "g"]  # behind all digits
    return found


def _times(tx: Tx, tenant: str, asked: Asked) -> list[sa.ColumnElement[bool]]:
    """The times, and the places that can have them: clocks are not places, but only a wrong clock takes them far from each other."""
    found: list[sa.ColumnElement[bool]] = []
    mine = HOURS.c.tenant_id == tenant
    if asked.since:
        low = tx.execute(sa.select(sa.func.min(HOURS.c.first)).where(mine, HOURS.c.hour >= _hour(asked.since))).scalar()
        found += [LEAVES.c.at >= asked.since, LEAVES.c.seq >= (LAST if low is None else low)]
    if asked.until:
        high = tx.execute(sa.select(sa.func.max(HOURS.c.last)).where(mine, HOURS.c.hour < asked.until)).scalar()
        found += [LEAVES.c.at < asked.until, LEAVES.c.seq <= (-1 if high is None else high)]
    return found


def _hour(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def types(tx: Tx, tenant: str, words: Sequence[str]) -> tuple[str, ...]:
    """The types that words mean: themselves, or with `.*` at the end all below that the log has; a word that means none stays none.

    By name each is found in the index; by their beginning the whole log would be read for those that never came.
    """
    if not any(word.endswith("*") for word in words):
        return tuple(words)
    known = tx.execute(_TYPES, {"tenant": tenant}).scalars().all()
    stems = {word: word.removesuffix("*") for word in words}
    found = {word: [one for one in known if one.startswith(stem)] if stem != word else [word] for word, stem in stems.items()}
    return tuple(dict.fromkeys(one for word in words for one in found[word] or [stems[word]]))


_TYPES = sa.text("""
    WITH RECURSIVE known AS (
        (SELECT type FROM audit_leaves WHERE tenant_id = :tenant ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (SELECT l.type FROM audit_leaves l WHERE l.tenant_id = :tenant AND l.type > known.type ORDER BY l.type LIMIT 1)
        FROM known WHERE known.type IS NOT NULL
    ) SELECT type FROM known WHERE type IS NOT NULL
""")


class _Kept(msgspec.Struct, frozen=True):
    """Leaves with their events, and with what is personal in them, where those are still there."""

    rows: sa.FromClause
    leaf: sa.CTE
    event: sa.Subquery
    personal: sa.Subquery


def _kept(tx: Tx, tenant: str, *asked: sa.ColumnElement[bool], limit: int | None = None) -> _Kept:
    """Each table is read once, by all ids in the index's own order; row by row it would be found anew for each leaf, for thrice the time.

    The planner takes the list for a short one and would go through it for each row, and starts processes for what is done sooner.
    """
    tx.execute(_IN_ONE_GO)
    engine.binary(tx)
    query = sa.select(LEAVES.c.seq, LEAVES.c.event_id, LEAVES.c.leaf).where(LEAVES.c.tenant_id == tenant, *asked)
    leaf = query.order_by(LEAVES.c.seq).limit(limit).cte("leaf")
    ids = sa.any_(sa.func.array(sa.select(leaf.c.event_id).scalar_subquery()))
    event = sa.select(EVENTS.c.id, EVENTS.c.body).where(EVENTS.c.tenant_id == tenant, EVENTS.c.id == ids).subquery("event")
    known = (PERSONAL.c.event_id, PERSONAL.c.salt, PERSONAL.c.body)
    personal = sa.select(*known).where(PERSONAL.c.tenant_id == tenant, PERSONAL.c.event_id == ids).subquery("personal")
    rows = leaf.outerjoin(event, event.c.id == leaf.c.event_id).outerjoin(personal, personal.c.event_id == leaf.c.event_id)
    return _Kept(rows, leaf, event, personal)


_IN_ONE_GO = sa.text("SELECT set_config('enable_nestloop', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)")


def stretch(tx: Tx, tenant: str, asked: Asked, *, first: int, end: int, limit: int) -> tuple[audit.Placed, ...]:
    """Rows from place `first` up to `end` as they are kept, those whose event is gone too; time does not matter here."""
    timeless = msgspec.structs.replace(asked, since=None, until=None)
    kept = _kept(tx, tenant, LEAVES.c.seq >= first, LEAVES.c.seq < end, *_conditions(tx, tenant, timeless), limit=limit)
    blobs = (sa.func.coalesce(one, sa.text("''::bytea")) for one in (kept.event.c.body, kept.personal.c.salt, kept.personal.c.body))
    rows = tx.execute(sa.select(kept.leaf.c.seq, kept.leaf.c.leaf, *blobs).select_from(kept.rows).order_by(kept.leaf.c.seq))
    return tuple(audit.Placed(*row) for row in rows.all())


def texts(tx: Tx, tenant: str, sizes: Sequence[int], *, first: int, end: int) -> dict[int, bytes]:
    """Lines of an export from place `first` up to `end`, by how many of the `sizes` lie at or below them: put together by the database.

    Row by row in Python they take five times as long.
    """
    kept = _kept(tx, tenant, LEAVES.c.seq >= first, LEAVES.c.seq < end)
    part = sa.func.width_bucket(kept.leaf.c.seq, sa.cast([*sizes, LAST], pg.ARRAY(sa.BigInteger))).label("part")
    lines = sa.func.string_agg(_LINE, pg.aggregate_order_by(sa.literal_column("''::bytea"), kept.leaf.c.seq))
    return dict(tx.execute(sa.select(part, lines).select_from(kept.rows).group_by(part)).all())


# as domain.audit_formats.event_line; bytes, since what somebody has put there need not be text
_LINE: sa.ColumnElement[bytes] = sa.literal_column(r"""
    convert_to('{"event":{"seq":' || leaf.seq || ',"leaf":"' || encode(leaf.leaf, 'hex') || '"', 'UTF8')
    || CASE WHEN length(personal.body) > 0
        THEN convert_to(',"personal":{"salt":"' || encode(personal.salt, 'hex') || '","of":', 'UTF8') || personal.body || '}'
        ELSE '' END
    || ',"event":'::bytea || coalesce(nullif(event.body, ''), 'null') || '}}'::bytea || '\x0a'::bytea
""")


def summary(tx: Tx, tenant: str, asked: Asked, *, first: int, end: int) -> tuple[int, int, int]:
    """How many rows `stretch` gives there, and the first and the last place; -1 without any."""
    seq, timeless = LEAVES.c.seq, msgspec.structs.replace(asked, since=None, until=None)
    query = sa.select(sa.func.count(), sa.func.min(seq), sa.func.max(seq))
    count, low, high = tx.execute(
        query.where(LEAVES.c.tenant_id == tenant, seq >= first, seq < end, *_conditions(tx, tenant, timeless))
    ).one()
    return count, (-1 if low is None else low), (-1 if high is None else high)


def bounds(tx: Tx, tenant: str, asked: Asked) -> tuple[int, int]:
    """The first place of an event not older than `since`, and the place after the last one older than `until`; -1: there is none."""
    mine = sa.select(LEAVES.c.seq).where(LEAVES.c.tenant_id == tenant)
    since, until = _times(tx, tenant, Asked(since=asked.since)), _times(tx, tenant, Asked(until=asked.until))
    first = tx.execute(mine.where(*since).order_by(LEAVES.c.seq).limit(1)).scalar() if asked.since else 0
    last = tx.execute(mine.where(*until).order_by(LEAVES.c.seq.desc()).limit(1)).scalar() if asked.until else None
    return (-1 if first is None else first), (-1 if last is None else last + 1)


def last_checkpoint(tx: Tx, tenant: str) -> audit.Checkpoint | None:
    """The newest checkpoint of a log."""
    query = sa.select(CHECKPOINTS).where(CHECKPOINTS.c.tenant_id == tenant)
    row = tx.execute(query.order_by(CHECKPOINTS.c.size.desc()).limit(1)).one_or_none()
    return row if row is None else _checkpoint(row)


def told_key(tx: Tx, tenant: str) -> str:
    """The key that the log said last, sealed, that it is signed with from then on; empty: it never did."""
    query = sa.select(EVENTS.c.body).select_from(LEAVES.join(EVENTS, _OF_LEAF))
    where = (LEAVES.c.tenant_id == tenant, LEAVES.c.type == audit.KEY_CHANGED)
    body = tx.execute(query.where(*where).order_by(LEAVES.c.seq.desc()).limit(1)).scalar()
    return str(msgspec.json.decode(body, type=audit.Event).details["after"]) if body else ""


def other_than(tx: Tx, tenant: str, kind: str, *, first: int, end: int) -> bool:
    """Whether there is an event of another type from place `first` up to `end`."""
    where = (LEAVES.c.tenant_id == tenant, LEAVES.c.seq >= first, LEAVES.c.seq < end, LEAVES.c.type != kind)
    return tx.execute(sa.select(sa.literal(1)).where(*where).limit(1)).scalar() is not None


def checkpoint_around(tx: Tx, tenant: str, size: int, *, above: bool) -> audit.Checkpoint | None:
    """The smallest checkpoint of at least this size, or the largest of at most this size."""
    here = CHECKPOINTS.c.size >= size if above else CHECKPOINTS.c.size <= size
    order = CHECKPOINTS.c.size if above else CHECKPOINTS.c.size.desc()
    row = tx.execute(sa.select(CHECKPOINTS).where(CHECKPOINTS.c.tenant_id == tenant, here).order_by(order).limit(1)).one_or_none()
    return row if row is None else _checkpoint(row)


def checkpoints(tx: Tx, tenant: str, *, above: int, end: int, limit: int) -> tuple[audit.Checkpoint, ...]:
    """Checkpoints by size, those larger than `above` and at most `end`."""
    query = sa.select(CHECKPOINTS).where(CHECKPOINTS.c.tenant_id == tenant, CHECKPOINTS.c.size > above, CHECKPOINTS.c.size <= end)
    return tuple(_checkpoint(row) for row in tx.execute(query.order_by(CHECKPOINTS.c.size).limit(limit)))


def _checkpoint(row: Row) -> audit.Checkpoint:
    peaks = tuple(row.peaks[start : start + 32].hex() for start in range(0, len(row.peaks), 32))
    counts = msgspec.json.decode(row.counts, type=dict[str, dict[str, int]])
    return audit.Checkpoint(row.origin, row.size, row.root, row.time, row.signature, row.key, counts, peaks)


def place_of(tx: Tx, tenant: str, event: str) -> int:
    """The place of an event; -1 when it has none."""
    found = tx.execute(sa.select(LEAVES.c.seq).where(LEAVES.c.tenant_id == tenant, LEAVES.c.event_id == event)).scalar()
    return -1 if found is None else found


def nodes(tx: Tx, tenant: str) -> audit_proofs.Nodes:
    """Roots of full subtrees, each from at most 2^TILE stored hashes."""

    def read(height: int, index: int) -> bytes:
        step = height % audit.TILE
        if height and not step:
            stored = _stored(tx, tenant, height, first=index, count=1)
            if stored:
                return stored[0]
            step = audit.TILE  # sealed before nodes were kept
        below = height - step
        hashes = _stored(tx, tenant, below, first=index << step, count=1 << step)
        if len(hashes) < 1 << step:
            hashes = [read(below, (index << step) + n) for n in range(1 << step)] if below else hashes
        return audit.root(hashes)

    return read


def _stored(tx: Tx, tenant: str, height: int, *, first: int, count: int) -> Sequence[bytes]:
    place, hashed, extra = (NODES.c.index, NODES.c.hash, [NODES.c.height == height]) if height else (LEAVES.c.seq, LEAVES.c.leaf, [])
    where = (place >= first, place < first + count, *extra)
    table = NODES if height else LEAVES
    return [bytes(one) for one in tx.execute(sa.select(hashed).where(table.c.tenant_id == tenant, *where).order_by(place)).scalars()]


class Strays(msgspec.Struct, frozen=True):
    """Events without a place among `looked` of them, of which `last` (transaction and id) is the last."""

    ids: tuple[str, ...]
    looked: int
    last: tuple[int, str]


def strays(tx: Tx, tenant: str, *, after: tuple[int, str], limit: int) -> Strays:
    """Events that were put among sealed ones and have no place: the sealer never leaves one behind, so somebody else wrote them."""
    row = tx.execute(_STRAYS, {"tenant": tenant, "xid": after[0], "id": after[1], "limit": limit}).one()
    return Strays(tuple(map(str, row.strays or ())), row.looked, (row.xid or after[0], str(row.last or after[1])))


_STRAYS = sa.text("""
    WITH page AS (
        SELECT e.xid, e.id FROM audit_events e JOIN audit_heads h ON h.tenant_id = e.tenant_id
        WHERE e.tenant_id = :tenant AND (e.xid, e.id) > (:xid, CAST(:id AS uuid)) AND (e.xid, e.id) <= (h.last_xid, h.last_event)
        ORDER BY e.xid, e.id LIMIT :limit
    ), last AS (SELECT xid, id FROM page ORDER BY xid DESC, id DESC LIMIT 1)
    SELECT count(*) AS looked, array_agg(page.id) FILTER (WHERE l.seq IS NULL) AS strays,
    (SELECT xid FROM last) AS xid, (SELECT id FROM last) AS last
    FROM page LEFT JOIN audit_leaves l ON l.tenant_id = :tenant AND l.event_id = page.id
""")


def cut(tx: Tx, tenant: str) -> str:
    """What is missing of what was signed, as a sentence; empty: nothing."""
    row = tx.execute(_CUT, {"tenant": tenant}).one()
    if row.signed > row.places:
        return f"{row.signed} events were signed for and only {row.places} have a place"
    return f"{row.places} events have a place and only {row.signed} were signed for" if row.places > row.signed else ""


_CUT = sa.text("""
    SELECT coalesce((SELECT max(size) FROM audit_checkpoints WHERE tenant_id = :tenant), 0) AS signed,
    coalesce((SELECT max(seq) + 1 FROM audit_leaves WHERE tenant_id = :tenant), 0) AS places
""")
