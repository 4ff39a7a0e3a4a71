"""The log's tables are made by the month, and a month that nobody keeps leaves whole; the log says so first and is still proven."""

# ruff: noqa: S608 - the statements are this file's own

import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from plane.server import context
from plane.server.auditing import retention
from tests.server.test_audit_tampering import exported, findings
from tests.server.test_retention import count, keep, old, write
from tests.support import planes, verifying

PARTED = ("audit_events", "audit_personal")


def first_id(moment: dt.datetime) -> str:
    return str(uuid.UUID(int=int(moment.timestamp() * 1000) << 80))


def run(owner: sa.Engine, *statements: str) -> None:
    with owner.begin() as tx:
        for statement in statements:
            tx.execute(sa.text(statement))


@pytest.fixture
def years_ago(owner: sa.Engine) -> Iterator[str]:
    """A month of its own for what is older than 600 days; afterwards one part again."""
    cut = first_id(dt.datetime.now(dt.UTC) - dt.timedelta(days=600))
    with owner.begin() as tx:
        upto = tx.execute(sa.text("SELECT upto FROM plane_months() WHERE part = 'audit_events_before'")).scalar_one()
    for table in PARTED:
        run(
            owner,
            f"ALTER TABLE {table} DETACH PARTITION {table}_before",
            f"CREATE TABLE {table}_2000_01 (LIKE {table} INCLUDING DEFAULTS)",
            f"ALTER TABLE {table} ATTACH PARTITION {table}_2000_01 FOR VALUES FROM (MINVALUE) TO ('{cut}')",
            f"ALTER TABLE {table} ATTACH PARTITION {table}_before FOR VALUES FROM ('{cut}') TO ('{upto}')",
        )
    yield "audit_events_2000_01"
    for table in PARTED:
        run(
            owner,
            f"ALTER TABLE {table} DETACH PARTITION {table}_before",
            f"DROP TABLE IF EXISTS {table}_2000_01",
            f"ALTER TABLE {table} ATTACH PARTITION {table}_before FOR VALUES FROM (MINVALUE) TO ('{upto}')",
        )


def parts(owner: sa.Engine) -> set[str]:
    with owner.begin() as tx:
        return set(tx.execute(sa.text("SELECT part FROM plane_months()")).scalars())


def test_a_month_that_nobody_keeps_leaves_whole_after_the_log_said_so(plane: context.Plane, owner: sa.Engine, years_ago: str) -> None:
    old(plane, owner, 5)
    write(plane, owner, 3)
    keep(plane, 400)
    retention.expire(plane)
    assert years_ago in parts(owner)  # what the log says is not sealed yet
    planes.seal(plane, owner)
    retention.expire(plane)
    assert years_ago not in parts(owner)
    report = verifying.verified(exported(plane))
    assert (report.findings, report.expired) == ([], 5)


def test_a_month_stays_whole_under_a_hold(plane: context.Plane, owner: sa.Engine, years_ago: str) -> None:
    old(plane, owner, 2)
    write(plane, owner, 1)
    keep(plane, 400, hold="case 7")
    for _ in range(2):
        retention.expire(plane)
        planes.seal(plane, owner)
    assert count(owner, years_ago) == 2
    assert findings(plane) == []


def test_a_month_dropped_by_hand_is_found(plane: context.Plane, owner: sa.Engine, years_ago: str) -> None:
    old(plane, owner, 2)
    write(plane, owner, 1)
    run(owner, f"DROP TABLE {years_ago}")
    assert findings(plane) == [f"place {place}: the event was removed; its leaf is still there" for place in (0, 1)]


def test_an_event_of_a_month_that_nobody_made_is_kept(plane: context.Plane, owner: sa.Engine) -> None:
    clock = plane.clock
    assert isinstance(clock, planes.MovableClock)
    clock.ahead += dt.timedelta(days=3650)
    write(plane, owner, 2)
    clock.ahead -= dt.timedelta(days=3650)
    write(plane, owner, 1)
    assert count(owner, "audit_events_other") == 2
    assert findings(plane) == []


def test_months_are_made_before_they_begin_and_once(plane: context.Plane, owner: sa.Engine) -> None:
    run(owner, *(f"DROP TABLE {part}" for part in parts(owner) if part[-1].isdigit()))
    assert retention.make_months(plane) > 0
    assert retention.make_months(plane) == 0
    beyond = (dt.datetime.now(dt.UTC).replace(day=1) + dt.timedelta(days=95)).strftime("_%Y_%m")
    assert {f"{table}{beyond}" for table in PARTED} <= parts(owner)


def test_nobody_changes_a_month_by_its_own_name(plane: context.Plane, owner: sa.Engine) -> None:
    write(plane, owner, 1)
    for part in sorted(part for part in parts(owner) if part.startswith("audit_events")):
        with pytest.raises(sa.exc.ProgrammingError, match="append-only"), owner.begin() as tx:
            tx.execute(sa.text(f"DELETE FROM {part}"))
        with owner.begin() as tx:
            assert not tx.execute(
                sa.text(f"SELECT has_table_privilege('plane_app', '{part}', 'SELECT, INSERT, UPDATE, DELETE')")
            ).scalar_one()
