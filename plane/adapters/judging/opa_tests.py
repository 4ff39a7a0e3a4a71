"""Authors' tests and formatting by OPA itself: `opa test` with coverage, `opa fmt`."""

import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from plane.adapters.judging import opa_sets
from plane.domain.judging import policy

DEADLINE_S = 120.0
ACCEPT_S = 20.0  # all tests of a set that is to be kept, while its sender waits
MOST_SAID = 20  # tests that fail
_SET = "modules/set"  # where a set's own files lie beside the driver
RULES = "rules"  # the copy of the author's folder: a bounded OPA reads nothing elsewhere
_NEEDS = re.compile(r"\bdata\.plane\.lib\b")
_HAS = re.compile(r"^package plane\.lib\b", re.MULTILINE)


class Tested(msgspec.Struct, frozen=True, order=True):
    """One test. `outcome`: what OPA says of it; `where`: `file:row`."""

    package: str
    name: str
    outcome: str  # passed, failed, skipped, or an error in its own words
    where: str
    duration_s: float

    def good(self) -> bool:
        """Whether it is no reason to stop."""
        return self.outcome in {"passed", "skipped"}


class Covered(msgspec.Struct, frozen=True):
    """Lines of rules that tests evaluate. `missing`: file → rows that none does."""

    percent: float
    missing: dict[str, tuple[int, ...]] = {}


def check(compiler: opa_sets.Compiler, files: policy.PolicyFiles, tests: Mapping[str, str]) -> None:
    """Run a set's own tests beside it as it is laid out to be asked.

    Raises:
        PolicyInvalid: one fails, they do not compile, or they take too long; with file and row.
    """
    with tempfile.TemporaryDirectory(prefix="plane-opa-accept-") as name:
        place = pathlib.Path(name)
        compiler.place(files, place)
        for file, text in tests.items():
            path = place / _SET / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        words = ["test", "--format=json", f"--capabilities={opa_sets.CAPABILITIES}", "--bundle", "modules"]
        try:
            done = compiler.run(words, place, timeout_s=ACCEPT_S)
        except subprocess.TimeoutExpired as error:
            raise _broken(files.name, f"they take more than {ACCEPT_S:g} s") from error
    if not done.stdout.strip().startswith(b"["):
        raise _broken(files.name, opa_sets.said(done.stderr + done.stdout).replace(f"{_SET}/", "") or "OPA ended without a word")
    found = sorted(_tested(one) for one in msgspec.json.decode(done.stdout))
    if bad := [one for one in found if not one.good()]:
        raise _broken(files.name, *(f"{one.where}: {one.package}.{one.name}: {one.outcome}" for one in bad[:MOST_SAID]))


def _broken(name: str, *problems: str) -> policy.PolicyInvalid:
    return policy.PolicyInvalid(name, problems, why="breaks its own tests")


