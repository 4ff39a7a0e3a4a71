"""Events leave when their time is over, people can be forgotten, a hold keeps both; and the proofs hold through all of it."""

import datetime as dt
import json

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from plane.domain import access, errors
from plane.domain.auditing import audit, sync_details
from plane.domain.deciding import approvals
from plane.server import authorise, context, record
from plane.server.auditing import audit_log, retention
from plane.store import engine
from plane.store.auditing import audit_terms
from plane.wire import audit as wire
from tests.server.test_audit_tampering import ADMIN, PLATFORM, exported, findings, forge
from tests.support import planes, verifying

ADA = access.Actor("01900000-0000-7000-8000-00000000ada0", "ada", ip="192.0.2.7", user_agent='x}},"event":{}')


def write(plane: context.Plane, owner: sa.Engine, count: int, actor: access.Actor = access.SYSTEM) -> None:
    scope = access.Scope(access.PLATFORM_TENANT, actor)
    with engine.begin(plane.engine, scope) as tx:
        for number in range(count):
            record.append(plane, tx, scope, "tenant.updated", target=f"tenant/t{number}")
    planes.seal(plane, owner)


def old(plane: context.Plane, owner: sa.Engine, count: int) -> None:
    """Events of two years ago."""
    clock = plane.clock
    assert isinstance(clock, planes.MovableClock)
    clock.ahead -= dt.timedelta(days=800)
    write(plane, owner, count)
    clock.ahead += dt.timedelta(days=800)


def keep(plane: context.Plane, days: int, hold: str = "") -> None:
    retention.govern(plane, ADMIN, PLATFORM, wire.Terms(keep_days=days, hold=hold))


def count(owner: sa.Engine, table: str) -> int:
    with owner.begin() as tx:
        return int(tx.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - a test's own


def test_old_events_leave_and_the_log_is_still_proven(plane: context.Plane, owner: sa.Engine) -> None:
    old(plane, owner, 5)
    write(plane, owner, 3)
    keep(plane, 400)
    assert retention.expire(plane) == 5
    planes.seal(plane, owner)
    report = verifying.verified(exported(plane))
    assert (report.findings, report.expired) == ([], 5)
    assert retention.expire(plane) == 0


def test_a_search_passes_over_events_that_left(plane: context.Plane, owner: sa.Engine) -> None:
    old(plane, owner, 5)
    write(plane, owner, 3)
    keep(plane, 400)
    retention.expire(plane)
    planes.seal(plane, owner)
    query = wire.Query(since="1970-01-01", type="tenant.updated", limit=2)
    page = audit_log.page(plane, ADMIN, PLATFORM, query)
    assert ([one.seq for one in page.items], page.next != "") == ([5, 6], True)


def test_an_event_removed_by_hand_is_not_taken_for_one_that_left(plane: context.Plane, owner: sa.Engine) -> None:
    old(plane, owner, 2)
    write(plane, owner, 3)
    keep(plane, 400)
    retention.expire(plane)
    planes.seal(plane, owner)
    forge(owner, "DELETE FROM audit_events WHERE id = (SELECT event_id FROM audit_leaves WHERE seq = 3)")
    assert findings(plane) == ["place 3: the event was removed; its leaf is still there"]


def test_nothing_leaves_under_a_hold_or_without_a_term(plane: context.Plane, owner: sa.Engine) -> None:
    old(plane, owner, 2)
    write(plane, owner, 1)
    assert retention.expire(plane) == 0
    keep(plane, 400, hold="case 7")
    assert retention.expire(plane) == 0
    with engine.begin(plane.engine, access.Scope(access.PLATFORM_TENANT, access.SYSTEM)) as tx:
        assert tx.execute(sa.text("SELECT plane_expire(100, 100)")).scalar() == 0  # the database looks for itself
    with pytest.raises(errors.Invalid, match="at least 400"):
        keep(plane, 30)


def test_the_application_itself_deletes_no_event(plane: context.Plane, owner: sa.Engine) -> None:
    write(plane, owner, 1)
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    for statement in ("DELETE FROM audit_events", "SET LOCAL plane.expiring = 'yes'; DELETE FROM audit_events", "DELETE FROM audit_leaves"):
        with pytest.raises(exc.ProgrammingError, match="permission denied"), engine.begin(plane.engine, scope) as tx:
            tx.exec_driver_sql(statement)


def test_a_person_is_forgotten_and_the_log_is_still_proven(plane: context.Plane, owner: sa.Engine) -> None:
    write(plane, owner, 2, ADA)
    assert '"name":"ada"' in "".join(exported(plane))
    with owner.begin() as tx:
        assert b'ada"' not in b"".join(tx.execute(sa.text("SELECT body FROM audit_events")).scalars())
        row = {"tenant": access.PLATFORM_TENANT, "id": ADA.id}
        tx.execute(sa.text("INSERT INTO principals (tenant_id, id, name, kind) VALUES (:tenant, :id, 'ada', 'user')"), row)
    keep(plane, 0, hold="case 7")
    with pytest.raises(errors.Conflict, match="legal hold"):
        retention.erase(plane, ADMIN, authorise.Names(name="ada"))
    keep(plane, 0)
    retention.erase(plane, ADMIN, authorise.Names(name="ada"))
    planes.seal(plane, owner)
    text = "".join(exported(plane))
    assert ('"name":"ada"' in text, "192.0.2.7" in text, ADA.id in text) == (False, False, True)
    assert findings(plane) == []


def test_who_made_a_commit_is_forgotten_and_the_log_is_still_proven(plane: context.Plane, owner: sa.Engine) -> None:
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    people = (('Ana "}},"event":{', "Bo"), ("Bo", "Cy"), ("Cy", "Cy"))
    with engine.begin(plane.engine, scope) as tx:
        for number, (author, committer) in enumerate(people):
            told = sync_details.SyncStarted(trigger="t", generation=1, why="w", asked_by="a", author=author, committer=committer)
            record.append(plane, tx, scope, "app.sync.started", target=f"app/{number}", stage="intent", details=told)
    planes.seal(plane, owner)
    with owner.begin() as tx:
        assert not [body for body in tx.execute(sa.text("SELECT body FROM audit_events")).scalars() if b'"Bo"' in body]
    assert [(one.details["author"], one.details["committer"]) for one in shown(plane)] == list(people)
    assert findings(plane) == []
    keep(plane, 0, hold="case 7")
    with pytest.raises(errors.Conflict, match="legal hold"):
        retention.erase_authors(plane, ADMIN, PLATFORM, wire.Authors(authors=("Bo",)))
    keep(plane, 0)
    assert retention.erase_authors(plane, ADMIN, PLATFORM, wire.Authors(authors=("Bo",))).events == 2
    planes.seal(plane, owner)
    assert [one.details.get("author") for one in shown(plane)] == [None, None, "Cy"]
    assert (findings(plane), '"Bo"' in "".join(exported(plane))) == ([], False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("asked_by", "eve"),
        ("on_behalf_of", "person/eve"),
        ("approvals", (approvals.Approval(to="order", by="eve", by_id="7", at="2026-01-01T00:00:00Z"),)),
    ],
)
def test_somebody_is_forgotten_where_another_acted_and_the_log_is_still_proven(
    plane: context.Plane, owner: sa.Engine, field: str, value: object
) -> None:
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    told = sync_details.SyncStarted(trigger="t", generation=1, why="w", asked_by="bo")
    with engine.begin(plane.engine, scope) as tx:
        for details in (told, msgspec.structs.replace(told, **{field: value})):
            record.append(
                plane, tx, scope, "app.sync.started", target="app/web", stage="intent", message="asked for by eve", details=details
            )
        assert audit_terms.erase(tx, scope.tenant, ADA.id, "eve") == 1
    planes.seal(plane, owner)
    text = "".join(exported(plane))
    assert (text.count('"asked_by":"bo"'), '"eve"' in text, "person/eve" in text, findings(plane)) == (1, False, False, [])


