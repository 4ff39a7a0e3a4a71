"""One render's process, from the fork to its end: lock, render, answer."""

import os
import resource
import signal
import socket
import traceback
from collections.abc import Callable, Iterable
from typing import NoReturn

import msgspec

from plane import ports
from plane.adapters.sandbox import kernel, messages, workbench
from plane.domain import apps, errors, objects
from plane.domain.reading import documents, manifests

Render = Callable[[ports.RenderJob, workbench.Workbench], Iterable[objects.Manifest]]

FIRST_UID = 61184  # systemd keeps 61184 to 65519 for users that exist while a service runs; one per slot here
PYTHON_BYTES = 1024 * messages.MIB  # address space of a cell itself
PROGRAM_BYTES = 16 * 1024 * messages.MIB  # Go reserves far more than it uses; what it uses is watched by the pool
OPEN_FILES = 256
PATIENCE = 10  # nice(2): about a tenth of what an ordinary process gets beside it
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/libexec", "/etc/ld.so.cache")


class Cage(msgspec.Struct, frozen=True):
    """What the template has left already, and what the kernel offers cells."""

    abi: int
    offline: bool
    root: bool
    namespaced: bool


def live(cage: Cage, order: messages.Order, channel: socket.socket, render: Render) -> NoReturn:
    """Never returns: whatever happens, this process ends here and runs nothing of the template's."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        os.nice(PATIENCE if order.patient else 0)
        handle = os.pidfd_open(os.getpid())
        socket.send_fds(channel, [b"p"], [handle])
        os.close(handle)
        with workbench.Workbench(order) as bench:
            _lock(cage, order)
            channel.sendall(_encoded(_answer(order, render, _received(channel), bench)))
        code = 0
    except OSError:  # the pool has gone, or a lock did not close: no answer is the answer
        traceback.print_exc()
    finally:
        os._exit(code)


def rehearse() -> None:
    """Do once in the template what every cell does, so that imports, caches and encoders are warm before the first fork."""
    read = manifests.read(
        b'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n{"kind": "List", "apiVersion": "v1", "items": []}\n', file="a"
    )
    _encoded(messages.Made(tuple((str(one.position), 0, one.body) for one in read)))
    job = ports.RenderJob("", apps.Source(""), {}, "")
    msgspec.msgpack.decode(msgspec.msgpack.encode(messages.Work(job)), type=messages.Work)


def _lock(cage: Cage, order: messages.Order) -> None:
    """The order matters: namespaces need the capabilities that the later steps give up."""
    if order.program and cage.namespaced:
        kernel.leave_namespaces(kernel.CLONE_NEWPID)  # the program becomes init of its own: its death ends all it started
    allowed = {order.folder: kernel.WRITE, order.program: kernel.READ, "/dev/null": kernel.WRITE, **dict.fromkeys(LIBRARIES, kernel.READ)}
    ruleset = kernel.ruleset(cage.abi, allowed if order.program else {})
    if cage.root:
        if order.folder:
            os.chown(order.folder, FIRST_UID + order.slot, FIRST_UID + order.slot)
        kernel.become(FIRST_UID + order.slot)
    else:
        kernel.drop_capabilities()
    kernel.die_with_parent(signal.SIGKILL)  # after the change of user, which would clear it
    kernel.limit(_bounds(cage, order))
    kernel.no_new_privileges()
    kernel.enter(ruleset)


def _bounds(cage: Cage, order: messages.Order) -> Iterable[tuple[int, int]]:
    yield resource.RLIMIT_CORE, 0
    yield resource.RLIMIT_CPU, order.limits.cpu_s
    yield resource.RLIMIT_NOFILE, OPEN_FILES
    yield resource.RLIMIT_FSIZE, order.limits.output_bytes if order.program else 0
    yield resource.RLIMIT_AS, PROGRAM_BYTES if order.program else PYTHON_BYTES
    if not order.program:
        yield resource.RLIMIT_NPROC, 0
    elif cage.root or cage.namespaced:  # else the bound would count all that the user runs anywhere
        yield resource.RLIMIT_NPROC, order.limits.processes


def _received(channel: socket.socket) -> ports.RenderJob:
    with channel.makefile("rb") as stream:
        return msgspec.msgpack.decode(stream.read(), type=messages.Work).job


def _answer(order: messages.Order, render: Render, job: ports.RenderJob, bench: workbench.Workbench) -> messages.Answer:
    try:
        made = tuple(render(job, bench))
        manifests.duplicates(made)
        if len(made) > order.limits.objects:
            return messages.Refused(
                f"{len(made):,} objects are more than the {order.limits.objects:,} one source may have; split the app", ""
            )
        return messages.Made(tuple((*_place(one), one.body) for one in made))
    except errors.RenderFailed as e:
        return messages.Refused(str(e).removeprefix(f"{e.where}: ") if e.where else str(e), e.where)
    except documents.Unreadable as e:
        return messages.Refused(str(e).removeprefix(f"{e.where}: "), e.where)
    except MemoryError:
        return messages.Refused("the files need more memory than one render may use; split the app", "")
    except RecursionError:
        return messages.Refused("the files are nested too deeply", "")


def _place(manifest: objects.Manifest) -> tuple[str, int]:
    return (manifest.position.file, manifest.position.line) if manifest.position else ("", 0)


def _encoded(answer: messages.Answer) -> bytes:
    try:
        return msgspec.msgpack.encode(answer)
    except OverflowError:
        return msgspec.msgpack.encode(messages.Refused("a number is larger than 64 bits; put it in quotes", ""))
