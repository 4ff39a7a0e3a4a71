"""The sealer gives every committed event one place, whoever writes beside it, whenever it dies, and whatever the clock says."""

import concurrent.futures
import contextlib
import datetime as dt
import itertools
import json
import pathlib
import subprocess
import sys
import threading

import msgspec
import pytest
import sqlalchemy as sa

from plane.adapters.trusting import log_keys, signer
from plane.domain import access
from plane.server import context, record
from plane.server.auditing import seal_log
from plane.store import engine
from tests.server.test_audit_tampering import exported, findings
from tests.server.test_retention import write
from tests.support import planes, verifying

SCOPE = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
WRITERS, ROUNDS = 4, 12


class Undone(Exception):
    """What a writer changes its mind with."""


def places(owner: sa.Engine) -> tuple[list[int], int, int]:
    """What somebody who knows SQL alone sees: the places in order, how many events have one, and how many have none."""
    with owner.begin() as tx:
        seqs = tx.execute(sa.text("SELECT seq FROM audit_leaves ORDER BY seq")).scalars().all()
        placed = tx.execute(
            sa.text("SELECT count(DISTINCT e.id) FROM audit_events e JOIN audit_leaves l ON l.event_id = e.id")
        ).scalar_one()
        left = "SELECT count(*) FROM audit_events e WHERE NOT EXISTS (SELECT FROM audit_leaves l WHERE l.event_id = e.id)"
        return list(seqs), int(placed), int(tx.execute(sa.text(left)).scalar_one())


def test_writers_with_long_transactions_leave_no_gap_and_no_duplicate(plane: context.Plane, owner: sa.Engine) -> None:
    written = itertools.count()
    done = threading.Event()

    def one(writer: int) -> int:
        """Short transactions, others that stay open over those of the other writers, and some that are undone."""
        count = 0
        for turn in range(ROUNDS):
            with contextlib.suppress(Undone), engine.begin(plane.engine, SCOPE) as tx:
                record.append(plane, tx, SCOPE, "tenant.updated", target=f"tenant/w{writer}-{turn}")
                before = next(written)
                while turn % 4 == writer and next(written) < before + 3 * WRITERS:  # open while the others commit
                    seal_log.seal_all(plane)
                record.append(plane, tx, SCOPE, "tenant.updated", target=f"tenant/w{writer}-{turn}-later")
                if turn % 5 == writer:
                    raise Undone
                count += 2
        return count

    def seal() -> None:
        while not done.is_set():
            seal_log.seal_all(plane)

    with concurrent.futures.ThreadPoolExecutor(WRITERS + 2) as threads:
        sealers = [threads.submit(seal) for _ in range(2)]
        committed = sum(threads.map(one, range(WRITERS)))
        done.set()
        assert [sealer.result() for sealer in sealers] == [None, None]
    planes.seal(plane, owner)
    seqs, placed, left = places(owner)
    assert (seqs, placed, left) == (list(range(committed)), committed, 0)
    assert findings(plane) == []


def test_a_sealer_killed_at_any_step_loses_and_doubles_nothing(
    plane: context.Plane, owner: sa.Engine, database_url: str, tmp_path: pathlib.Path
) -> None:
    signer.create(tmp_path / "key.pem")
    plane = msgspec.structs.replace(plane, log_signer=log_keys.Files([signer.FileSigner(tmp_path / "key.pem")]))
    with engine.begin(plane.engine, SCOPE) as tx:
        for number in range(20):
            record.append(plane, tx, SCOPE, "tenant.updated", target=f"tenant/t{number}")
    script = pathlib.Path(__file__).with_name("killed_sealer.py")
    done = subprocess.run(
        [sys.executable, str(script), database_url, str(tmp_path / "key.pem")], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 8
    planes.seal(plane, owner)
    seqs, placed, left = places(owner)
    assert (seqs, placed, left) == (list(range(20)), 20, 0)
    assert findings(plane) == []


@pytest.mark.parametrize("jump", [dt.timedelta(days=-366), dt.timedelta(hours=-1), dt.timedelta(days=366)], ids=str)
def test_a_clock_that_jumps_changes_no_place(plane: context.Plane, owner: sa.Engine, jump: dt.timedelta) -> None:
    clock = plane.clock
    assert isinstance(clock, planes.MovableClock)
    write(plane, owner, 1)
    clock.ahead += jump
    write(plane, owner, 1)
    clock.ahead -= jump
    write(plane, owner, 1)
    lines = exported(plane)
    times = [dt.datetime.fromisoformat(json.loads(line)["event"]["event"]["time"]) for line in lines if '"tenant.updated"' in line]
    assert [round((time - times[0]) / jump) for time in times] == [0, 1, 0]
    assert verifying.verified(lines).findings == []
