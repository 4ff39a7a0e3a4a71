"""The warm process that cells are forked from: imports done, one thread, no secrets, no network. `warm` starts it."""

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping

import msgspec

from plane.adapters.sandbox import cell, kernel, messages

ORDER_BYTES = 64 * 1024
UNIT = 1024  # of ru_maxrss


def main() -> None:
    """Serve orders until the pool goes away."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    start = msgspec.msgpack.decode(orders.recv(ORDER_BYTES), type=messages.Start)
    work = {name: importlib.import_module(module).render for name, module in start.modules.items()}
    kernel.leave_terminal()
    cage = _cage()
    cell.rehearse()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, the kernel would throw away what cells took
    gc.collect()
    gc.freeze()  # forked pages stay shared
    gc.disable()  # a cell lives too briefly to collect
    orders.send(msgspec.msgpack.encode(messages.Started(_missing(cage))))
    _serve(orders, cage, work)


class _Running(msgspec.Struct, frozen=True):
    """A cell, and the pipe to whoever pays for it."""

    pid: int
    told: int


def _serve(orders: socket.socket, cage: cell.Cage, work: Mapping[str, cell.Render]) -> None:
    running: dict[int, _Running] = {}  # by pidfd
    ready = select.poll()
    ready.register(orders, select.POLLIN)
    while True:
        for place, _ in ready.poll():
            if place in running:
                ready.unregister(place)
                _bury(place, running.pop(place))
                continue
            body, files, _, _ = socket.recv_fds(orders, ORDER_BYTES, 2)
            if not body:
                return
            order = msgspec.msgpack.decode(body, type=messages.Order)
            pid = os.fork()
            if pid == 0:
                _forget(orders, running, files[1])
                cell.live(cage, order, socket.socket(fileno=files[0]), work[order.renderer])
            os.close(files[0])
            handle = os.pidfd_open(pid)
            running[handle] = _Running(pid, files[1])
            ready.register(handle, select.POLLIN)


def _forget(orders: socket.socket, running: Mapping[int, _Running], told: int) -> None:
    """In a cell: nothing of the template's or of other cells is left open, and its own account is not for it to write."""
    orders.close()
    for handle in [*running, *(one.told for one in running.values()), told]:
        os.close(handle)


def _bury(handle: int, one: _Running) -> None:
    _, _, took = os.wait4(one.pid, 0)
    with contextlib.suppress(BrokenPipeError):  # the pool has gone
        os.write(one.told, msgspec.msgpack.encode(messages.Took(took.ru_utime + took.ru_stime, took.ru_maxrss * UNIT)))
    os.close(one.told)
    os.close(handle)


def _cage() -> cell.Cage:
    """Leave the network and, where that takes a user namespace, enter one; every cell inherits it."""
    uid, gid, root = os.geteuid(), os.getegid(), os.geteuid() == 0
    apart = kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC
    if root:
        offline = kernel.leave_namespaces(apart)
        return cell.Cage(kernel.landlock_abi(), offline=offline, root=True, namespaced=offline)
    offline = kernel.leave_namespaces(apart | kernel.CLONE_NEWUSER)
    if offline:
        kernel.keep_identity(uid, gid)
    return cell.Cage(kernel.landlock_abi(), offline=offline, root=False, namespaced=offline)


def _missing(cage: cell.Cage) -> tuple[str, ...]:
    said = []
    if not cage.abi:
        said.append(
            "this kernel has no Landlock: a renderer can read every file that its user can read; use Linux 5.13 or later with Landlock on"
        )
    elif cage.abi < kernel.SCOPE_ABI:
        said.append(
            f"this kernel has Landlock ABI {cage.abi}, not {kernel.SCOPE_ABI}: signals and abstract sockets of renderers are not held back"
        )
    if not cage.offline:
        held = "TCP is refused by Landlock, UDP is not" if cage.abi >= kernel.TCP_ABI else "renderers can use the network"
        said.append(f"namespaces are not permitted here: {held}; allow user namespaces to the plane's containers")
    if not cage.root and not cage.namespaced:
        said.append("renderers run as the plane's own user without a bound on the number of their processes")
    return tuple(said)


if __name__ == "__main__":
    main()
