"""How long `plane try` takes on 100 objects, start-up included, beside an interpreter that starts and ends.

python -m benchmarks.trial [OBJECTS]
"""

import pathlib
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
    print(f"{count} objects; an interpreter that starts and ends takes {floor:.3f} s")
    for what, took in found.items():
        print(f"plane try {what:10} {took:.3f} s   {took / AIM_S:.2f} of the aim   {took / floor:.0f} x the interpreter")


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


def _best(command: list[str]) -> float:
    """Seconds of the quickest round; what refuses its input is said, and measured all the same."""
    return min(_once(command) for _ in range(ROUNDS))


def _once(command: list[str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    took = time.perf_counter() - begun
    if done.returncode not in {0, 1}:
        print(f"{' '.join(command[1:3])}: {done.stderr.strip()[:200]}", file=sys.stderr)
    return took


if __name__ == "__main__":
    main()
