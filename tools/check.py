"""Runs everything a tool can check, every step even after a failed one, and ends with one line per step. Standard library only.

A step whose subject does not exist is left out. What a step says is shown only when it fails.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv/bin"
TIMEOUT_S = 300  # a step that hangs is a failed step
SHOWN_LINES = 60  # of a failed step's words


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    command: tuple[str, ...]
    needs: str = "plane"  # a glob: without a match there is nothing to check
    program: str = ""  # of the pinned ones


@dataclasses.dataclass(frozen=True)
class Result:
    step: Step
    passed: bool
    said: str
    seconds: float


def steps() -> Iterator[Step]:
    """The slow ones first: they run side by side, one per core."""
    yield Step("mypy", (f"{BIN}/mypy",))
    yield Step("alembic check", (f"{BIN}/python", "tools/alembic_check.py"), needs="migrations/versions/*.py")
    yield Step("openapi document", (f"{BIN}/python", "tools/openapi.py", "--check"), needs="tools/openapi.py")
    yield Step("agent protocol", (f"{BIN}/python", "tools/protocol_reference.py", "--check"), needs="tools/protocol_reference.py")
    yield Step("cli reference", (f"{BIN}/python", "tools/cli_reference.py", "--check"), needs="tools/cli_reference.py")
    yield Step("policy reference", (f"{BIN}/python", "tools/policy_reference.py", "--check"), needs="tools/policy_reference.py")
    yield Step("audit schema", (f"{BIN}/python", "tools/audit_schema.py", "--check"), needs="tools/audit_schema.py")
    yield Step(
        "architecture", (f"{BIN}/python", "-m", "pytest", "-q", "--no-header", "tests/architecture"), needs="tests/architecture/test_*.py"
    )
    yield Step("lint-imports", (f"{BIN}/lint-imports", "--no-logo"))
    yield Step("ruff check", (f"{BIN}/ruff", "check", "--quiet", "--output-format", "concise"))
    yield Step("ruff format", (f"{BIN}/ruff", "format", "--check", "--quiet", "--output-format", "concise"))
    yield Step("opa check", (f"{BIN}/opa", "check", "--strict", "policies"), needs="policies/**/*.rego", program="opa")
    yield Step("opa fmt", (f"{BIN}/opa", "fmt", "--fail", "--list", "policies"), needs="policies/**/*.rego", program="opa")
    yield Step("opa test", (f"{BIN}/opa", "test", "policies"), needs="policies/**/*_test.rego", program="opa")
    for chart in sorted(ROOT.glob("charts/*/Chart.yaml")):
        name = chart.parent.name
        yield Step(f"helm lint {name}", (f"{BIN}/helm", "lint", "--strict", "--quiet", f"charts/{name}"), program="helm")


def run(step: Step) -> Result:
    started = time.monotonic()
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}", "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            step.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        passed, said = done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired:
        passed, said = False, f"no end after {TIMEOUT_S} s"
    return Result(step, passed, said, time.monotonic() - started)


def report(result: Result) -> str:
    lines = result.said.strip().splitlines()
    left_out = [f"... {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
    return "\n".join(
        [f"\n---- {result.step.name}: {' '.join(result.step.command).replace(f'{ROOT}/', '')}", *lines[:SHOWN_LINES], *left_out]
    )


def main() -> int:
    wanted = [step for step in steps() if any(ROOT.glob(step.needs))]
    programs = sorted({step.program for step in wanted if step.program})
    if programs:
        subprocess.run([sys.executable, str(ROOT / "tools/build.py"), "--need", *programs], check=True)
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, wanted))
    for result in results:
        if not result.passed:
            print(report(result))
    print()
    for result in results:
        print(f"{'ok' if result.passed else 'FAILED':<8}{result.seconds:6.1f} s  {result.step.name}")
    failed = sum(not result.passed for result in results)
    print(f"check: {len(results) - failed} of {len(results)} passed in {time.monotonic() - started:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
