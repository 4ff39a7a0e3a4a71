import ast
import pathlib
import re

from tests.architecture import source

BANNED = frozenset({"util", "utils", "helper", "helpers", "manager", "data", "info", "process"})  # they name nothing
TRADE = frozenset({"_DataKey", "Info"})  # envelope encryption's own word; Argo CD's name of an App's field


def test_modules_and_types_are_named_for_what_they_are() -> None:
    names = [(source.place(path), path.stem) for path in source.files("plane")]
    names += [(source.place(path, node), node.name) for path in source.files("plane") for node in _classes(path)]
    assert [place for place, name in names if name not in TRADE and BANNED & _words(name)] == []


def test_functions_are_named_for_what_they_do_or_return() -> None:
    names = [(source.place(path, node), node.name) for path in source.files("plane") for node in source.functions(path)]
    assert [place for place, name in names if name.strip("_") in BANNED] == []


def _classes(path: pathlib.Path) -> list[ast.ClassDef]:
    return [node for node in source.nodes(path) if isinstance(node, ast.ClassDef)]


def _words(name: str) -> set[str]:
    """`LeaseManager` and `lease_manager` → lease, manager."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)}
