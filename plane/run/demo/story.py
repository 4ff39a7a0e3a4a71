"""What a person sees: every line with a `$` is a command they can run themselves."""

import os
import pathlib
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import click
import msgspec

from plane.domain import errors
from plane.run import children
from plane.run.demo import world

PATIENCE_S = 120.0
LOOK_S = 0.05


LOOK_AROUND = """
  look around, in another terminal:
    export PLANE_CONFIG={config}
    plane get apps; plane app explain web; plane app diff web; plane app events web

  Ctrl-C ends it and leaves nothing behind."""


class DemoFailed(errors.PlaneError):
    """The demo did not get to where it should."""

    code = "demo-failed"


class Scene(msgspec.Struct, frozen=True):
    """The running world, whose log-ins the commands use, and what was measured: line → seconds."""

    world: world.World
    homes: dict[str, pathlib.Path]  # person → CLI configuration
    measured: dict[str, str]

    def plane(self, person: str, *words: str, given: str = "", expect: int = 0, show: bool = True) -> str:
        """Run `plane …` as a person and show it; DemoFailed when the exit code is another than expected."""
        if show:
            click.echo(click.style(f"\n  {person}$ plane {' '.join(words)}", bold=True))
        environment = {**os.environ, "PLANE_CONFIG": str(self.homes[person]), "COLUMNS": "110"}
        done = subprocess.run(
            [sys.executable, "-m", "plane", *words], env=environment, input=given, capture_output=True, text=True, check=False
        )
        if show:
            click.echo("\n".join(f"  {line}" for line in (done.stdout + done.stderr).splitlines()))
        if done.returncode != expect:
            message = f"`plane {' '.join(words)}` ended with {done.returncode}, not {expect}: {done.stderr.strip()[:500]}"
            raise DemoFailed(message)
        return done.stdout

    def until(self, what: str, holds: Callable[[], bool]) -> float:
        """Wait until something holds; seconds it took, DemoFailed when it never did."""
        begun = time.monotonic()
        while not holds():
            if time.monotonic() - begun > PATIENCE_S:
                message = f"{what}: still not so after {PATIENCE_S:.0f} s; logs are in {self.world.plane.folder / 'logs'}"
                raise DemoFailed(message)
            self.world.family.wait(LOOK_S)  # raises when one of the parts ends
        return time.monotonic() - begun


def chapter(title: str, text: str = "") -> None:
    """A heading, and what is about to be seen."""
    click.echo("\n" + click.style(f"── {title} ", bold=True, fg="cyan") + click.style("─" * max(4, 90 - len(title)), fg="cyan"))
    if text:
        click.echo(f"   {text}")


def platform(scene: Scene) -> None:
    """The platform team: tenants, clusters, agents, policies."""
    chapter("1. The platform team", "declares tenants and clusters, lets one agent per cluster join, and binds policies for everybody.")
    scene.plane("platform", "apply", "-f", str(_document(scene, "platform" if len(scene.world.kubeconfigs) > 1 else "platform-one")))
    for name in scene.world.kubeconfigs:
        token = scene.world.plane.folder / f"{name}.join"
        scene.plane("platform", "cluster", "join", name, "--token-file", str(token))
        _agent(scene, name, token)
    took = scene.until(
        "agents join",
        lambda: scene.plane("platform", "get", "clusters", "-o", "json", show=False).count('"connected"') == len(scene.world.kubeconfigs),
    )
    scene.measured["agents joined, keys made in their clusters"] = f"{took:.1f} s"
    scene.plane("platform", "policy", "create", "house", "-T", "-", "--profile", "starter")
    scene.plane("platform", "get", "clusters")


def tenants(scene: Scene) -> None:
    """Two tenants bring their repositories, keys and apps."""
    chapter("2. Two tenants", "each with its own people, keys and Git. The credentials go in once, encrypted, and never come out again.")
    w = scene.world
    for tenant, project in (("acme", "shop"), ("globex", "books")):
        scene.plane("platform", "user", "create", "admin", "-T", tenant, show=False)
        scene.plane("platform", "user", "grant", "admin", "admin", "-T", tenant, show=False)
        _login(scene, tenant, project, scene.plane("platform", "token", "create", "admin", "-T", tenant, show=False).strip())
        scene.plane(tenant, "apply", "-f", str(_document(scene, tenant, only="Project")))
        login = w.git.login
        scene.plane(
            tenant, "credential", "create", "git", "--kind", "git-password", "--username", "demo", given=login.password if login else ""
        )
    scene.plane("acme", "credential", "create", "age", "--kind", "sops-age", given=w.age.identity)
    vault = ("--address", w.vault.address, "--mount", "secret", "--prefix", "globex/", "--role-id", w.vault.role_id)
    scene.plane("globex", "credential", "create", "store", "--kind", "vault", *vault, given=w.vault.secret_id)
    begun = time.monotonic()
    for tenant in ("acme", "globex"):
        scene.plane(tenant, "apply", "-f", str(_document(scene, tenant)))
    for tenant, app in (("acme", "web"), ("acme", "api"), ("globex", "ledger")):
        scene.plane(tenant, "app", "wait", app, "--sync", "--health", "--timeout", "2m", show=False)
    scene.measured["three apps (plain + SOPS, Helm, Kustomize + Vault) from apply to healthy"] = f"{time.monotonic() - begun:.1f} s"
    scene.plane("acme", "get", "apps")
    scene.plane("globex", "get", "apps")
    scene.plane("acme", "app", "tree", "web")


