"""The tree's own source, read once, for the tests that hold style.md's limits."""

import ast
import functools
import pathlib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDERS = ("plane", "tests", "tools", "benchmarks")  # not migrations: a finished one is history
Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def files(*folders: str) -> tuple[pathlib.Path, ...]:
    """All Python files below the folders (none named: all of ours), sorted."""
    return tuple(sorted(path for folder in folders or FOLDERS for path in (ROOT / folder).rglob("*.py")))


@functools.cache
def tree(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


@functools.cache
def nodes(path: pathlib.Path) -> tuple[ast.AST, ...]:
    """All of a file's, the outermost first."""
    return tuple(ast.walk(tree(path)))


def lines(path: pathlib.Path) -> int:
    return path.read_bytes().count(b"\n")


def functions(path: pathlib.Path) -> Iterator[Function]:
    """Every function and method, also nested ones."""
    return (node for node in nodes(path) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the end, the docstring aside: it is not what has to be held in mind."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None:
        return whole
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1)


def place(path: pathlib.Path, node: ast.AST | None = None) -> str:
    """`plane/domain/planning/waves.py:12`."""
    name = str(path.relative_to(ROOT))
    return f"{name}:{getattr(node, 'lineno', 1)}" if node else name
