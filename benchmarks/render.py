"""What a render costs beside doing the same thing bare: plain files parsed in this process, charts and kustomizations by the program alone.

    python -m benchmarks.render [--renders 300] [--apps 1000] [--json]

Also the way from a commit to an app's files: listing a commit of APPS × 4 files and reading each app's four.
"""

import argparse
import functools
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from benchmarks import workload
from plane import config, ports
from plane.adapters.git import tree
from plane.adapters.renderers import helm, kustomize, plain
from plane.adapters.sandbox import pool
from plane.domain import apps
from plane.domain.reading import manifests

Row = dict[str, float | str]

CHART = b"apiVersion: v2\nname: web\nversion: 1.0.0\n"
TEMPLATE = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\ndata: {a: '{{ .Values.a }}'}\n"


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=int, default=300)
    parser.add_argument("--apps", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [*renders(given.renders), *reads(given.apps)]
    if given.json:
        json.dump(rows, sys.stdout, indent=2)
        return
    for row in rows:
        print("  ".join(f"{value:>9.2f}" if isinstance(value, float) else f"{value:<42}" for value in row.values()))


def renders(count: int) -> Iterator[Row]:
    """Each renderer in the sandbox and bare: median and 95th percentile in ms, and their ratio."""
    files = {f"web/{stem}.yaml": workload.to_yaml(body).encode() for stem, body in workload.objects(1).items()}
    listed = b"resources:\n" + b"".join(f"- {pathlib.PurePath(path).name}\n".encode() for path in files)
    chart = {"web/Chart.yaml": CHART, "web/values.yaml": b"a: 1\n", "web/templates/cm.yaml": TEMPLATE}
    programs = {name: config.program(name) for name in ("helm", "kustomize")}
    made: dict[str, ports.Renderer] = {
        "plain": plain.Plain(),
        "helm": helm.Helm(str(programs["helm"])),
        "kustomize": kustomize.Kustomize(str(programs["kustomize"])),
    }
    with pool.Pool(made, size=1) as sandbox, tempfile.TemporaryDirectory() as folder:
        sandbox.missing_protections()
        yield compared("plain, 4 files", sandbox, job(files), lambda: parse(files), count)
        for name, given, command in (
            ("helm", chart, ["template", "web", "web"]),
            ("kustomize", {**files, "web/kustomization.yaml": listed}, ["build", "web"]),
        ):
            place(pathlib.Path(folder, name), given)
            bare = [str(programs[name]), *command]
            yield compared(name, sandbox, job(given), functools.partial(run, bare, pathlib.Path(folder, name)), max(10, count // 10))


def compared(name: str, sandbox: pool.Pool, work: ports.RenderJob, bare: Callable[[], object], count: int) -> Row:
    """One row; the two take turns, so that a busy machine is fair to both."""
    ours, theirs = [], []
    for _ in range(count):
        ours.append(milliseconds(lambda: sandbox.render(name.split(",", maxsplit=1)[0], work)))
        theirs.append(milliseconds(bare))
    ours.sort()
    p50, floor = statistics.median(ours), statistics.median(theirs)
    return {
        "what": f"{name}: sandbox p50, p95, bare p50 ms, ratio",
        "p50": p50,
        "p95": ours[int(count * 0.95)],
        "bare": floor,
        "ratio": p50 / floor,
    }


def reads(count: int) -> Iterator[Row]:
    """From a commit to files, in ms."""
    with tempfile.TemporaryDirectory() as folder:
        sha = workload.init(pathlib.Path(folder, "apps"), apps=count)
        readers = tree.Readers()
        found = tree.CommitTree(pathlib.Path(folder, "apps", ".git"), sha, readers=readers)
        yield {"what": f"list {count * 4} files of a commit, once, ms", "ms": milliseconds(lambda: found.files("."))}
        names = [f"apps/{workload.app_name(number)}" for number in range(count)]
        spent = milliseconds(lambda: [found.read(found.files(name)) for name in names])
        yield {"what": "find and read an app's 4 files, ms", "ms": spent / count}
        readers.close()


def job(files: dict[str, bytes]) -> ports.RenderJob:
    """The source `web` with these files."""
    return ports.RenderJob("bench", apps.Source("https://git.example/bench", "web"), files, "web", "bench")


def parse(files: dict[str, bytes]) -> int:
    """Every file read in this process."""
    return sum(len(manifests.read(text, file=path)) for path, text in files.items())


def place(folder: pathlib.Path, files: dict[str, bytes]) -> None:
    """Write the files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def run(command: list[str], folder: pathlib.Path) -> None:
    """The program alone, its output thrown away."""
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def milliseconds(work: Callable[[], object]) -> float:
    """How long it took."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
