import ast
import pathlib

from tests.architecture import source

CATCH_ALL = 3  # the loops of worker, agent and server: what reaches them is logged and the loop goes on


def test_imports_stand_at_the_top() -> None:
    inside = [source.place(path, node) for path in source.files() for node in _imports(path) if node not in source.tree(path).body]
    assert inside == []


def test_nothing_is_imported_for_type_checkers_alone() -> None:
    assert [source.place(path) for path in source.files("plane") if "TYPE_CHECKING" in path.read_text()] == []


def test_functions_are_called_by_their_modules_name() -> None:
    ours = [(path, node) for path in source.files("plane") for node in _imports(path) if isinstance(node, ast.ImportFrom)]
    named = [(source.place(path, node), node, name.name) for path, node in ours if _is_ours(node) for name in node.names]
    assert [place for place, node, name in named if name.islower() and not _is_module(node, name)] == []


def test_only_the_three_loops_catch_everything() -> None:
    found = [source.place(path, node) for path in source.files("plane") for node in source.nodes(path) if _catches_everything(node)]
    assert len(found) <= CATCH_ALL, found


def _imports(path: pathlib.Path) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in source.nodes(path) if isinstance(node, ast.Import | ast.ImportFrom)]


def _is_ours(node: ast.ImportFrom) -> bool:
    return (node.module or "").split(".")[0] == "plane"


def _is_module(node: ast.ImportFrom, name: str) -> bool:
    target = source.ROOT.joinpath(*(node.module or "").split("."), name)
    return target.is_dir() or target.with_name(f"{name}.py").is_file()


def _catches_everything(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(one is None or (isinstance(one, ast.Name) and one.id in ("Exception", "BaseException")) for one in caught)
