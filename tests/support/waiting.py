"""Waiting for what must come. Only what never comes takes all the patience, so it may be long enough for the slowest machine."""

import contextlib
import os
import select
import time
from collections.abc import Callable

import pytest

PATIENCE_S = 240.0  # the garbage collector of the shared clusters starts over whenever a definition comes or goes
LOOK_S = 0.1
LOOKS = 5  # while the time doubles, about: a look costs what waits for it, the more so where much runs side by side
LONGEST_LOOK_S = 0.5


def until(holds: Callable[[], bool], tell: Callable[[], str] = lambda: "", *, longest_look_s: float = LONGEST_LOOK_S) -> float:
    """Seconds until it holds; fails with what `tell` says. What passes again needs short looks to the end."""
    begun = time.monotonic()
    while not holds():
        waited_s = time.monotonic() - begun
        if waited_s > PATIENCE_S:
            pytest.fail(f"still not so after {PATIENCE_S:.0f} s: {tell()}")
        time.sleep(min(max(LOOK_S, waited_s / LOOKS), longest_look_s))
    return time.monotonic() - begun


def for_end(pid: int) -> None:
    """Until a process has ended, whoever's child it is."""
    with contextlib.suppress(ProcessLookupError), os.fdopen(os.pidfd_open(pid)) as end:
        assert select.select([end], [], [], PATIENCE_S)[0], f"process {pid} still runs after {PATIENCE_S:.0f} s"
