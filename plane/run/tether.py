"""Become another program that dies with its parent: `python -I -S tether.py PARENT_PID PROGRAM ARGUMENT…`.

A program of its own: running code between fork and exec of a process with threads is unsafe. It must import next to nothing.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2); survives exec


def main() -> None:
    """Ask the kernel for SIGKILL at the parent's death, then exec."""
    parent, program, *arguments = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent):  # it died before the kernel was asked
        return
    os.execv(program, [program, *arguments])  # noqa: S606 no shell is the point


if __name__ == "__main__":
    main()
