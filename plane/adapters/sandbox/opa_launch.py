"""Become OPA, bounded, and die with the parent: `python -I -S opa_launch.py PARENT_PID MEMORY_BYTES NICE READS PROGRAM ARGUMENT…`.

A program of its own, because running code between fork and exec of a process with threads is unsafe.
"""

import ctypes
import os
import pathlib
import resource
import runpy
import signal
import struct
import sys

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38  # prctl(2); all survive exec
SECCOMP_MODE_FILTER = 2
IO_URING_SETUP = 425  # the same number everywhere; through it sockets are made without the call for sockets
AF_UNIX = 1
MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # linux/audit.h: the machine's word; the number of socket(2)

LOAD, EQUAL, AT_LEAST, ANSWER = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h: an absolute word, comparisons with a constant, the end
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in linux/seccomp.h's seccomp_data
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refused with EPERM
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/dev/null", "/sys/kernel/mm/transparent_hugepage")
X32 = 0x40000000  # numbers from here on are x86_64's calls under another name


def main() -> None:
    """Bound memory, give way by NICE, forbid core dumps, networks and others' files, die with the parent, and exec."""
    parent, memory_bytes, nice, reads, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    control(libc, PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory_bytes), int(memory_bytes)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(int(nice))
    keep_home(libc)
    keep_to(command[0], *filter(None, reads.split(os.pathsep)))
    if os.getppid() == int(parent):  # otherwise it died before the kernel was asked
        os.execv(command[0], command)  # noqa: S606 - no shell is the point


def keep_home(libc: ctypes.CDLL) -> None:
    """Leave no socket but Unix ones: schemas may name addresses while rules run, where no capabilities file is asked."""
    machine, socket = MACHINES[os.uname().machine]
    # Opcode, steps ahead when true, steps ahead when false, constant.
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, machine),
        (ANSWER, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 5, 0, X32),
        (EQUAL, 4, 0, IO_URING_SETUP),
        (EQUAL, 0, 2, socket),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUAL, 0, 1, AF_UNIX),
        (ANSWER, 0, 0, ALLOW),
        (ANSWER, 0, 0, REFUSE),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    filter_ = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(code)))
    control(libc, PR_SET_NO_NEW_PRIVS, 1)
    control(libc, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(filter_))


def keep_to(*own: str) -> None:
    """Leave no file but its own and the folder it stands in, where the kernel has Landlock: schemas may name files as well."""
    kernel = runpy.run_path(str(pathlib.Path(__file__).with_name("kernel.py")))  # no package can be imported here
    places = {**dict.fromkeys((*own, *LIBRARIES), kernel["READ"]), str(pathlib.Path.cwd()): kernel["READ"] | kernel["WRITE"]}
    kernel["enter"](kernel["ruleset"](kernel["landlock_abi"](), places))


def control(libc: ctypes.CDLL, what: int, *words: int) -> None:
    """prctl(2), or OSError."""
    if libc.prctl(what, *map(ctypes.c_ulong, (*words, 0, 0, 0, 0)[:4])) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({what})")


if __name__ == "__main__":
    main()
