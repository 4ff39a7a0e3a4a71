"""How long events are kept, what holds them longer, and what is personal in them."""

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import objects
from plane.domain.auditing import audit
from plane.store.engine import Tx
from plane.store.layout import audit_tables, tables

TERMS, PERSONAL, LEAVES, RELEASES = audit_tables.terms, audit_tables.personal, audit_tables.leaves, tables.releases
EXPIRED_AT_ONCE = 5000  # rows of one statement
AHEAD = 3  # months made before they begin


class Terms(msgspec.Struct, frozen=True):
    """`keep_days` 0: for ever; `hold`: why nothing may leave, empty for no hold."""

    keep_days: int = 0
    hold: str = ""


def read(tx: Tx, tenant: str) -> Terms:
    """As they are."""
    row = tx.execute(sa.select(TERMS).where(TERMS.c.tenant_id == tenant)).one_or_none()
    return Terms(row.keep_days, row.hold) if row else Terms()


def write(tx: Tx, tenant: str, terms: Terms) -> None:
    """As they shall be."""
    values = {"keep_days": terms.keep_days, "hold": terms.hold}
    made = pg.insert(TERMS).values(tenant_id=tenant, **values)
    tx.execute(made.on_conflict_do_update(index_elements=["tenant_id"], set_=values))


def erase(tx: Tx, tenant: str, actor: str, name: str) -> int:
    """Forget what is personal in somebody's events, and in those that name them beside another actor; returns in how many."""
    named = [*((field, name) for field in ("asked_by", "owner", "by")), ("on_behalf_of", f"person/{name}")]
    return _forget(tx, tenant, named, actor=actor)


def erase_authors(tx: Tx, tenant: str, names: Sequence[str]) -> int:
    """Forget people whom Git and providers name: who wrote, committed and signed commits, and who was vouched for; in how many events."""
    for field in (*audit.COMMITTED, "signed_by"):
        mine = (RELEASES.c.tenant_id == tenant, RELEASES.c[field].in_(names))
        tx.execute(sa.update(RELEASES).where(*mine).values({field: ""}))
    fields = (*audit.COMMITTED, "signed_by", "on_behalf_of", "subject")
    return _forget(tx, tenant, [(field, name) for field in fields for name in names])


def _forget(tx: Tx, tenant: str, names: Iterable[tuple[str, str]], *, actor: str = "") -> int:
    said = [f'"{field}":'.encode() + objects.canonical(name) for field, name in names]  # as `audit.apart` writes it
    return tx.execute(_FORGET, {"tenant": tenant, "said": said, "actor": actor}).rowcount


_FORGET = sa.text("""
    DELETE FROM audit_personal WHERE tenant_id = :tenant
    AND (actor = :actor OR EXISTS (SELECT 1 FROM unnest(CAST(:said AS bytea[])) AS one(said) WHERE position(one.said IN body) > 0))
""")


class Month(msgspec.Struct, frozen=True):
    """A month that every log in it lets go."""

    name: str
    ends: dt.datetime
    logs: tuple[str, ...]


def make_months(tx: Tx) -> int:
    """Tables for the months to come; returns how many were made. An event whose month has none goes to one for all such."""
    return int(tx.execute(sa.text("SELECT plane_make_months(:ahead)"), {"ahead": AHEAD}).scalar_one())


def leaving_month(tx: Tx) -> Month | None:
    """The oldest month, when no log in it keeps its events any longer."""
    row = tx.execute(sa.text("SELECT name, ends, logs::text[] FROM plane_leaving_month()")).one()
    return Month(row.name, row.ends, tuple(row.logs)) if row.name else None


def expired_before(tx: Tx, tenant: str) -> int:
    """The place before which the log says itself, sealed, that events may be gone."""
    return int(tx.execute(sa.text("SELECT plane_expired_before(CAST(:tenant AS uuid))"), {"tenant": tenant}).scalar_one())


def drop_month(tx: Tx, month: Month) -> bool:
    """Let a month leave whole; the database looks itself that every log in it says so and holds none of it."""
    return bool(tx.execute(sa.text("SELECT plane_drop_month(:name)"), {"name": month.name}).scalar_one())


def first_kept(tx: Tx, tenant: str, since: dt.datetime) -> int:
    """The place before which every event is older, and there is one left; -1: none is."""
    bound = first_since(tx, tenant, since)
    if bound < 0:
        return -1
    return bound if tx.execute(_LEFT, {"tenant": tenant, "bound": bound}).scalar() else -1


def first_since(tx: Tx, tenant: str, since: dt.datetime) -> int:
    """The place of the first event that is not older; -1: all are."""
    where = (LEAVES.c.tenant_id == tenant, LEAVES.c.at >= since)
    bound = tx.execute(sa.select(LEAVES.c.seq).where(*where).order_by(LEAVES.c.seq).limit(1)).scalar()
    return -1 if bound is None else bound


_LEFT = sa.text("""
    SELECT EXISTS (SELECT 1 FROM audit_leaves l JOIN audit_events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
    WHERE l.tenant_id = :tenant AND l.seq < :bound)
""")


def expire(tx: Tx, before: int) -> int:
    """Let events before a place leave; the database looks at age and hold itself. Returns how many left."""
    return int(tx.execute(sa.text("SELECT plane_expire(:before, :most)"), {"before": before, "most": EXPIRED_AT_ONCE}).scalar_one())
