"""What was begun in a cluster and never ended is found, once; what ends late is called resolved."""

import sqlalchemy as sa

from plane.domain import access
from plane.server import record
from plane.server.auditing import gaps
from plane.store import engine
from plane.store.layout import tables
from tests.support import planes


def begin(fleet: planes.Fleet, owner: sa.Engine, *, state: str, outcome: str = "") -> str:
    """An intent of two hours ago, and its task as it is now; gives the task."""
    clock = fleet.plane.clock
    assert isinstance(clock, planes.MovableClock)
    clock.ahead -= 2 * gaps.DEADLINE
    task = fleet.plane.clock.id()
    scope = access.Scope(fleet.tenant, access.SYSTEM)
    with engine.begin(fleet.plane.engine, scope) as tx:
        about = record.Facts(target="app/web", cluster="east", correlation=task, stage="intent")
        record.append(fleet.plane, tx, scope, "app.sync.started", project_id=fleet.project, **about)
    clock.ahead += 2 * gaps.DEADLINE
    if state:
        with owner.begin() as tx:
            tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
            row: dict[str, object] = {
                "tenant_id": fleet.tenant,
                "id": task,
                "app_id": task,
                "cluster_id": fleet.cluster,
                "state": state,
                "outcome": outcome,
            }
            tx.execute(sa.insert(tables.tasks).values(filled(row)))
    planes.seal(fleet.plane, owner)
    return task


def filled(row: dict[str, object]) -> dict[str, object]:
    blank: dict[type, object] = {sa.Text: "x", sa.BigInteger: 1, sa.LargeBinary: b"", sa.Boolean: False}
    needed = [column for column in tables.tasks.c if not column.nullable and column.server_default is None and column.name not in row]
    return row | {
        column.name: next((value for kind, value in blank.items() if isinstance(column.type, kind)), row["id"]) for column in needed
    }


def found(fleet: planes.Fleet, owner: sa.Engine) -> list[tuple[str, str]]:
    gaps.look(fleet.plane)
    planes.seal(fleet.plane, owner)
    with owner.begin() as tx:
        rows = tx.execute(sa.text("SELECT type, correlation FROM audit_leaves WHERE type <> 'app.sync.started' ORDER BY seq"))
        return [(row.type, row.correlation) for row in rows]


def test_a_change_whose_end_nobody_told_is_found_once(fleet: planes.Fleet, owner: sa.Engine) -> None:
    gone, taken = begin(fleet, owner, state=""), begin(fleet, owner, state="leased")
    first = found(fleet, owner)
    assert sorted(first) == sorted([("audit.gap", gone), ("audit.gap", taken)])
    assert found(fleet, owner) == first


def test_a_change_that_the_plane_ended_itself_is_no_gap(fleet: planes.Fleet, owner: sa.Engine) -> None:
    task = begin(fleet, owner, state="done", outcome="superseded")
    assert found(fleet, owner) == [("app.sync.abandoned", task)]


def test_a_change_that_waits_for_its_agent_is_no_gap(fleet: planes.Fleet, owner: sa.Engine) -> None:
    begin(fleet, owner, state="queued")
    assert found(fleet, owner) == []


def test_an_end_that_comes_late_resolves_the_finding(fleet: planes.Fleet, owner: sa.Engine) -> None:
    task = begin(fleet, owner, state="leased")
    found(fleet, owner)
    scope = access.Scope(fleet.tenant, access.SYSTEM)
    with engine.begin(fleet.plane.engine, scope) as tx:
        record.append(fleet.plane, tx, scope, "app.sync.completed", stage="outcome", target="app/web", correlation=task)
    planes.seal(fleet.plane, owner)
    assert [kind for kind, _ in found(fleet, owner)] == ["audit.gap", "app.sync.completed", "audit.gap.resolved"]
    assert len(found(fleet, owner)) == 3
