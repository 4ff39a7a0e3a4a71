"""A time-stamping authority says when signed states were there; this one is a program of its own, by real TLS."""

import base64
import datetime as dt
import ipaddress
import pathlib
from collections.abc import Iterator

import msgspec
import pytest
import sqlalchemy as sa

from plane.adapters import reach
from plane.adapters.sinks import timestamps
from plane.adapters.trusting import stamps
from plane.domain import access
from plane.domain.auditing import audit, details
from plane.server import context
from plane.store import engine
from plane.store.auditing import audit_reading
from tests.server.test_send import SCOPE, add, again, drain, status, write
from tests.support import far_ends, stamping

WAY = reach.Reach((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")))


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Iterator[stamping.Authority]:
    with stamping.authority(tmp_path / "authority") as one:
        yield one


@pytest.fixture
def far(tmp_path: pathlib.Path, authority: stamping.Authority) -> Iterator[far_ends.FarEnd]:
    with far_ends.http_end(tmp_path, dt.datetime.now(dt.UTC)) as end:
        end.answer = authority.answer
        yield end


@pytest.fixture
def log(plane: context.Plane, owner: sa.Engine, far: far_ends.FarEnd, authority: stamping.Authority) -> context.Plane:
    """The platform's log, with that witness."""
    plane = msgspec.structs.replace(plane, sinks={"timestamp": timestamps.TimestampSink(WAY)})
    spec = {"url": f"https://localhost:{far.port}/tsa", "caPem": far.ca_pem, "authorityPem": authority.pem}
    add(plane, owner, {"timestamp": spec})
    return plane


def sent(plane: context.Plane, owner: sa.Engine, count: int = 1) -> None:
    write(plane, owner, count)
    again(owner)
    drain(plane)
    write(plane, owner, 0)


def kept(plane: context.Plane) -> list[details.Stamped]:
    """The stamps in the log."""
    with engine.begin(plane.engine, access.Scope(access.PLATFORM_TENANT, access.SYSTEM)) as tx:
        found = audit_reading.search(tx, SCOPE.tenant, audit_reading.Asked(types=(audit.STAMPED,)), cursor=-1, limit=100)
    return [msgspec.convert(one.event.details, details.Stamped) for one in found]


def test_the_log_keeps_a_stamp_that_others_can_verify(log: context.Plane, owner: sa.Engine, authority: stamping.Authority) -> None:
    sent(log, owner)
    [one] = kept(log)
    assert (one.size, one.note.splitlines()[1]) == (2, "2")
    assert authority.holds(one.note, base64.b64decode(one.stamp))
    assert not authority.holds(one.note.replace("\n2\n", "\n3\n"), base64.b64decode(one.stamp))
    assert stamps.verify(base64.b64decode(one.stamp), one.note.encode(), authority.pem).isoformat().replace("+00:00", "Z") == one.stamped_at


def test_a_stamp_calls_for_no_other(log: context.Plane, owner: sa.Engine, far: far_ends.FarEnd) -> None:
    sent(log, owner)
    sent(log, owner, 0)
    sent(log, owner, 0)
    assert (len(far.requests), status(log).behind) == (1, 0)
    sent(log, owner)
    assert len(far.requests) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: (503, b"away"), "answered 503"),
        (lambda _: (400, b"no"), "answered 400"),
        (lambda _: (200, b"<html>"), "the stamp does not hold"),
        (lambda body: (200, body[:-9]), "the stamp does not hold"),
    ],
    ids=["away", "refused", "no stamp", "cut"],
)
def test_without_a_stamp_the_sink_is_behind(
    log: context.Plane, owner: sa.Engine, far: far_ends.FarEnd, authority: stamping.Authority, answer: object, said: str
) -> None:
    far.answer = lambda got: answer(authority.answer(got)[1])  # type: ignore[operator]  # one of those above
    sent(log, owner)
    assert status(log).behind == 2
    assert said in status(log).problem
    assert kept(log) == []


def test_an_old_stamp_is_not_taken_for_a_new_state(
    log: context.Plane, owner: sa.Engine, far: far_ends.FarEnd, authority: stamping.Authority
) -> None:
    sent(log, owner)
    old = base64.b64decode(kept(log)[0].stamp)
    far.answer = lambda _: (200, old)
    sent(log, owner)
    assert "the stamp does not hold" in status(log).problem


def test_an_authority_that_nobody_vouches_for_is_not_taken(
    log: context.Plane, owner: sa.Engine, far: far_ends.FarEnd, tmp_path: pathlib.Path
) -> None:
    with stamping.authority(tmp_path / "other") as other:
        far.answer = other.answer
        sent(log, owner)
    assert "the stamp does not hold" in status(log).problem
