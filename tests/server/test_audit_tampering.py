"""Whoever owns the database can change the log, and the verifier says where. All of this is done as a superuser on a real Postgres."""

# ruff: noqa: S608 - the statements are this file's own

import json
import pathlib
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from plane.cli.auditing import verifier
from plane.domain import access
from plane.domain.auditing import audit, details, proof_checks
from plane.server import authorise, context, record
from plane.server.auditing import audit_log, exports
from plane.store import engine
from plane.store.auditing import audit_reading
from plane.wire import audit as wire
from tests.support import planes, verifying

PLATFORM = authorise.Names()
ADMIN = authorise.Caller(access.Actor(access.SYSTEM.id, "root", grants=(access.Grant("platform-admin"),)))
BATCHES = (3, 1, 5, 4)


@pytest.fixture
def log(plane: context.Plane, owner: sa.Engine) -> context.Plane:
    """The platform's log, with several signed states."""
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    number = 0
    for count in BATCHES:
        with engine.begin(plane.engine, scope) as tx:
            for _ in range(count):
                record.append(
                    plane,
                    tx,
                    scope,
                    "tenant.updated",
                    target=f"tenant/t{number}",
                    details=details.Written(after={"n": number, "at": 0.1 + number}),
                )
                number += 1
        planes.seal(plane, owner)
    return plane


def exported(plane: context.Plane, **asked: str) -> list[str]:
    """The export as lines; the log is the whole one, that of the export itself included."""
    query = wire.Export(since="1970-01-01T00:00:00Z", **asked)  # type: ignore[arg-type]  # texts of the query
    stretch = exports.plan(plane, ADMIN, PLATFORM, query)
    return b"".join(exports.lines(plane, ADMIN, PLATFORM, stretch)).decode().splitlines()


def findings(plane: context.Plane) -> list[str]:
    return verifying.verified(exported(plane)).findings


def forge(owner: sa.Engine, *statements: str) -> None:
    """As a superuser who goes around triggers."""
    with owner.begin() as tx:
        tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            tx.execute(sa.text(statement))


def place(number: int) -> str:
    return f"(SELECT event_id FROM audit_leaves WHERE seq = {number})"


def body_of(owner: sa.Engine, number: int) -> bytes:
    with owner.begin() as tx:
        return bytes(tx.execute(sa.text(f"SELECT body FROM audit_events WHERE id = {place(number)}")).scalar_one())


def rewrite(owner: sa.Engine, number: int, *, with_leaf: bool) -> None:
    """Another text in place of an event's, and its leaf with it for who knows how the log is made."""
    body = body_of(owner, number).replace(b'"tenant/t', b'"tenant/x')
    forge(owner, f"UPDATE audit_events SET body = '\\x{body.hex()}' WHERE id = {place(number)}")
    if with_leaf:
        forge(owner, f"UPDATE audit_leaves SET leaf = '\\x{audit.leaf_of(body).hex()}' WHERE seq = {number}")


def test_a_log_that_nobody_touched_is_in_order(log: context.Plane, owner: sa.Engine) -> None:
    report = verifying.verified(exported(log))
    assert (report.findings, report.complete) == ([], "every event between its ends is in the file")
    assert report.events >= sum(BATCHES)


def test_an_altered_event_is_named(log: context.Plane, owner: sa.Engine) -> None:
    rewrite(owner, 5, with_leaf=False)
    assert findings(log) == ["place 5: the event was altered: its text does not give its leaf"]


def test_two_altered_events_far_apart_are_both_named(log: context.Plane, owner: sa.Engine) -> None:
    rewrite(owner, 1, with_leaf=False)
    rewrite(owner, 10, with_leaf=False)
    assert [found.split(":")[0] for found in findings(log)] == ["place 1", "place 10"]


def test_an_event_altered_with_its_leaf_is_found_between_signed_states(log: context.Plane, owner: sa.Engine) -> None:
    rewrite(owner, 5, with_leaf=True)
    together = "events were altered, removed, inserted or reordered together with their leaves"
    assert findings(log) == [f"between the signed states at 4 and 9 {together}"]


def test_an_earlier_export_names_the_event_altered_with_its_leaf(log: context.Plane, owner: sa.Engine, tmp_path: pathlib.Path) -> None:
    (tmp_path / "earlier.jsonl").write_text("\n".join(exported(log)))
    known = verifier.leaves(verifier.parts_of(str(tmp_path / "earlier.jsonl")))
    rewrite(owner, 5, with_leaf=True)
    assert verifying.verified(exported(log), (), known).findings[0].startswith("place 5: the leaf is another than in the earlier export")


