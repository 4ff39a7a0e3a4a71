"""The kernel's locks, called directly: Landlock, namespaces, capabilities, process attributes. Each says whether it took hold."""

import contextlib
import ctypes
import fcntl
import os
import resource
import termios
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000
CAPABILITY_VERSION_3 = 0x20080522

# The same numbers on every architecture (include/uapi/asm-generic/unistd.h).
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
RULE_PATH_BENEATH = 1

# include/uapi/linux/landlock.h: rights in the order of their bits; how many of them each ABI knows.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
TCP_ABI, SCOPE_ABI = 4, 6
TCP_RIGHTS = 0b11  # bind, connect
SCOPES = 0b11  # abstract UNIX sockets, signals
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15

READ = EXECUTE | READ_FILE | READ_DIR
WRITE = (1 << 16) - 1 & ~EXECUTE


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def leave_terminal() -> None:
    """Have no controlling terminal any more, nor any process forked from here on."""
    with contextlib.suppress(OSError), Path("/dev/tty").open("rb", buffering=0) as terminal:  # there is none, as in a container
        fcntl.ioctl(terminal, termios.TIOCNOTTY)


def landlock_abi() -> int:
    """The kernel's Landlock version; 0 when it has none."""
    return max(0, int(_LIBC.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG))))


def ruleset(abi: int, paths: Mapping[str, int]) -> int:
    """A Landlock ruleset that leaves nothing of the file system but `paths` (path → rights), and no TCP; -1 without Landlock.

    Made while the paths can still be reached, entered last. Absent paths are passed over.
    """
    if not abi:
        return -1
    known = (1 << FILE_RIGHTS_BY_ABI.get(abi, 16)) - 1
    wanted = _Ruleset(known, TCP_RIGHTS if abi >= TCP_ABI else 0, SCOPES if abi >= SCOPE_ABI else 0)
    size = 24 if abi >= SCOPE_ABI else 16 if abi >= TCP_ABI else 8
    made = _checked(_LIBC.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), ctypes.c_uint32(0)))
    for place, rights in _opened(paths):
        rule = _PathBeneath(rights & known, place)
        _checked(_LIBC.syscall(LANDLOCK_ADD_RULE, made, RULE_PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0)))
    return made


def enter(made: int) -> None:
    """Live under a ruleset for ever, children included. Needs no_new_privileges; without Landlock nothing happens."""
    if made >= 0:
        _checked(_LIBC.syscall(LANDLOCK_RESTRICT_SELF, made, ctypes.c_uint32(0)))
        os.close(made)


def _opened(paths: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    for path, rights in paths.items():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            yield place, rights if Path(path).is_dir() else rights & ON_FILES
            os.close(place)


def leave_namespaces(flags: int) -> bool:
    """Whether this process now has fresh, empty ones."""
    return int(_LIBC.unshare(flags)) == 0


def keep_identity(uid: int, gid: int) -> None:
    """Map the own ids into a fresh user namespace, so that files belong to whom they belonged."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def become(uid: int) -> None:
    """Change to another user and group for good; only root can."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_capabilities() -> None:
    """Give up every capability of this thread, as a user namespace grants them all."""
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    _checked(_LIBC.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())))


def die_with_parent(signal: int) -> None:
    """Be sent the signal when the parent ends; kept through exec."""
    _checked(_LIBC.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0))


def no_new_privileges() -> None:
    """No program started from here gains anything by its setuid bit, and nobody may trace this process."""
    _checked(_LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(_LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))


def limit(bounds: Iterable[tuple[int, int]]) -> None:
    """Set soft and hard bounds, never above what there was."""
    for kind, bound in bounds:
        _, hard = resource.getrlimit(kind)
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)  # noqa: PLW2901  # the name stays the idea
        resource.setrlimit(kind, (bound, bound))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
