"""How long `plane try` takes on 100 objects, start-up included, beside an interpreter that starts and ends.

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

OBJECTS = 100
ROUNDS = 5
AIM_S = 1.0
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
        found = {what: _best([str(PROGRAM), "try", *words]) for what, words in _commands(folder, count).items()}
    floor = _best([sys.executable, "-c", "pass"])
    print(f"{count} objects; an interpreter that starts and ends takes {floor.wall_s:.3f} s, {floor.cpu_s:.3f} s of it CPU")
    for what, took in found.items():
        ratios = f"{took.wall_s / AIM_S:.2f} of the aim   {took.cpu_s / floor.cpu_s:.0f} x the interpreter's CPU"
        print(f"plane try {what:10} {took.wall_s:.3f} s, CPU {took.cpu_s:.3f} s   {ratios}")


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
        "policy": ["policy", str(wanted)],
        "windows": ["windows", "--project", str(folder / "project.yaml"), "--app", str(folder / "app.yaml")],
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
