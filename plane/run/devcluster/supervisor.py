"""The process that owns one cluster's parts: `python -m plane.run.devcluster.supervisor FOLDER`. It lives exactly as long as they do.

It says on standard output what became of the start: `ready`, or the sentence that tells what failed.
"""

import fcntl
import os
import pathlib
import shutil
import sys
import threading
from collections.abc import Callable

from plane import config
from plane.domain import errors
from plane.run import children
from plane.run.devcluster import api, parts, state

START_S = 60.0  # ten times what two busy cores need
READY = "ready"
STOPPED_EARLY = "it was stopped before it was ready"

Tell = Callable[[str], None]


def supervise(folder: pathlib.Path, *, tell: Tell) -> str:
    """Start the parts, wait, end them. Removes the folder of a cluster that was stopped and keeps that of one that failed.

    Returns:
        Nothing, or the sentence that tells what failed.
    """
    alive = state.lock(folder / state.ALIVE, fcntl.LOCK_EX)
    try:
        failure = _live(folder, tell)
        if not failure:
            shutil.rmtree(folder)
        return failure
    finally:
        state.release(alive)  # last: who waits for the end may start the next one in the same place


def _live(folder: pathlib.Path, tell: Tell) -> str:
    me = os.getpid()
    state.write_state(folder, state.State(status=state.Status.STARTING, supervisor=me))
    family = children.Family(folder)
    try:
        with children.stopped_by_signals(family):
            _run(family, state.read_spec(folder), tell)
    except errors.PlaneError as failure:
        state.write_state(folder, state.State(status=state.Status.FAILED, supervisor=me, detail=str(failure)))
        return str(failure)
    finally:
        family.end(grace_s=0)  # nothing of it is kept, so nothing needs to be written out
    return ""


def _run(family: children.Family, spec: state.Spec, tell: Tell) -> None:
    if spec.leashed:
        threading.Thread(target=_stop_without_users, args=(family,), daemon=True).start()
    if not _start(family, spec):
        tell(STOPPED_EARLY)
        return
    pids = {child.name: child.pid for child in family.members}
    state.write_state(family.folder, state.State(status=state.Status.READY, supervisor=os.getpid(), pids=pids))
    tell(READY)
    family.wait()


def _start(family: children.Family, spec: state.Spec) -> bool:
    """False when told to stop meanwhile."""
    admin = api.admin(family.folder, spec.server)
    _start_part(family, "etcd", parts.etcd())
    _start_part(family, "kube-apiserver", parts.apiserver(spec.port, audit_log=spec.audit_log))
    if not family.until(admin.ready, what="kube-apiserver", timeout_s=START_S):
        return False
    _start_part(family, "kwok", parts.kwok(spec.kubelet_port))
    _start_part(family, "kube-controller-manager", parts.controller_manager())
    _start_part(family, "kube-scheduler", parts.scheduler())
    for number in range(spec.nodes):
        admin.create("/api/v1/nodes", api.node(number))
    return family.until(lambda: _usable(admin, spec), what="the cluster", timeout_s=START_S)


def _usable(admin: api.Api, spec: state.Spec) -> bool:
    """Nodes are ready (kwok works) and pods would be admitted (the controller manager works)."""
    return api.nodes_ready(admin) == spec.nodes and admin.get("/api/v1/namespaces/default/serviceaccounts/default") is not None


def _start_part(family: children.Family, name: str, flags: parts.Flags) -> None:
    # An environment of its own: no proxy, no kubeconfig and no kwok settings of the user's.
    environment = {"HOME": str(family.folder), "PATH": os.defpath}
    family.start(name, [config.program(name), *parts.arguments(flags)], env=environment)


def _stop_without_users(family: children.Family) -> None:
    state.lock(family.folder / state.USERS, fcntl.LOCK_EX)  # kept: whoever comes now must start anew
    family.stop()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Supervise the cluster in the folder named on the command line."""
    failure = supervise(pathlib.Path(sys.argv[1]), tell=_say)
    if failure:
        _say(failure)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
