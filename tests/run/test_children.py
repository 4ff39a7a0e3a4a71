import os
import pathlib
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from plane.run import children
from tests.support import waiting

SLEEP = ("/bin/sh", "-c", "echo started; exec sleep 600")


@pytest.fixture
def family(tmp_path: pathlib.Path) -> Iterator[children.Family]:
    with children.Family(tmp_path) as family:
        yield family


def alive(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_child_sees_the_environment_it_is_given_and_none_of_ours(family: children.Family) -> None:
    child = family.start("env", ["/usr/bin/env"], env={"ONLY": "this"})
    child.popen.wait()
    names = {line.partition("=")[0] for line in children.tail(child.log).splitlines()}
    assert names - {"LC_CTYPE"} == {"ONLY"}  # Python sets that one in an empty environment (PEP 538)


def test_a_child_that_ends_is_named_with_the_end_of_its_log(family: children.Family) -> None:
    family.start("talker", ["/bin/sh", "-c", "seq 1 20; exit 3"], env={})
    with pytest.raises(children.ChildEnded) as caught:
        family.wait(waiting.PATIENCE_S)
    assert str(caught.value) == "talker: it ended with exit code 3; last lines of its log:\n" + "\n".join(str(n) for n in range(11, 21))


def test_a_child_that_is_killed_is_named_with_the_signal(family: children.Family) -> None:
    child = family.start("sleeper", SLEEP, env={})
    os.kill(child.pid, signal.SIGSEGV)
    with pytest.raises(children.ChildEnded, match="it was killed by SIGSEGV"):
        family.wait(waiting.PATIENCE_S)


def test_a_stop_wakes_whoever_waits_and_stays(family: children.Family) -> None:
    family.stop()
    assert family.wait()
    assert not family.until(lambda: False, what="nothing", timeout_s=10)


def test_what_does_not_become_ready_is_named(family: children.Family) -> None:
    with pytest.raises(children.NotReady, match="the moon: not ready after 0 s; the logs are in "):
        family.until(lambda: False, what="the moon", timeout_s=0.1)


def test_a_child_that_ignores_the_wish_to_end_is_killed(tmp_path: pathlib.Path) -> None:
    family = children.Family(tmp_path)
    child = family.start("stubborn", [sys.executable, "-c", IGNORES], env={})
    assert family.until(lambda: child.log.read_text() == "deaf\n", what="stubborn", timeout_s=waiting.PATIENCE_S)
    family.end(grace_s=0.1)
    assert not alive(child.pid)


IGNORES = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)"
PARENT = """
import pathlib, sys, time
from plane.run import children
print(children.Family(pathlib.Path(sys.argv[1])).start("child", ["/bin/sleep", "600"], env={}).pid, flush=True)
time.sleep(600)
"""


def test_a_child_dies_with_a_killed_parent(tmp_path: pathlib.Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        ended = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    with selectors.DefaultSelector() as selector:
        selector.register(ended, selectors.EVENT_READ)
        assert selector.select(waiting.PATIENCE_S)
    os.close(ended)


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", children.free_port()))
