"""Exports that break off in the middle, however that comes: whoever waits is told, and --resume ends with the same bytes."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from plane.adapters.trusting import signer
from plane.cli import failures
from plane.domain.auditing import details
from plane.server import record
from plane.server.auditing import exports
from plane.store import engine
from tests.cli import conftest
from tests.support import dying_server, planes

STATES, EVENTS = 8, 3
BEGINNING = "1970-01-01T00:00:00Z"
STEP = 37  # calls between two deaths


@pytest.fixture
def log(shop: planes.Fleet, monkeypatch: pytest.MonkeyPatch) -> planes.Fleet:
    """Many signed states, in pieces of a few rows."""
    monkeypatch.setattr(exports, "PIECE", dying_server.ROWS)
    monkeypatch.setattr(exports, "BATCH", dying_server.ROWS)
    for number in range(STATES):
        with engine.begin(shop.plane.engine, shop.scope) as tx:
            for _ in range(EVENTS):
                told = details.Written(after={"n": number})
                record.append(shop.plane, tx, shop.scope, "app.updated", target=f"app/a{number}", details=told, message="m" * 1500)
        planes.seal(shop.plane, shop.owner)
    return shop


def whole(address: str, token: str | None, file: pathlib.Path) -> bytes:
    """What an export to the state that the file ends with gives when nothing breaks."""
    end = json.loads(file.read_bytes().splitlines()[-1])["manifest"]["end"]
    asked: dict[str, str | int] = {"since": BEGINNING, "end": end}
    place = f"{address}/api/v1/tenants/acme/audit/export"
    answer = httpx.get(place, params=asked, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    return answer.raise_for_status().content


@contextlib.contextmanager
def servers(url: str, key: pathlib.Path, *deaths: int) -> Iterator[str]:
    """Where servers are that die one after the other."""
    command = [sys.executable, "-m", "tests.support.dying_server", url, str(key), *map(str, deaths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        try:
            assert running.stdout
            yield f"http://127.0.0.1:{running.stdout.readline().strip()}"
        finally:
            os.killpg(running.pid, signal.SIGKILL)


def test_an_export_outlives_a_server_that_is_killed_in_the_middle_of_it(
    log: planes.Fleet, run: conftest.Run, environment: dict[str, str | None], database_url: str, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "audit.jsonl"
    signer.create(tmp_path / "key.pem")
    with servers(database_url, tmp_path / "key.pem", 5) as address:
        environment |= {"PLANE_URL": address}
        said = run("audit", "export", "--since", BEGINNING, "-o", str(file), code=failures.AWAY).stderr
        assert said.endswith("  the file ends where the export broke off: it goes on there with --resume\n")
        run("audit", "export", "--resume", "-o", str(file))
        assert file.read_bytes() == whole(address, environment["PLANE_TOKEN"], file)
    assert sorted(tmp_path.glob("audit*")) == [file]


def test_an_export_killed_anywhere_goes_on_and_ends_the_same(
    log: planes.Fleet, api: str, environment: dict[str, str | None], tmp_path: pathlib.Path
) -> None:
    command = [sys.executable, "-m", "tests.support.dying_export", str(tmp_path), str(STEP)]
    known = {**os.environ, **{name: value for name, value in environment.items() if value is not None}}
    done = subprocess.run(command, env=known, capture_output=True, text=True, check=True, timeout=120)
    said = done.stdout.split("\n")[:-1]
    assert set(said) == {"resumed", "begun again"}
    assert len(said) > 3
    files = [tmp_path / str(number) for number in range(len(said))]
    assert [file.name for file in files if file.read_bytes() != whole(api, environment["PLANE_TOKEN"], file)] == []


@contextlib.contextmanager
def small_disk(folder: pathlib.Path) -> Iterator[None]:
    """Of 16 KiB; mounting takes root, as in a container."""
    folder.mkdir()
    subprocess.run([str(shutil.which("mount")), "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run([str(shutil.which("umount")), "--lazy", str(folder)], check=True)


def test_a_full_disk_is_told_and_the_export_goes_on_when_there_is_room(
    log: planes.Fleet, run: conftest.Run, api: str, environment: dict[str, str | None], tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "disk" / "audit.jsonl"
    with small_disk(file.parent):
        said = run("audit", "export", "--since", BEGINNING, "-o", str(file), code=failures.AWAY).stderr
        assert said == (
            f"Error: {file}: there is no room left; make some, and run the export again\n"
            "  the file ends where the export broke off: it goes on there with --resume\n"
        )
        assert b'"manifest"' not in file.read_bytes()
        subprocess.run([str(shutil.which("mount")), "-o", "remount,size=4m", str(file.parent)], check=True)
        run("audit", "export", "--resume", "-o", str(file))
        assert file.read_bytes() == whole(api, environment["PLANE_TOKEN"], file)


@pytest.mark.parametrize(("form", "compression"), [("jsonl", "none"), ("csv", "none"), ("jsonl", "zstd")])
def test_whoever_exports_is_told_that_the_database_went_away(
    log: planes.Fleet, run: conftest.Run, owner: sa.Engine, tmp_path: pathlib.Path, form: str, compression: str
) -> None:
    pieces = 0

    def cut(tx: sa.Connection, _: object, statement: str, *__: object) -> None:
        nonlocal pieces
        pieces += dying_server.PIECE in statement
        if pieces == 3:  # the connection is gone, as it is when the database starts anew
            with owner.begin() as other:
                mine = tx.connection.driver_connection
                assert mine
                other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": mine.info.backend_pid})

    sa.event.listen(log.plane.engine, "before_cursor_execute", cut)
    try:
        asked = ("--since", BEGINNING, "--format", form, "--compress", compression)
        said = run("audit", "export", *asked, "-o", str(tmp_path / "audit"), code=failures.AWAY).stderr
    finally:
        sa.event.remove(log.plane.engine, "before_cursor_execute", cut)
    assert said.splitlines()[-1].startswith("  the file ends where the export broke off")
    assert ("--resume" in said) == (compression == "none")
    if compression == "none":
        run("audit", "export", "--resume", "-o", str(tmp_path / "audit"))
        assert (tmp_path / "audit.manifest.json").is_file() == (form == "csv")


def test_a_refused_export_leaves_the_file_that_was_there(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text("of last month")
    run("audit", "export", "-o", str(file), code=failures.NOT_ALLOWED, PLANE_TOKEN="gp_user_wrong")
    assert file.read_text() == "of last month"
