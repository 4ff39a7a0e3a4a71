"""No room for the sealer's rows, in a real Postgres: what was written stays, nothing is half sealed, and all goes on when there is room."""

import contextlib
import pathlib
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from plane.domain import errors
from plane.server import context, record
from plane.server.auditing import seal_log
from plane.store import engine
from tests.server.test_audit_tampering import exported
from tests.server.test_send import SCOPE
from tests.support import planes, verifying

EVENTS = 3000


@pytest.fixture
def disk(owner: sa.Engine) -> Iterator[pathlib.Path]:
    """The leaves lie on a disk of their own, of which Postgres is the owner; mounting takes root, as in a container."""
    space = f"small_{uuid.uuid4().hex}"
    with tempfile.TemporaryDirectory(prefix="plane-leaves-") as name, owner.connect() as one:
        tx = one.execution_options(isolation_level="AUTOCOMMIT")
        pathlib.Path(name).chmod(0o755)
        subprocess.run([str(shutil.which("mount")), "-t", "tmpfs", "-o", "size=192k", "tmpfs", name], check=True)
        with contextlib.ExitStack() as stack:
            stack.callback(subprocess.run, [str(shutil.which("umount")), "--lazy", name], check=True)
            folder = pathlib.Path(name)
            home = pathlib.Path(tx.execute(sa.text("SHOW data_directory")).scalar_one()).stat()
            shutil.chown(folder, home.st_uid, home.st_gid)
            tx.execute(sa.text(f"CREATE TABLESPACE {space} LOCATION '{name}'"))
            stack.callback(tx.execute, sa.text(f"DROP TABLESPACE {space}"))
            tx.execute(sa.text(f"ALTER TABLE audit_leaves SET TABLESPACE {space}"))
            stack.callback(tx.execute, sa.text("ALTER TABLE audit_leaves SET TABLESPACE pg_default"))
            yield folder


def counts(owner: sa.Engine) -> tuple[int, int]:
    """How many leaves there are, and how many events the newest state holds."""
    with owner.begin() as tx:
        leaves = tx.execute(sa.text("SELECT count(*) FROM audit_leaves")).scalar_one()
        return leaves, tx.execute(sa.text("SELECT coalesce(max(size), 0) FROM audit_checkpoints")).scalar_one()


def test_a_sealer_without_room_seals_nothing_by_halves_and_goes_on(plane: context.Plane, owner: sa.Engine, disk: pathlib.Path) -> None:
    with engine.begin(plane.engine, SCOPE) as tx:
        for number in range(EVENTS):
            record.append(plane, tx, SCOPE, "tenant.updated", target=f"tenant/t{number}")
    with pytest.raises(errors.BackendDown, match="disk is full"):
        planes.seal(plane, owner)
    leaves, signed = counts(owner)
    assert leaves == signed < EVENTS
    with pytest.raises(errors.BackendDown, match="disk is full"):
        seal_log.seal(plane, SCOPE.tenant)
    subprocess.run([str(shutil.which("mount")), "-o", "remount,size=64m", str(disk)], check=True)
    planes.seal(plane, owner)
    assert counts(owner) == (EVENTS, EVENTS)
    found = verifying.verified(exported(plane))
    assert (found.findings, found.events) == ([], EVENTS + 1)  # the export's own event with them