def secrets(scene: Scene) -> None:
    """The values are in the clusters and nowhere else."""
    chapter("3. Secrets", "opened while rendering, sealed to one agent's key: the plane's database holds fingerprints and ciphertext only.")
    scene.plane("acme", "app", "manifests", "web")
    found = scene.world.kubectl("east", "-n", "acme-shop", "get", "secret", "web-session", "-o", "go-template={{.data.key | base64decode}}")
    click.echo(f"\n  in cluster east the Secret holds the real value: {'yes' if found == scene.world.canary[0] else 'NO'}")
    west = "west" if "west" in scene.world.kubeconfigs else "east"
    found = scene.world.kubectl(west, "-n", "globex-books", "get", "secret", "ledger-db", "-o", "go-template={{.data.url | base64decode}}")
    click.echo(f"  in cluster {west} the Secret holds Vault's value: {'yes' if scene.world.canary[1] in found else 'NO'}")
    leaks = _searched(scene)
    click.echo(f"  places on this machine's disk where either value lies in the clear (database, logs, state): {leaks}")
    if leaks:
        message = "a secret value was found on disk"
        raise DemoFailed(message)


def refusal(scene: Scene) -> None:
    """A bad push is refused with a sentence; what runs keeps running."""
    chapter("4. A bad push", "somebody pushes an image without a version. Nothing is dispatched, and the sentence says how to fix it.")
    path = "web/deployment.yaml"
    good = world.files("acme")[path]
    scene.world.git.commit("acme-shop", {path: good.replace(b"web:1.4.0", b"web:latest")}, "Try the newest image")
    scene.plane("acme", "app", "refresh", "web")
    scene.until("policy refuses", lambda: '"policy-refused"' in scene.plane("acme", "app", "explain", "web", "-o", "json", show=False))
    scene.plane("acme", "app", "explain", "web")
    image = scene.world.kubectl(
        "east", "-n", "acme-shop", "get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"
    )
    click.echo(f"\n  still running in the cluster: {image}")
    click.echo("\n  the fix is pushed: web:1.5.0")
    scene.world.git.commit("acme-shop", {path: good.replace(b"web:1.4.0", b"web:1.5.0")}, "Release web 1.5.0")
    begun = time.monotonic()
    scene.plane("acme", "app", "refresh", "web", show=False)
    scene.until(
        "the fix arrives", lambda: "web:1.5.0" in scene.world.kubectl("east", "-n", "acme-shop", "get", "deployment", "web", "-o", "yaml")
    )
    scene.measured["push of a fix, from refresh to changed in the cluster (commands included)"] = f"{time.monotonic() - begun:.2f} s"
    scene.plane("acme", "app", "wait", "web", "--sync", "--health", "--timeout", "1m")
    scene.plane("acme", "app", "history", "web")


def drift(scene: Scene) -> None:
    """Somebody scales by hand; the agent puts it back."""
    chapter("5. Drift", "somebody edits a ConfigMap in the cluster. The agent reverts it by itself and reports who had changed what.")
    edit = (
        "-n",
        "acme-shop",
        "patch",
        "configmap",
        "web",
        "--type=merge",
        "--field-manager=somebody",
        "-p",
        '{"data":{"greeting":"goodbye"}}',
    )
    click.echo(click.style(f"\n  $ kubectl {shlex.join(edit)}", bold=True))
    scene.world.kubectl("east", *edit)
    read = ("-n", "acme-shop", "get", "configmap", "web", "-o", "jsonpath={.data.greeting}")
    took = scene.until("drift is healed", lambda: scene.world.kubectl("east", *read) == "hello")
    scene.measured["drift reverted (seen by kubectl in a loop)"] = f"{took:.2f} s"
    click.echo(f"  reverted after {took:.2f} s")