def test_an_altered_leaf_is_named(log: context.Plane, owner: sa.Engine) -> None:
    forge(owner, "UPDATE audit_leaves SET leaf = sha256('x') WHERE seq = 6")
    assert findings(log) == ["place 6: the leaf was altered; the event is as it was sealed"]


def test_a_removed_event_is_named(log: context.Plane, owner: sa.Engine) -> None:
    forge(owner, f"DELETE FROM audit_events WHERE id = {place(7)}")
    assert findings(log) == ["place 7: the event was removed; its leaf is still there"]


def test_an_event_removed_with_its_leaf_is_named(log: context.Plane, owner: sa.Engine) -> None:
    forge(owner, f"DELETE FROM audit_events WHERE id = {place(7)}", "DELETE FROM audit_leaves WHERE seq = 7")
    assert findings(log) == ["the events at places 7 to 7 are missing: removed"]


def test_an_event_removed_with_the_rest_moved_up_is_found(log: context.Plane, owner: sa.Engine) -> None:
    forge(
        owner,
        f"DELETE FROM audit_events WHERE id = {place(7)}",
        "DELETE FROM audit_leaves WHERE seq = 7",
        "UPDATE audit_leaves SET seq = seq + 1000 WHERE seq > 7",
        "UPDATE audit_leaves SET seq = seq - 1001 WHERE seq > 1000",
    )
    assert any(found.startswith("between the signed states at 4 and 9") for found in findings(log))


def test_two_events_in_each_others_place_are_named(log: context.Plane, owner: sa.Engine) -> None:
    forge(
        owner,
        "UPDATE audit_leaves SET seq = 1005 WHERE seq = 5",
        "UPDATE audit_leaves SET seq = 5 WHERE seq = 8",
        "UPDATE audit_leaves SET seq = 8 WHERE seq = 1005",
    )
    assert findings(log) == ["places 5 and 8: the events were put in each other's place"]


def test_an_inserted_event_is_found_by_the_database_itself(log: context.Plane, owner: sa.Engine) -> None:
    forge(owner, f"INSERT INTO audit_events SELECT (jsonb_populate_record(e, '{{\"id\": \"{access.SYSTEM.id}\"}}')).* FROM audit_events e "
                 f"WHERE id = {place(7)}")  # fmt: skip
    assert audit_log.check(log, ADMIN, PLATFORM, wire.CheckQuery()).strays == (access.SYSTEM.id,)
    assert findings(log) == []


def test_an_event_inserted_among_the_others_is_found(log: context.Plane, owner: sa.Engine) -> None:
    forge(
        owner,
        "UPDATE audit_leaves SET seq = seq + 1000 WHERE seq >= 7",
        "UPDATE audit_leaves SET seq = seq - 999 WHERE seq >= 1000",
        f'INSERT INTO audit_events SELECT (jsonb_populate_record(e, \'{{"id": "{access.SYSTEM.id}"}}\')).* FROM audit_events e '
        f"WHERE id = {place(3)}",
        f'INSERT INTO audit_leaves SELECT (jsonb_populate_record(l, \'{{"seq": 7, "event_id": "{access.SYSTEM.id}"}}\')).* '
        "FROM audit_leaves l WHERE seq = 3",
    )
    with engine.begin(log.engine, access.Scope(access.PLATFORM_TENANT, access.SYSTEM)) as tx:
        assert "only 13 were signed for" in audit_reading.cut(tx, access.PLATFORM_TENANT)


def test_a_state_signed_by_another_key_is_not_trusted(log: context.Plane, owner: sa.Engine) -> None:
    lines = exported(log)
    key = next(iter(verifying.verified(lines).keys))
    assert verifying.verified(lines, [key]).findings == []
    other = key.rpartition("+")[0] + "+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    assert all("not a key that you trust" in found for found in verifying.verified(lines, [other]).findings)


def test_a_forged_state_is_found(log: context.Plane, owner: sa.Engine) -> None:
    forge(owner, "UPDATE audit_checkpoints SET root = repeat('0', 64) WHERE size = 9")
    assert any("the signature of the state at 9 does not hold" in found for found in findings(log))


