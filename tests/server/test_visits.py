"""Log-ins, refusals, looks at the log and the lives of programs are in the log, each kind without flooding it."""

import itertools

import pytest

from plane.domain import access, errors
from plane.server import authorise, entry, recent
from plane.server.auditing import audit_log, visits
from plane.store import engine
from plane.store.people import people, tokens
from plane.wire import audit as wire
from tests.server.test_journals import logged
from tests.support import planes

BAD = "gp_user_wrong"


def refused(fleet: planes.Fleet, token: str, ip: str = "192.0.2.7") -> None:
    with pytest.raises(errors.Unauthenticated):
        visits.admit(fleet.plane, token, entry.Origin(ip))


def token(fleet: planes.Fleet) -> str:
    secret, person = authorise.new_secret("user"), fleet.plane.clock.id()
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        people.add(tx, fleet.tenant, identity=person, name="ada", kind="user")
        row = {"id": fleet.plane.clock.id(), "principal_id": person, "name": "cli", "prefix": "x", "hash": authorise.hashed(secret)}
        tokens.add(tx, fleet.tenant, row | {"expires_at": "2100-01-01T00:00:00Z"})
    return secret


def test_a_log_in_is_told_once_for_a_token_and_an_address(fleet: planes.Fleet) -> None:
    secret = token(fleet)
    for ip in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        assert visits.admit(fleet.plane, secret, entry.Origin(ip)).name == "ada"
    assert [(one.type, one.target) for one in logged(fleet, fleet.tenant)] == [("access.login", "user/ada")] * 2
    assert logged(fleet) == []


def test_refused_tokens_are_told_at_once_and_then_in_sums(fleet: planes.Fleet) -> None:
    refused(fleet, BAD)
    for number in range(500):
        refused(fleet, authorise.new_secret("user") if number % 2 else BAD, ip=f"192.0.2.{number % 3}")
    assert len(logged(fleet)) == 1
    visits.tell_refused(fleet.plane, at_once=True)
    first, then = logged(fleet)
    assert (first.type, first.outcome, first.details["count"]) == ("access.login.refused", "denied", 1)
    assert then.details["count"] == 500
    assert then.details["reasons"] == {"the token is not one of this plane's": 250, "the token is unknown": 250}
    assert sum(then.details["addresses"].values()) == 500
    assert BAD not in str(then)


def test_sums_of_refusals_get_rarer_while_they_go_on() -> None:
    now, told = 1000.0, list[float]()
    memory = recent.Recent(lambda: now)
    for _ in range(24 * 3600):
        memory.refused("the token is unknown", "192.0.2.7")
        if memory.sum():
            told.append(now)
        now += 1.0
    assert len(told) < 40
    assert told[1] - told[0] <= 2 * recent.FIRST_S
    assert max(b - a for a, b in itertools.pairwise(told)) <= recent.LONGEST_S + 1


def test_a_look_at_the_log_is_told_once_and_another_look_again(fleet: planes.Fleet) -> None:
    admin = access.Actor(fleet.plane.clock.id(), "ada", grants=(access.Grant("admin", fleet.tenant),))
    for query in (wire.Query(type="app.*"), wire.Query(type="app.*"), wire.Query(actor=admin.id)):
        audit_log.page(fleet.plane, authorise.Caller(admin), authorise.Names(fleet.names["tenant"]), query)
    read = [one.details for one in logged(fleet, fleet.tenant)]
    assert read == [{"how": "search", "filters": {"type": "app.*"}}, {"how": "search", "filters": {"actor": admin.id}}]


def test_programs_tell_of_their_start_and_their_stop(fleet: planes.Fleet) -> None:
    for kind in ("plane.started", "plane.stopped"):
        visits.life(fleet.plane, kind, "worker")
    assert [(one.type, one.target) for one in logged(fleet)] == [("plane.started", "program/worker"), ("plane.stopped", "program/worker")]
