"""The warm process that cells are forked from: imports done, one thread, no secrets, no network. `warm` starts it."""

import gc
import importlib
import os
import signal
import socket
import sys

import msgspec

from plane.adapters.sandbox import cell, kernel, messages

ORDER_BYTES = 64 * 1024


def main() -> None:
    """Serve orders until the pool goes away."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    start = msgspec.msgpack.decode(orders.recv(ORDER_BYTES), type=messages.Start)
    work = {name: importlib.import_module(module).render for name, module in start.modules.items()}
    cage = _cage()
    cell.rehearse()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for cells; their pool watches them by pidfd
    gc.collect()
    gc.freeze()  # forked pages stay shared
    gc.disable()  # a cell lives too briefly to collect
    orders.send(msgspec.msgpack.encode(messages.Started(_missing(cage))))
    while True:
        body, files, _, _ = socket.recv_fds(orders, ORDER_BYTES, 1)
        if not body:
            return
        order = msgspec.msgpack.decode(body, type=messages.Order)
        if os.fork() == 0:
            orders.close()
            cell.live(cage, order, socket.socket(fileno=files[0]), work[order.renderer])
        os.close(files[0])


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