def walls(scene: Scene) -> None:
    """Another tenant's app is not there."""
    chapter("6. Isolation", "globex asks for acme's app by name. It gets the answer it would get for one that never existed.")
    scene.plane("globex", "app", "get", "web", "-T", "acme", "-P", "shop", expect=4)
    scene.plane("globex", "app", "get", "web", "-T", "nobody", "-P", "shop", expect=4)


def audit(scene: Scene) -> None:
    """Who did what, when, from which commit, and why it was allowed."""
    chapter("7. The audit log", "every decision and effect, in one Merkle tree per tenant with signed checkpoints; anybody can verify it.")
    file = scene.world.plane.folder / "acme-audit.jsonl"
    scene.until(
        "the log is sealed",
        lambda: "app.drift.healed" in scene.plane("acme", "audit", "export", "--since", "1h", "--format", "jsonl", show=False),
    )
    scene.plane("acme", "audit", "export", "--since", "1h", "--format", "jsonl", "-o", str(file))
    scene.plane("acme", "audit", "list", "--since", "1h")
    scene.plane("acme", "audit", "verify", "--offline", str(file))


def summary(scene: Scene) -> None:
    """Figures, and how to look around."""
    chapter("Summary")
    for what, figure in scene.measured.items():
        click.echo(f"  {figure:>8}  {what}")


def play(folder: pathlib.Path, *, context: str, stay: bool) -> None:
    """The whole story; with `stay` everything keeps running afterwards until Ctrl-C."""
    begun = time.monotonic()
    chapter("The plane", "starting real parts on this machine:")
    with world.running(folder, context=context, tell=click.echo) as made:
        scene = Scene(made, {}, {})
        _login(scene, "platform", "", made.plane.token_file.read_text())
        for part in (platform, tenants, secrets, refusal, drift, walls, audit):
            part(scene)
        scene.measured["the whole demo"] = f"{time.monotonic() - begun:.0f} s"
        summary(scene)
        if stay:
            click.echo(LOOK_AROUND.format(config=scene.homes["acme"]))
            with children.stopped_by_signals(made.family):
                made.family.wait()


def _agent(scene: Scene, name: str, token: pathlib.Path) -> None:
    w = scene.world
    argv = [sys.executable, "-m", "plane", "agent", "run", "--plane", w.plane.url, "--plane-ca", str(w.plane.ca_file)]
    argv += ["--namespace", "plane-demo"]
    argv += [
        "--join-token-file",
        str(token),
        "--kubeconfig",
        str(w.kubeconfigs[name]),
        "--state-dir",
        str(w.plane.folder / f"agent-{name}"),
    ]
    w.family.start(f"agent-{name}", argv + (["--context", w.context] if w.context else []), env=os.environ)


def _login(scene: Scene, person: str, project: str, token: str) -> None:
    scene.homes[person] = scene.world.plane.folder / f"cli-{person}.yaml"
    place = ("-T", person, "-P", project) if project else ()
    scene.plane(
        person, "login", scene.world.plane.url, "--ca", str(scene.world.plane.ca_file), *place, given=token, show=person == "platform"
    )


def _document(scene: Scene, name: str, *, only: str = "") -> pathlib.Path:
    """A document of the demo with this run's addresses in it, in a file of its own."""
    text = (world.CONTENT / "documents" / f"{name}.yaml").read_text()
    ca = msgspec.json.encode(scene.world.git.ca_file.read_text()).decode()
    values: Mapping[str, str] = {
        "@ACME_REPOSITORY@": scene.world.git.url_of("acme-shop"),
        "@GLOBEX_REPOSITORY@": scene.world.git.url_of("globex-books"),
        "@CA@": ca,
    }
    for mark, value in values.items():
        text = text.replace(f'"{mark}"', value if mark == "@CA@" else f'"{value}"')
    if "west" not in scene.world.kubeconfigs:
        text = text.replace("cluster: west", "cluster: east")
    if only:
        text = "---\n".join(part for part in text.split("---\n") if f"kind: {only}\n" in part)
    file = scene.world.plane.folder / f"{name}{only and '-' + only.lower()}.yaml"
    file.write_text(text)
    return file


def _searched(scene: Scene) -> int:
    """Files that hold a canary, below the plane's folder; the Vault that owns one keeps it in memory."""
    values = [value.encode() for value in scene.world.canary]
    files = (file for file in scene.world.plane.folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sum(any(value in content for value in values) for content in (file.read_bytes() for file in files))
