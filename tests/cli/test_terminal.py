"""What a person sees: the command in a terminal of its own."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from plane.run.devgit import DevGit
from tests.cli import conftest, test_apps
from tests.support import planes

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WELL = pytest.mark.parametrize("columns", [80, 160])

web = test_apps.web


def look(environment: dict[str, str | None], *words: str, columns: int = 80, **more: str) -> str:
    """All that a terminal of this width is sent."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in {**os.environ, **environment, "TERM": "xterm-256color", **more}.items() if value is not None}
    kept.pop("COLUMNS", None)
    process = subprocess.Popen([sys.executable, "-m", "plane", *words], stdin=follower, stdout=follower, stderr=follower, env=kept)
    os.close(follower)
    shown = b""
    try:
        while part := _read(leader):
            shown += part
    finally:
        process.wait()
        os.close(leader)
    return shown.decode().replace("\r\n", "\n")


def _read(leader: int) -> bytes:
    """Linux answers EIO when the last writer is gone."""
    try:
        return os.read(leader, 65536)
    except OSError:
        return b""


@WELL
def test_a_table_fits_its_terminal(shop: planes.Fleet, run: conftest.Run, environment: dict[str, str | None], columns: int) -> None:
    url = "https://git.example/a-rather-long-group/with-a-rather-long-repository-name-that-goes-on-and-on-and-on"
    run("repo", "create", "web", url)
    lines = COLOUR.sub("", look(environment, "repo", "list", columns=columns)).splitlines()
    assert max(map(len, lines)) <= columns
    assert ("…" in lines[1]) == (columns == 80)


def test_a_terminal_gets_colours_unless_it_wants_none(web: planes.Fleet, run: conftest.Run, environment: dict[str, str | None]) -> None:
    with test_apps.working(web):
        run("app", "sync", "web")
        run("app", "wait", "web", "--timeout", "30s")
    assert "\x1b[32mSynced\x1b[0m" in look(environment, "app", "list")
    assert "\x1b[32m" not in look(environment, "app", "list", NO_COLOR="1")
    assert "\x1b" not in run("app", "list").output


def test_a_terminal_follows_a_sync_by_itself(
    web: planes.Fleet, run: conftest.Run, environment: dict[str, str | None], devgit: DevGit
) -> None:
    with test_apps.working(web):
        shown = COLOUR.sub("", look(environment, "app", "sync", "web"))
    assert "app/web: " in shown  # the line that lives
    assert "PreSync, wave 0" in shown
    assert "app/web synced to " in shown.splitlines()[-1]


def test_a_secret_is_not_echoed(environment: dict[str, str | None], shop: planes.Fleet) -> None:
    leader, follower = pty.openpty()
    kept = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    words = [sys.executable, "-m", "plane", "credential", "create", "sops", "--kind", "sops-age"]
    process = subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower, env=kept, start_new_session=True)
    os.close(follower)
    shown = b""
    while b": " not in shown:
        shown += _read(leader)
    os.write(leader, b"AGE-SECRET-KEY-1CANARY\n")
    while part := _read(leader):
        shown += part
    process.wait()
    os.close(leader)
    assert b"The secret of a sops-age credential: " in shown
    assert b"CANARY" not in shown