@pytest.mark.parametrize("field", ["signed_by", "on_behalf_of"])
def test_whom_git_and_providers_name_is_forgotten(plane: context.Plane, owner: sa.Engine, field: str) -> None:
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    with engine.begin(plane.engine, scope) as tx:
        for name in ("SHA256:eve", "SHA256:bo"):
            told = msgspec.structs.replace(sync_details.SyncStarted(trigger="t", generation=1, why="w", asked_by="ci"), **{field: name})
            record.append(plane, tx, scope, "app.sync.started", target="app/web", stage="intent", details=told)
    assert retention.erase_authors(plane, ADMIN, PLATFORM, wire.Authors(authors=("SHA256:eve",))).events == 1
    planes.seal(plane, owner)
    text = "".join(exported(plane))
    assert ("SHA256:eve" in text, "SHA256:bo" in text, findings(plane)) == (False, True, [])


def shown(plane: context.Plane) -> list[audit.Event]:
    found = audit_log.page(plane, ADMIN, PLATFORM, wire.Query(type="app.sync.started")).items
    return sorted((one.event for one in found), key=lambda event: event.target)  # ids of one millisecond are in any order


def test_names_are_shown_while_they_are_there_and_an_altered_one_is_found(plane: context.Plane, owner: sa.Engine) -> None:
    write(plane, owner, 1, ADA)
    found = audit_log.page(plane, ADMIN, PLATFORM, wire.Query()).items[0].event.actor
    assert (found.name, found.ip, found.user_agent) == (ADA.name, ADA.ip, ADA.user_agent)
    assert findings(plane) == []
    told = json.dumps({"ip": ADA.ip, "name": "eve", "user_agent": ADA.user_agent}, separators=(",", ":"))
    forge(owner, f"UPDATE audit_personal SET body = '\\x{told.encode().hex()}' WHERE actor = '{ADA.id}'")  # noqa: S608 - a test's own
    assert findings(plane) == ["place 0: name or address of who did it was altered"]
