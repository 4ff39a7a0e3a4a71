"""Previews of policies: what was asked, how far it has come, and what was found."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.store import batches
from plane.store.engine import Row, Tx
from plane.store.layout import columns, decision_tables, tables

PREVIEWS, RESULTS, FINDINGS = decision_tables.previews, decision_tables.preview_results, decision_tables.findings
APPS, STATES = tables.apps, tables.app_states
MOST = 20  # of one tenant; older ones are of another fleet


class New(msgspec.Struct, frozen=True):
    """A preview that begins. `total`: apps there are."""

    actor: str
    made_at: dt.datetime
    asked: Mapping[str, Any]
    files: Mapping[str, str]
    total: int


def add(tx: Tx, tenant: str, new: New) -> int:
    """Its number; the oldest are forgotten."""
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('previews ' || :tenant, 0))"), {"tenant": tenant})
    last = tx.execute(sa.select(sa.func.coalesce(sa.func.max(PREVIEWS.c.number), 0)).where(PREVIEWS.c.tenant_id == tenant)).scalar_one()
    number = int(last) + 1
    tx.execute(sa.insert(PREVIEWS).values(tenant_id=tenant, number=number, **msgspec.structs.asdict(new)))
    tx.execute(sa.delete(PREVIEWS).where(PREVIEWS.c.tenant_id == tenant, PREVIEWS.c.number <= number - MOST))
    return number


def entries(tx: Tx, tenant: str) -> list[Row]:
    """All that are kept, newest first, without the texts of their sets."""
    slim = [column for column in PREVIEWS.c if column.name != "files"]
    return list(tx.execute(sa.select(*slim).where(PREVIEWS.c.tenant_id == tenant).order_by(PREVIEWS.c.number.desc())))


def find(tx: Tx, tenant: str, number: int) -> Row | None:
    """One, with the texts of its set."""
    return tx.execute(sa.select(PREVIEWS).where(PREVIEWS.c.tenant_id == tenant, PREVIEWS.c.number == number)).one_or_none()


def count(tx: Tx, tenant: str) -> int:
    """Apps that have a release."""
    query = sa.select(sa.func.count()).select_from(STATES).where(STATES.c.tenant_id == tenant, STATES.c.release_id.is_not(None))
    return int(tx.execute(query).scalar_one())


def apps(tx: Tx, tenant: str, *, after: str, limit: int) -> list[str]:
    """Ids of the next apps that have a release."""
    query = sa.select(STATES.c.app_id).where(STATES.c.tenant_id == tenant, STATES.c.app_id > after, STATES.c.release_id.is_not(None))
    return list(tx.execute(query.order_by(STATES.c.app_id).limit(limit)).scalars())


def known(tx: Tx, tenant: str, ids: Sequence[str]) -> dict[str, set[str]]:
    """By app: keys of what it breaks already."""
    found: dict[str, set[str]] = {}
    for row in tx.execute(_KNOWN, {"tenant": tenant, "apps": list(ids)}):
        found.setdefault(row.app_id, set()).add(row.key)
    return found


_KNOWN = sa.select(FINDINGS.c.app_id, FINDINGS.c.key).where(
    FINDINGS.c.tenant_id == sa.bindparam("tenant"), columns.among(FINDINGS.c.app_id, "apps"), FINDINGS.c.closed_at.is_(None)
)


class Step(msgspec.Struct, frozen=True):
    """What one step came to. `before`: how many were done when it began; `last`: tenant and app to go on after."""

    before: int
    done: int
    counts: Mapping[str, int]
    last: tuple[str | None, str | None]
    results: Sequence[Mapping[str, Any]]
    ended_at: dt.datetime | None = None


def advance(tx: Tx, tenant: str, number: int, step: Step) -> bool:
    """Write a step down; False when another has come before it."""
    tenant_, app = step.last
    moved = tx.execute(
        sa.update(PREVIEWS)
        .where(PREVIEWS.c.tenant_id == tenant, PREVIEWS.c.number == number, PREVIEWS.c.done == step.before, PREVIEWS.c.ended_at.is_(None))
        .values(done=step.done, counts=dict(step.counts), last_tenant=tenant_, last_app=app, ended_at=step.ended_at)
    )
    if moved.rowcount:
        batches.add(tx, RESULTS, [{"tenant_id": tenant, "number": number, **one} for one in step.results])
    return bool(moved.rowcount)


def results(tx: Tx, tenant: str, number: int, *, after: str, limit: int) -> list[Row]:
    """Apps in order of their ids."""
    query = sa.select(RESULTS).where(RESULTS.c.tenant_id == tenant, RESULTS.c.number == number)
    query = query.where(RESULTS.c.app_id > after) if after else query
    return list(tx.execute(query.order_by(RESULTS.c.app_id).limit(limit)))


def sums(tx: Tx, tenant: str, number: int) -> dict[str, list[Row]]:
    """Apps by tenant and by cluster with each verdict, and violations by rule and mode with those that are new."""
    place = (RESULTS.c.tenant_id == tenant, RESULTS.c.number == number)
    apps_by = {
        name: sa.select(RESULTS.c[name].label("name"), RESULTS.c.word, sa.func.count().label("number"))
        .where(*place)
        .group_by(RESULTS.c[name], RESULTS.c.word)
        .order_by(RESULTS.c[name], RESULTS.c.word)
        for name in ("tenant", "cluster")
    }
    return {
        **{name: list(tx.execute(query)) for name, query in apps_by.items()},
        "rule": list(tx.execute(_RULES, {"t": tenant, "n": number})),
    }


_RULES = sa.text("""
    SELECT f ->> 'rule' AS name, f ->> 'mode' AS word, count(*) AS number,
           count(*) FILTER (WHERE NOT coalesce((f ->> 'known')::boolean, false)) AS new
    FROM preview_results r CROSS JOIN LATERAL jsonb_array_elements(r.found) f
    WHERE r.tenant_id = :t AND r.number = :n GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
""")


def differences(tx: Tx, tenant: str, was: int, now: int, *, limit: int) -> list[Row]:
    """Apps whose verdict or violations are others in a later preview."""
    return list(tx.execute(_DIFFERENCES, {"t": tenant, "was": was, "now": now, "limit": limit}))


_DIFFERENCES = sa.text("""
    SELECT coalesce(b.tenant, a.tenant) AS tenant, coalesce(b.project, a.project) AS project, coalesce(b.app, a.app) AS app,
           coalesce(a.word, '') AS was, coalesce(b.word, '') AS now,
           coalesce(jsonb_array_length(a.found), 0) AS found_before, coalesce(jsonb_array_length(b.found), 0) AS found_now
    FROM (SELECT * FROM preview_results WHERE tenant_id = :t AND number = :was) a
    FULL JOIN (SELECT * FROM preview_results WHERE tenant_id = :t AND number = :now) b ON a.app_id = b.app_id
    WHERE a.word IS DISTINCT FROM b.word OR a.found IS DISTINCT FROM b.found ORDER BY 1, 2, 3 LIMIT :limit
""")