def test_a_log_put_back_to_an_older_state_is_found(log: context.Plane, owner: sa.Engine) -> None:
    forge(owner, "DELETE FROM audit_leaves WHERE seq >= 9", "DELETE FROM audit_events WHERE id NOT IN (SELECT event_id FROM audit_leaves)")
    assert "13 events were signed for and only 9 have a place" in audit_log.check(log, ADMIN, PLATFORM, wire.CheckQuery()).cut


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:2] + lines[3:], "are missing: removed"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], "it was inserted, or the lines were reordered"),
        (lambda lines: [*lines[:1], lines[2], lines[1], *lines[3:]], "it was inserted, or the lines were reordered"),
        (lambda lines: [lines[0], lines[1].replace("tenant/t", "tenant/x"), *lines[2:]], "place 1: the event was altered"),
        (lambda lines: lines[:-1], "the file has no manifest"),
        (lambda lines: [*lines[:-2], lines[-1]], "the file ends at"),
        (lambda lines: [*lines[:3], "{}", *lines[3:]], "a line that no export has"),
        (lambda lines: [line.replace('"events":', '"events":9') for line in lines], "the signature of the manifest does not hold"),
    ],
    ids=["removed", "inserted", "reordered", "altered", "cut", "state removed", "garbage", "manifest"],
)
def test_a_changed_file_is_found(log: context.Plane, change: Callable[[list[str]], list[str]], said: str) -> None:
    assert any(said in found for found in verifying.verified(change(exported(log))).findings)


def test_a_filtered_file_is_proven_row_by_row_and_by_count(log: context.Plane, owner: sa.Engine) -> None:
    planes.seal(log, owner)
    report = verifying.verified(exported(log, target="tenant/t7"))
    assert report.findings == []
    assert report.complete == "the signed counts say 1 events of target tenant/t7, and the file holds 1"


def test_an_event_left_out_of_a_filtered_file_is_missed_by_the_signed_count(log: context.Plane, owner: sa.Engine) -> None:
    forge(owner, "UPDATE audit_leaves SET target = 'tenant/other' WHERE target = 'tenant/t7'")
    assert any("the file is not complete" in found for found in verifying.verified(exported(log, target="tenant/t7")).findings)


def test_an_export_that_broke_off_goes_on_with_the_same_bytes(log: context.Plane, owner: sa.Engine) -> None:
    for asked in ({}, {"type": "tenant.updated", "target": "tenant/t7"}):
        whole = exported(log, **asked)
        cut = next(n for n, line in enumerate(whole) if '"checkpoint":{' in line and json.loads(line)["checkpoint"]["size"] == 9)
        end = json.loads(whole[-1])["manifest"]["end"]
        query = wire.Export(since="1970-01-01T00:00:00Z", end=end, resume=9, **asked)  # type: ignore[arg-type]  # texts of the query
        rest = exports.lines(log, ADMIN, PLATFORM, exports.plan(log, ADMIN, PLATFORM, query), resume=9)
        assert b"".join(rest).decode().splitlines() == whole[cut + 1 :]


def test_a_proof_of_inclusion_and_of_continuation_convinces(log: context.Plane, owner: sa.Engine) -> None:
    found = audit_log.inclusion(log, ADMIN, PLATFORM, wire.InclusionQuery(seq=5))
    path = [bytes.fromhex(one) for one in found.path]
    assert proof_checks.included(bytes.fromhex(found.leaf), 5, found.size, path).hex() == found.root == found.checkpoint.root
    told = audit_log.consistency(log, ADMIN, PLATFORM, wire.ConsistencyQuery(old=4))
    states = (4, bytes.fromhex(told.old_root)), (told.size, bytes.fromhex(told.root))
    assert proof_checks.continues(*states, [bytes.fromhex(one) for one in told.path])


def test_a_log_of_thousands_uses_its_stored_nodes(plane: context.Plane, owner: sa.Engine) -> None:
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    with engine.begin(plane.engine, scope) as tx:
        for number in range(1500):
            record.append(plane, tx, scope, "tenant.updated", target=f"tenant/t{number}")
    planes.seal(plane, owner)
    found = audit_log.inclusion(plane, ADMIN, PLATFORM, wire.InclusionQuery(seq=777))
    path = [bytes.fromhex(one) for one in found.path]
    assert proof_checks.included(bytes.fromhex(found.leaf), 777, 1500, path).hex() == found.checkpoint.root
    assert verifying.verified(exported(plane, target="tenant/t1200")).findings == []
