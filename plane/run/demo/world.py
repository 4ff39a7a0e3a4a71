"""The demo's parts: a plane, two clusters (or one of the user's), a Git host, a Vault, and who may do what there."""

import contextlib
import os
import pathlib
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator

import msgspec

from plane import config
from plane.run import children, devgit, up
from plane.run.demo import age, vault
from plane.run.devcluster import clusters

CONTENT = pathlib.Path(__file__).parent / "content"
NAMESPACES = ("acme-shop", "globex-books", "plane-demo")
Tell = Callable[[str], None]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that runs. `kubeconfigs`: by the plane's cluster name; `canary`: the two secret values nobody may ever see printed."""

    plane: up.Installation
    family: children.Family
    git: devgit.DevGit
    vault: vault.Vault
    age: age.Keys
    kubeconfigs: dict[str, pathlib.Path]
    context: str
    canary: tuple[str, str]

    def kubectl(self, cluster: str, *arguments: str) -> str:
        """What kubectl prints as the cluster's admin."""
        return kubectl(self.kubeconfigs[cluster], self.context, *arguments)


@contextlib.contextmanager
def running(folder: pathlib.Path, *, context: str, tell: Tell) -> Iterator[World]:
    """Start all of it below `folder`; everything ends with the block."""
    with contextlib.ExitStack() as stack:
        canary = (f"session-{secrets.token_hex(8)}", f"ledger-{secrets.token_hex(8)}")
        kubeconfigs = _own(stack, context) if context else _started(stack, folder, tell)
        keys = age.generate()
        with _timed("Git host with two repositories, one holding a SOPS file", tell):
            git = stack.enter_context(devgit.start(_made(folder / "git"), login=devgit.Login("demo", secrets.token_hex(12))))
            git.create("acme-shop", {**files("acme"), "web/session.sops.yaml": encrypted(keys, canary[0])})
            git.create("globex-books", files("globex"))
        with _timed("the plane: Postgres, API server, worker, OPA", tell):
            settings = {"PLANE_GIT_NETWORKS": "127.0.0.0/8"}
            installation, family = stack.enter_context(up.running(folder / "plane", environment=settings))
        with _timed("Vault with one secret and an AppRole for it", tell):
            held = vault.start(family, password=canary[1])
        yield World(
            plane=installation, family=family, git=git, vault=held, age=keys, kubeconfigs=kubeconfigs, context=context, canary=canary
        )


def files(tenant: str) -> dict[str, bytes]:
    """What lies in a tenant's repository."""
    root = CONTENT / tenant
    return {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def encrypted(keys: age.Keys, value: str) -> bytes:
    """A Secret as SOPS leaves it in Git."""
    clear = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: web-session\nstringData:\n  key: {value}\n"
    argv = [
        config.program("sops"),
        "encrypt",
        "--age",
        keys.recipient,
        "--encrypted-regex",
        "^(data|stringData)$",
        "--input-type",
        "yaml",
        "--output-type",
        "yaml",
        "/dev/stdin",
    ]
    return subprocess.run(argv, input=clear.encode(), capture_output=True, check=True).stdout


def _started(stack: contextlib.ExitStack, folder: pathlib.Path, tell: Tell) -> dict[str, pathlib.Path]:
    found = {}
    for name in ("east", "west"):
        with _timed(f"Kubernetes cluster {name}: etcd, API server, controllers, scheduler, two nodes", tell):
            found[name] = stack.enter_context(clusters.start(f"demo-{name}", nodes=2, prefix=folder / "clusters")).kubeconfig
    return found


def _own(stack: contextlib.ExitStack, context: str) -> dict[str, pathlib.Path]:
    """The user's own cluster plays both parts; the demo's namespaces must not be there yet, and are not there afterwards."""
    path = pathlib.Path(os.environ.get("KUBECONFIG") or pathlib.Path.home() / ".kube/config")
    if not path.is_file():
        message = f"{path} does not exist; name your kubeconfig in KUBECONFIG, or leave CONTEXT out to use clusters of the demo's own"
        raise config.SettingInvalid(message)
    there = kubectl(path, context, "get", "namespace", *NAMESPACES, "--ignore-not-found", "-o", "name").split()
    if there:
        message = f"{', '.join(there)} exists in context {context}; the demo uses namespaces of its own only, so name another context"
        raise config.SettingInvalid(message)
    stack.callback(kubectl, path, context, "delete", "namespace", *NAMESPACES, "--ignore-not-found", "--wait=false")
    return {"east": path}


def kubectl(kubeconfig: pathlib.Path, context: str, *arguments: str) -> str:
    """What kubectl prints; SettingInvalid with its last line when it refuses."""
    argv = [config.program("kubectl"), "--kubeconfig", str(kubeconfig), *(["--context", context] if context else []), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise config.SettingInvalid(f"kubectl {arguments[0]}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}")
    return done.stdout


@contextlib.contextmanager
def _timed(what: str, tell: Tell) -> Iterator[None]:
    begun = time.monotonic()
    yield
    tell(f"  {time.monotonic() - begun:5.1f} s  {what}")


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
