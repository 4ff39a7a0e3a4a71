"""Writes tests/cases/pod_security/*.jsonl: what Kubernetes' own Pod Security admission decides about pods. Needs Go.

The pods are the fixtures of the pinned module, and ones made here: a pod that keeps every rule and one that asks for nothing,
changed at one field each, and at several drawn by lot.
"""

import copy
import json
import pathlib
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "tests/cases/pod_security"
MODULE = "k8s.io/pod-security-admission"
DRAWN = 150
DEEP = 4  # changes of a drawn pod at most

Json = dict[str, Any]
Path = tuple[str | int, ...]

KEPT: Json = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}],
}
KINDS = ("containers", "initContainers", "ephemeralContainers")
VOLUMES = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
]
SYSCTLS = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net/ipv4/tcp_rmem",
    "kernel.msgmax",
]
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"

# Of the pod's security context and of each container's.
SHARED: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("runAsNonRoot", (True, False, None)),
    ("runAsUser", (0, 1, None)),
    ("seccompProfile", (None, {}, *({"type": one} for one in ("RuntimeDefault", "Localhost", "Unconfined", "", "x")))),
    ("appArmorProfile", (None, {}, *({"type": one} for one in ("RuntimeDefault", "Localhost", "Unconfined")))),
    (
        "seLinuxOptions",
        (
            None,
            {},
            *({"type": f"container{one}_t"} for one in ("", "_init", "_kvm", "_engine", "_x")),
            {"user": "u"},
            {"role": "r"},
            {"level": "s0", "user": ""},
        ),
    ),
    ("windowsOptions", (None, {}, {"hostProcess": True}, {"hostProcess": False})),
)
OWN: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("allowPrivilegeEscalation", (True, None)),
    ("privileged", (True, False, None)),
    ("procMount", ("Default", "Unmasked", None)),
    (
        "capabilities",
        (
            None,
            {},
            {"drop": None},
            {"drop": ["all"]},
            {"drop": ["NET_RAW"]},
            {"drop": ["CHOWN", "ALL"]},
            *({"drop": ["ALL"], "add": [one]} for one in ("NET_BIND_SERVICE", "CHOWN", "NET_RAW", "SYS_ADMIN", "chown", "CAP_CHOWN")),
            {"add": ["CHOWN", "SYS_TIME"]},
        ),
    ),
)
CALLS = tuple(
    (who, {action: {"port": 1, "host": host}})
    for who in ("livenessProbe", "readinessProbe", "startupProbe")
    for action in ("httpGet", "tcpSocket")
    for host in ("", "127.0.0.1")
)
HOOKS = tuple(("lifecycle", {when: {"httpGet": {"port": 1, "host": "h.example"}}}) for when in ("postStart", "preStop"))


def changes() -> Iterator[tuple[Path, Any]]:
    """Paths into a pod and what to put there."""
    yield from (((*("spec", field),), value) for field in ("hostNetwork", "hostPID", "hostIPC") for value in (True, False, None))
    yield from ((("spec", "securityContext", field), value) for field, values in SHARED for value in values)
    yield from ((("spec", "securityContext", "sysctls"), [{"name": name, "value": "1"}]) for name in SYSCTLS)
    yield from ((("spec", "volumes"), [{"name": "v", kind: {}}]) for kind in VOLUMES)
    yield ("spec", "volumes"), [{"name": "v", "emptyDir": {}}, {"name": "w", "hostPath": {"path": "/"}, "configMap": {}}]
    for value in ("", "runtime/default", "localhost/x", "unconfined", "localhost"):
        yield ("metadata", "annotations"), {f"{APPARMOR}a": value}
    for kind in KINDS:
        yield from ((("spec", kind, 0, "securityContext", field), value) for field, values in (*SHARED, *OWN) for value in values)
        yield from ((("spec", kind, 0, field), value) for field, value in (*CALLS, *HOOKS))
        yield from ((("spec", kind, 0, "ports"), [{"containerPort": 1, "hostPort": port}]) for port in (0, 80))
        yield ("spec", kind, 0, "securityContext"), None


def pods() -> Iterator[Json]:
    every = list(changes())
    few = [(path, value) for path, value in every if not {*path} & {*KINDS[1:]}]
    yield from (changed(KEPT, [change]) for change in every)
    yield from (changed({"containers": [{"name": "a"}]}, [change]) for change in few)
    for extra in ({"hostUsers": False}, {"os": {"name": "windows"}}):
        yield from (changed({**KEPT, **extra}, [change]) for change in few)
    yield from (changed({**KEPT, **extra}, []) for extra in ({"hostUsers": True}, {"os": {"name": "linux"}}))
    lot = random.Random(36)  # noqa: S311 - the same pods every time
    for _ in range(DRAWN):
        extra = lot.choice(({}, {}, {"hostUsers": False}, {"os": {"name": "windows"}}))
        yield changed({**KEPT, **extra}, lot.sample(every, lot.randint(2, DEEP)))


def changed(spec: Json, several: list[tuple[Path, Any]]) -> Json:
    pod: Json = {"metadata": {}, "spec": copy.deepcopy(spec)}
    for path, value in several:
        place(pod, path, value)
    return pod


def place(pod: Json, path: Path, value: object) -> None:
    at: Any = pod
    for number, step in enumerate(path[:-1]):
        if step in KINDS and step not in at:
            at[step] = [copy.deepcopy(at["containers"][0]) | {"name": str(step)[0]}]
        if isinstance(at, dict) and at.get(step) is None:
            at[step] = {}
        at = at[step] if isinstance(at, dict) else at[int(path[number])]
    at[path[-1]] = value


def main() -> int:
    folder, go = HERE / "pod-security", shutil.which("go") or "go"
    found = subprocess.run([go, "list", "-m", "-f", "{{.Dir}}", MODULE], cwd=folder, check=True, capture_output=True, text=True)
    fixtures = f"{found.stdout.strip()}/test/testdata"
    made = "".join(f"{json.dumps(pod, separators=(',', ':'))}\n" for pod in pods())
    CASES.mkdir(exist_ok=True)
    for name, arguments, fed in (
        ("fixtures", ["-fixtures", fixtures], ""),
        ("made", [], "".join(sorted(set(made.splitlines(keepends=True))))),
    ):
        done = subprocess.run([go, "run", ".", *arguments], cwd=folder, check=True, input=fed, stdout=subprocess.PIPE, text=True)
        (CASES / f"{name}.jsonl").write_text(done.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