class Author:
    """What OPA does for who writes rules. `base`: what comes with the plane; it is beside the author's where they import it."""

    def __init__(self, program: str, base: Mapping[str, str], *, v0: bool = False) -> None:
        self._program, self._base = program, dict(base)
        self._v0 = ["--v0-compatible"] if v0 else []
        self._compiler = opa_sets.Compiler(program, base)

    def test(self, folder: pathlib.Path) -> tuple[tuple[Tested, ...], Covered]:
        """All tests below a folder, and what of its rules they reach.

        Raises:
            PolicyInvalid: it does not compile. PolicyFailed: no answer in time.
        """
        with tempfile.TemporaryDirectory(prefix="plane-opa-test-") as name:
            place = pathlib.Path(name)
            shutil.copytree(folder, place / RULES)
            paths = [*self._beside(folder, place), RULES]
            plain = self._run(folder, ["test", "--format=json", *self._v0, *paths], place)
            tests = tuple(sorted(_tested(one) for one in msgspec.json.decode(plain or b"[]")))
            if not tests or not all(one.good() for one in tests):
                return tests, Covered(0.0)
            said = self._run(folder, ["test", "--format=json", "--coverage", *self._v0, *paths], place)
            return tests, _covered(msgspec.json.decode(said))

    def formatted(self, paths: tuple[pathlib.Path, ...], *, write: bool, convert: bool) -> tuple[str, ...]:
        """Files that `opa fmt` changes, or would change.

        Raises:
            PolicyInvalid: a file is no Rego.
        """
        words = [*(["--v0-v1"] if convert else self._v0), *(str(path.resolve()) for path in paths)]
        changed = self._format(["fmt", "--list", *words])
        if write and changed:
            self._format(["fmt", "--write", *words])
        return tuple(sorted(changed))

    def _format(self, words: list[str]) -> list[str]:
        # Their own files in their own place, which a bounded OPA could not write; it parses them and runs nothing.
        done = subprocess.run([self._program, *words], env={}, capture_output=True, timeout=DEADLINE_S, check=False)
        if done.returncode:
            raise _invalid(pathlib.Path(words[-1]), done.stderr)
        return done.stdout.decode("utf-8", "replace").split()

    def _beside(self, folder: pathlib.Path, place: pathlib.Path) -> list[str]:
        """The plane's own library where the rules import it and bring none."""
        texts = [path.read_text("utf-8", "replace") for path in folder.rglob("*.rego")]
        if not any(_NEEDS.search(text) for text in texts) or any(_HAS.search(text) for text in texts):
            return []
        for name, text in self._base.items():
            path = place / "plane" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return ["plane"]

    def _run(self, folder: pathlib.Path, words: list[str], place: pathlib.Path) -> bytes:
        (place / opa_sets.CAPABILITIES).write_bytes(self._compiler.allowed())
        try:
            done = self._compiler.run([*words, f"--capabilities={opa_sets.CAPABILITIES}"], place, timeout_s=DEADLINE_S)
        except subprocess.TimeoutExpired as error:
            raise policy.PolicyFailed(folder.name, f"its tests take more than {DEADLINE_S:g} s") from error
        if done.returncode and not done.stdout.strip().startswith((b"[", b"{")):
            raise _invalid(folder, (done.stderr + done.stdout).replace(f"{RULES}/".encode(), b""))
        return done.stdout


def _invalid(place: pathlib.Path, output: bytes) -> policy.PolicyInvalid:
    return policy.PolicyInvalid(place.resolve().name, (opa_sets.said(output),))


def _tested(one: Mapping[str, Any]) -> Tested:
    place = one.get("location") or {}
    wrong = (one.get("error") or {}).get("message", "an error") if one.get("error") else ""
    outcome = wrong or ("failed" if one.get("fail") else "skipped" if one.get("skip") else "passed")
    where = f"{_below(str(place.get('file', '')))}:{place.get('row', 0)}"
    return Tested(str(one.get("package", "")).removeprefix("data."), str(one.get("name")), outcome, where, one.get("duration", 0) / 1e9)


def _covered(said: Mapping[str, Any]) -> Covered:
    """Of the author's rules: tests themselves and what comes with the plane do not count."""
    found = {_below(name): one for name, one in (said.get("files") or {}).items() if name.startswith(f"{RULES}/")}
    rules = {name: one for name, one in found.items() if not name.endswith("_test.rego")}
    missing = {name: tuple(_rows(one.get("not_covered") or [])) for name, one in rules.items()}
    reached = sum(len(list(_rows(one.get("covered") or []))) for one in rules.values())
    total = reached + sum(map(len, missing.values()))
    return Covered(round(100 * reached / total, 1) if total else 0.0, {name: rows for name, rows in missing.items() if rows})


def _rows(ranges: list[dict[str, dict[str, int]]]) -> Iterator[int]:
    for one in ranges:
        yield from range(one["start"]["row"], one["end"]["row"] + 1)


def _below(name: str) -> str:
    return name.removeprefix(f"{RULES}/").removeprefix(f"{_SET}/")
