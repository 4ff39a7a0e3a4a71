"""`docs/scenarios.md` names tests that exist and stand on a real cluster or a whole plane."""

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
REFERENCE = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
LEAST = 40
CLUSTER = {"kube", "tenant", "install", "died", "found", "fleet", "fault_proxy"}  # fixtures that lead to one, or to a whole plane
PAGE = (ROOT / "docs" / "scenarios.md").read_text()


def arguments(file: str) -> dict[str, set[str]]:
    """Tests of a file and what they stand on."""
    tree = ast.parse((ROOT / "tests" / file).read_text())
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    return {one.name: {given.arg for given in (*one.args.args, *one.args.kwonlyargs)} for one in functions}


def test_every_scenario_is_proved_by_tests_that_exist() -> None:
    files = {file: arguments(file) for file, _ in REFERENCE.findall(PAGE)}
    assert [f"{file}::{name}" for file, name in REFERENCE.findall(PAGE) if not files[file].get(name, set()) & CLUSTER] == []


def test_no_scenario_is_without_a_test_and_there_are_enough() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| scenario ")]
    assert [row for row in rows if not REFERENCE.search(row)] == []
    assert len(rows) >= LEAST
