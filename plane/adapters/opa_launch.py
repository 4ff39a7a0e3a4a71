"""Become OPA, bounded, and die with the parent: `python -I -S opa_launch.py PARENT_PID MEMORY_BYTES NICE PROGRAM ARGUMENT…`.

A program of its own, because running code between fork and exec of a process with threads is unsafe.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2); survives exec


def main() -> None:
    """Bound memory, give way by NICE, forbid core dumps, ask the kernel for SIGKILL at the parent's death, then exec."""
    parent, memory_bytes, nice, *command = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory_bytes), int(memory_bytes)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(int(nice))
    if os.getppid() == int(parent):  # otherwise it died before the kernel was asked
        os.execv(command[0], command)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
