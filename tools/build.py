"""Builds the pinned third-party programs once per user and links them into `.venv/bin`. Standard library only.

A program comes from the cache, else from PATH when it is there in exactly the pinned version, else from `go build` of the
module in its folder, whose go.sum proves what was built. Stop it any time: finished programs and compiled packages stay.
"""

import argparse
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

import go  # tools/go.py, beside this script
import node  # tools/node.py

HERE = pathlib.Path(__file__).resolve().parent
SHOWN_LINES = 20  # of the compiler's last words
TICK_S = 20  # between two signs of life when nobody watches on a terminal
KUBERNETES_STAMPS = tuple(
    f"-X {package}.{name}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for name in ("gitVersion={version}", "gitMajor={major}", "gitMinor={minor}", "gitTreeState=clean")
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tool:
    """One program. `stamps` are linker flags, for programs that do not know their version from their source."""

    name: str
    folder: str  # below tools/: the Go module that pins it
    module: str  # the requirement in its go.mod that carries the version
    package: str
    asked: tuple[str, ...] = ()  # how it tells its version; a program of ours does not, and never comes from PATH
    stamps: tuple[str, ...] = ()
    tags: str = ""


class BuildFailed(Exception):
    """One sentence or more for the terminal."""


def _kubernetes(name: str, *asked: str) -> Tool:
    package = f"k8s.io/kubernetes/cmd/{name}"
    return Tool(name=name, folder="kubernetes", module="k8s.io/kubernetes", package=package, asked=asked, stamps=KUBERNETES_STAMPS)


# The slowest first, so that the end comes when the list says so; what shares packages with its predecessor follows it.
TOOLS = (
    _kubernetes("kube-apiserver", "--version"),
    _kubernetes("kube-controller-manager", "--version"),
    _kubernetes("kube-scheduler", "--version"),
    _kubernetes("kubectl", "version", "--client"),
    Tool(
        name="vault",
        folder="vault",
        module="github.com/hashicorp/vault",
        package="github.com/hashicorp/vault",
        asked=("version",),
        tags="minimal",  # approle, jwt, kv and transit without the other engines
    ),
    Tool(
        name="helm",
        folder="helm",
        module="helm.sh/helm/v4",
        package="helm.sh/helm/v4/cmd/helm",
        asked=("version", "--short"),
        stamps=("-X helm.sh/helm/v4/internal/version.version={version}",),
    ),
    Tool(
        name="kwok",
        folder="kwok",
        module="sigs.k8s.io/kwok",
        package="sigs.k8s.io/kwok/cmd/kwok",
        asked=("--version",),
    ),
    Tool(
        name="sops",
        folder="sops",
        module="github.com/getsops/sops/v3",
        package="github.com/getsops/sops/v3/cmd/sops",
        asked=("--version", "--disable-version-check"),
    ),
    Tool(
        name="opa",
        folder="opa",
        module="github.com/open-policy-agent/opa",
        package="github.com/open-policy-agent/opa",
        asked=("version",),
    ),
    Tool(
        name="etcd",
        folder="etcd",
        module="go.etcd.io/etcd/server/v3",
        package="go.etcd.io/etcd/server/v3",
        asked=("--version",),
    ),
    Tool(
        name="kustomize",
        folder="kustomize",
        module="sigs.k8s.io/kustomize/kustomize/v5",
        package="sigs.k8s.io/kustomize/kustomize/v5",
        asked=("version",),
    ),
    Tool(
        name="versitygw",
        folder="versitygw",
        module="github.com/versity/versitygw",
        package="github.com/versity/versitygw/cmd/versitygw",
        asked=("--version",),
        stamps=("-X main.Version={version}",),
    ),
    Tool(
        name="timestamp-authority",
        folder="timestamp",
        module="github.com/digitorus/timestamp",
        package=".",
    ),
    Tool(
        name="oci-registry",
        folder="registry",
        module="github.com/google/go-containerregistry",
        package=".",
    ),
)
OPTIONAL = ("versitygw",)  # asked for by name alone: benchmarks/s3.py
TESTS_ALONE = ("timestamp-authority", "oci-registry")
EVERYDAY = tuple(tool.name for tool in TOOLS if tool.name not in (*OPTIONAL, *TESTS_ALONE))
PLANE = ("vault", "helm", "sops", "opa", "kustomize")  # Vault itself only stands in for a user's own
NEEDS = {
    "demo": EVERYDAY,
    "demo-without-kubernetes": PLANE,
    "image": ("helm", "sops", "opa", "kustomize"),  # what the server's container image holds
    "test": (*EVERYDAY, *TESTS_ALONE, node.NAME),
}


def version(tool: Tool) -> str:
    """The pin, `v1.36.3`, as the tool's go.mod has it."""
    text = (HERE / tool.folder / "go.mod").read_text()
    found = re.search(rf"^(?:require)?\s+{re.escape(tool.module)} (v\S+)", text, re.MULTILINE)
    if found is None:
        message = f"tools/{tool.folder}/go.mod names no version of {tool.module}"
        raise BuildFailed(message)
    return found[1]


def linker_flags(tool: Tool) -> str:
    major, minor = version(tool).removeprefix("v").split(".")[:2]
    return " ".join(("-s", "-w", *tool.stamps)).format(version=version(tool), major=major, minor=minor)


def cached(tool: Tool) -> pathlib.Path:
    """Where the built program lies: keyed by all that decides its bytes except the compiler: a newer Go builds nothing again."""
    key = hashlib.sha256()
    folder = HERE / tool.folder
    for part in (folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go"))):
        key.update(part.read_bytes())
    key.update(f"{linker_flags(tool)}|{tool.tags}|{tool.package}|{sys.platform}|{platform.machine()}".encode())
    return go.cache() / "tools" / f"{tool.name}-{version(tool)}-{key.hexdigest()[:12]}" / tool.name


def on_path(tool: Tool, *, unless_below: Sequence[pathlib.Path]) -> pathlib.Path | None:
    """The program on PATH, if it reports exactly the pinned version; our own links do not count."""
    found = shutil.which(tool.name) if tool.asked else None
    if found is None or any(pathlib.Path(found).resolve().is_relative_to(folder) for folder in unless_below):
        return None
    try:
        answer = subprocess.run([found, *tool.asked], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    exact = rf"(?<![\w.])v?{re.escape(version(tool).removeprefix('v'))}(?![\w.+-])"
    return pathlib.Path(found) if re.search(exact, answer.stdout + answer.stderr) else None


@contextlib.contextmanager
def alone(tool: Tool) -> Iterator[None]:
    """Hold the lock of one tool; a second run waits here and then finds the program built."""
    lock = go.cache() / "tools" / f"{tool.name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{tool.name}: another run is building it; waiting")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def obtain(tool: Tool, compiler: go.Compiler, *, label: str) -> pathlib.Path:
    """Build the program unless another run has just done so."""
    target = cached(tool)
    with alone(tool):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                output = pathlib.Path(folder) / tool.name
                _compile(tool, compiler, output, label=label)
                output.replace(target)
    return target


def _compile(tool: Tool, compiler: go.Compiler, output: pathlib.Path, *, label: str) -> None:
    flags = ["-trimpath", "-mod=readonly", "-buildvcs=false", f"-p={compiler.jobs}", f"-tags={tool.tags}", f"-ldflags={linker_flags(tool)}"]
    command = [compiler.program, "build", *flags, "-o", str(output), tool.package]
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(
            command, cwd=HERE / tool.folder, env=compiler.environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            _watch(child, label, started)
        finally:
            child.terminate()
            child.wait()
        if child.returncode != 0:
            said.seek(0)
            last = "".join(f"    {line}" for line in said.readlines()[-SHOWN_LINES:])
            message = f"{tool.name} {version(tool)} did not build:\n{last}{compiler.hint}"
            raise BuildFailed(message)
    say(f"{label} built in {_span(time.monotonic() - started)}")


def _watch(child: subprocess.Popen[bytes], label: str, started: float) -> None:
    watched = sys.stderr.isatty()
    while True:
        try:
            child.wait(timeout=1 if watched else TICK_S)
        except subprocess.TimeoutExpired:
            say(f"{label} building, {_span(time.monotonic() - started)}", again=watched)
        else:
            return


def _span(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def say(text: str, *, again: bool = False) -> None:
    """A line on standard error; `again` leaves the cursor in it, to be written over."""
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    sys.stderr.write(f"{clear}tools: {text}" + ("" if again else "\n"))
    sys.stderr.flush()


def place(program: pathlib.Path, folder: pathlib.Path, *, copy: bool) -> None:
    """Put the program into the folder, in one step for whoever looks at the same time."""
    target = folder / program.name
    if not copy and target.is_symlink() and target.readlink() == program:
        return
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".{program.name}.{os.getpid()}"
    if copy:
        shutil.copy2(program, new)
    else:
        new.symlink_to(program)
    new.replace(target)


def provide(names: Sequence[str], *, folder: pathlib.Path, copy: bool) -> None:
    """All the named programs in the folder, built where need be, the slowest first."""
    wanted = [tool for tool in TOOLS if tool.name in names]
    found = {tool.name: cached(tool) for tool in wanted if cached(tool).exists()}
    for tool in wanted:
        if tool.name not in found and (program := on_path(tool, unless_below=(go.cache(), folder.resolve()))):
            say(f"{tool.name} {version(tool)} is on PATH: {program}")
            found[tool.name] = program
    for program in found.values():
        place(program, folder, copy=copy)
    missing = [tool for tool in wanted if tool.name not in found]
    if missing:
        build(missing, folder=folder, copy=copy)


def build(missing: Sequence[Tool], *, folder: pathlib.Path, copy: bool) -> None:
    started = time.monotonic()
    say(f"{len(missing)} of {len(TOOLS)} programs to build, once per user; all take 15 minutes on two cores, and 15 GB of disk meanwhile")
    with go.compiler(say) as compiler:
        for number, tool in enumerate(missing, 1):
            label = f"[{number}/{len(missing)}, {_span(time.monotonic() - started)}] {tool.name} {version(tool)}"
            say(label)
            place(obtain(tool, compiler, label=label), folder, copy=copy)
    say(f"ready after {_span(time.monotonic() - started)}, in {go.cache() / 'tools'}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*NEEDS, *(tool.name for tool in TOOLS), node.NAME]
    parser.add_argument("--need", nargs="+", default=["test"], choices=known, metavar="NAME", help=f"sets or programs: {', '.join(known)}")
    parser.add_argument("--into", type=pathlib.Path, default=HERE.parent / ".venv/bin", help="the folder that gets the links")
    parser.add_argument("--copy", action="store_true", help="copy instead of linking, for images")
    asked = parser.parse_args()
    try:
        names = [name for need in asked.need for name in NEEDS.get(need, (need,))]
        provide(names, folder=asked.into, copy=asked.copy)
        if node.NAME in names:
            place(node.provide(say), asked.into, copy=asked.copy)
    except (BuildFailed, go.NoCompiler, node.NoNode) as e:
        say(str(e))
        return 1
    except KeyboardInterrupt:
        say("stopped; what is built stays, `make tools` goes on from here")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
