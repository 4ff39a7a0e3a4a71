"""Searches by time look at the places that can have it alone, and still miss nothing, however the clocks went."""

import datetime as dt
from typing import Literal

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access, errors
from plane.server import context, record
from plane.server.auditing import audit_log
from plane.store import engine
from plane.wire import audit as wire
from tests.server.test_audit_tampering import ADMIN, PLATFORM, forge
from tests.support import planes

SCOPE = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
HOUR = dt.timedelta(hours=1)


def written(plane: context.Plane, owner: sa.Engine, *ahead: dt.timedelta) -> dict[str, dt.datetime]:
    """One event for each, by a clock that is so far ahead; target → when."""
    assert isinstance(plane.clock, planes.MovableClock)
    times = {}
    for number, each in enumerate(ahead):
        plane.clock.ahead = each
        times[f"tenant/t{number}"] = plane.clock.now()
        with engine.begin(plane.engine, SCOPE) as tx:
            record.append(plane, tx, SCOPE, "tenant.updated", target=f"tenant/t{number}")
        planes.seal(plane, owner)
    plane.clock.ahead = dt.timedelta()
    return times


def found(plane: context.Plane, **asked: object) -> set[str]:
    query = wire.Query(**asked)  # type: ignore[arg-type]  # fields of the query
    return {one.event.target for one in audit_log.page(plane, ADMIN, PLATFORM, query).items}


def test_events_of_clocks_that_jumped_are_found_by_their_time(plane: context.Plane, owner: sa.Engine) -> None:
    year = dt.timedelta(days=365)
    times = written(plane, owner, -2 * HOUR, year, -year, HOUR * 0, -HOUR, year, HOUR)
    for since in times.values():
        wanted = {target for target, at in times.items() if at >= since}
        assert found(plane, since=since.isoformat()) == wanted
        assert found(plane, since=since.isoformat(), order="newest") == wanted
    for until in times.values():
        earlier = {target for target, at in times.items() if at < until}
        assert found(plane, since="1970-01-01", until=until.isoformat(), order="newest") == earlier


def test_types_are_asked_for_by_name_and_by_what_they_are_below(plane: context.Plane, owner: sa.Engine) -> None:
    written(plane, owner, HOUR * 0)
    with engine.begin(plane.engine, SCOPE) as tx:
        record.append(plane, tx, SCOPE, "sink.replayed", target="sink/siem")
        record.append(plane, tx, SCOPE, "sink.updated", target="sink/other")
    planes.seal(plane, owner)
    for words, wanted in (
        ("tenant.updated", {"tenant/t0"}),
        ("sink.*", {"sink/siem", "sink/other"}),
        ("sink.replayed, tenant.*", {"sink/siem", "tenant/t0"}),
        ("app.*", set()),
        ("app.*,sink.upd*", {"sink/other"}),
    ):
        assert found(plane, type=words) == wanted, words
    for asked in ({"type": "app.*,sink."}, {"target": "web"}):
        with pytest.raises(errors.Invalid, match=r"did you mean sink\.\*|must be KIND/NAME, as app/web"):
            found(plane, **asked)


def test_the_hours_of_a_log_are_another_tenants_business(plane: context.Plane, owner: sa.Engine) -> None:
    written(plane, owner, -HOUR)
    with engine.begin(plane.engine, access.Scope("01a1fdeb-1c13-7a73-85f1-76ab07c7be0e", access.SYSTEM)) as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM audit_hours")).scalar_one() == 0


def test_a_log_is_looked_through_a_stretch_at_a_time(plane: context.Plane, owner: sa.Engine) -> None:
    written(plane, owner, *[HOUR * 0] * 7)
    forge(
        owner,
        "INSERT INTO audit_events (tenant_id, id, at, type, body, xid) SELECT tenant_id, gen_random_uuid(), at, type, body, xid "
        "FROM audit_events ORDER BY xid LIMIT 5",
    )
    strays: list[str] = []
    found, looked = wire.Check(next="begin"), 0
    while found.next:
        cursor = "" if found.next == "begin" else found.next
        found = audit_log.check(plane, ADMIN, PLATFORM, wire.CheckQuery(cursor=cursor, limit=3))
        strays += found.strays
        looked += found.looked
    assert (len(set(strays)), len(strays), looked) == (5, 5, 12)
    with pytest.raises(errors.Invalid, match="not one that this plane gave"):
        audit_log.check(plane, ADMIN, PLATFORM, wire.CheckQuery(cursor="bm9uc2Vuc2U"))


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_a_search_goes_on_behind_events_that_somebody_removed(
    plane: context.Plane, owner: sa.Engine, order: Literal["oldest", "newest"]
) -> None:
    written(plane, owner, *[HOUR * 0] * 7)
    forge(owner, "DELETE FROM audit_events WHERE target IN ('tenant/t2', 'tenant/t3', 'tenant/t4')")
    query = wire.Query(type="tenant.updated", limit=3, order=order)
    first = audit_log.page(plane, ADMIN, PLATFORM, query)
    rest = audit_log.page(plane, ADMIN, PLATFORM, msgspec.structs.replace(query, cursor=first.next))
    targets = [[one.event.target for one in page.items] for page in (first, rest)]
    assert targets == (
        [["tenant/t0", "tenant/t1", "tenant/t5"], ["tenant/t6"]]
        if order == "oldest"
        else [["tenant/t6", "tenant/t5", "tenant/t1"], ["tenant/t0"]]
    )


def test_one_things_events_of_a_type_come_page_after_page(plane: context.Plane, owner: sa.Engine) -> None:
    with engine.begin(plane.engine, SCOPE) as tx:
        for number in range(12):
            record.append(plane, tx, SCOPE, ("sink.updated", "sink.replayed")[number % 2], target=f"sink/s{number % 3}")
    planes.seal(plane, owner)
    query = wire.Query(type="sink.updated", target="sink/s0", limit=1, order="newest")
    first = audit_log.page(plane, ADMIN, PLATFORM, query)
    rest = audit_log.page(plane, ADMIN, PLATFORM, msgspec.structs.replace(query, cursor=first.next))
    found = [*first.items, *rest.items]  # of one transaction and perhaps one millisecond: their order is any, but the same on both pages
    assert [(one.event.type, one.event.target) for one in found] == [("sink.updated", "sink/s0")] * 2
    assert (len(first.items), rest.next) == (1, "")
    assert found[0].seq > found[1].seq
