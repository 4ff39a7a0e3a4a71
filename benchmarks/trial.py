"""How long `plane try` takes on 100 objects, start-up included, beside what does less: an interpreter, kubectl, a bare `opa eval`.

python -m benchmarks.trial [OBJECTS]
"""

import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import msgspec
import yaml

from benchmarks import compare
from plane import config
from plane.adapters.judging import opa_files

OBJECTS = 100
ROUNDS = 5
AIM_S = 1.0
NOW = "2026-01-01T00:00:00Z"
PROGRAM = pathlib.Path(sys.executable).parent / "plane"
PROJECT = {"apiVersion": "gitops-plane.io/v1", "kind": "Project", "metadata": {"name": "shop"}, "spec": {}}
APP = {
    "apiVersion": "gitops-plane.io/v1",
    "kind": "App",
    "metadata": {"name": "web"},
    "spec": {"source": {"repoURL": "https://git.example/web.git", "path": "web"}, "destination": {"cluster": "east", "namespace": "shop"}},
}


def main() -> None:
    """Print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else OBJECTS
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        found = {f"plane try {what}": _best([str(PROGRAM), "try", *words]) for what, words in _commands(folder, count).items()}
        for what, command in _baselines(folder).items():
            found[what] = _best(command)
    print(f"{count} objects; the aim is {AIM_S:g} s")
    print(f"{'command':28}{'wall s':>8}{'CPU s':>8}{'of the aim':>12}")
    for what, took in found.items():
        print(f"{what:28}{took.wall_s:8.3f}{took.cpu_s:8.3f}{took.wall_s / AIM_S:12.2f}")


def _commands(folder: pathlib.Path, count: int) -> dict[str, list[str]]:
    """Arguments by step, on files below the folder."""
    pairs = [compare.deployment(number) for number in range(count)]
    wanted = folder / "wanted"
    wanted.mkdir()
    for number, (desired, _) in enumerate(pairs):
        (wanted / f"{number}.yaml").write_text(yaml.safe_dump(desired))
    live = folder / "live.json"
    live.write_bytes(msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": [one for _, one in pairs]}))
    for kind, body in (("project", PROJECT), ("app", APP)):
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(body))
    both = ["--desired", str(wanted), "--live", str(live)]
    return {
        "render": ["render", str(wanted), "--namespace", "shop"],
        "plan": ["plan", *both],
        "diff": ["diff", *both],
        "health": ["health", str(live)],
        "actions": ["actions", str(live)],
        "policy": ["policy", str(wanted)],
        "windows": ["windows", "--project", str(folder / "project.yaml"), "--app", str(folder / "app.yaml")],
    }


def _baselines(folder: pathlib.Path) -> dict[str, list[str]]:
    """What starts quickly, and the same judgement by OPA alone: without manifests to read, places to name or a set to check."""
    shipped = opa_files.shipped()
    modules = folder / "modules"
    for name, text in {**shipped.base, **shipped.rules.files}.items():
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).write_text(text)
    objects = [yaml.safe_load(file.read_text()) for file in sorted((folder / "wanted").iterdir())]
    asked = folder / "input.json"
    asked.write_bytes(msgspec.json.encode({"manifests": objects, "context": {"now": NOW}, "parameters": {}}))
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "kubectl version --client": [config.program("kubectl"), "version", "--client"],
        "opa eval, nothing else": [config.program("opa"), "eval", f"--data={modules}", f"--input={asked}", "data.plane.main.violations"],
    }


class Took(msgspec.Struct, frozen=True, order=True):
    """Of one round; CPU of all that the command started."""

    cpu_s: float
    wall_s: float


def _best(command: list[str]) -> Took:
    """The quickest round; what refuses its input is said, and measured all the same."""
    rounds = [_once(command) for _ in range(ROUNDS)]
    return Took(min(one.cpu_s for one in rounds), min(one.wall_s for one in rounds))


def _once(command: list[str]) -> Took:
    begun, cpu = time.perf_counter(), _cpu_s()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    took = Took(_cpu_s() - cpu, time.perf_counter() - begun)
    if done.returncode not in {0, 1}:
        print(f"{' '.join(command[1:3])}: {done.stderr.strip()[:200]}", file=sys.stderr)
    return took


def _cpu_s() -> float:
    """Of all commands so far."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


if __name__ == "__main__":
    main()
