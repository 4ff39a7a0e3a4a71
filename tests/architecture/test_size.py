import ast
import statistics

from tests.architecture import source

FILE_LINES, FILE_LINES_P90 = 400, 280
FUNCTION_LINES, FUNCTION_LINES_MEDIAN = 60, 9


def test_a_file_fits_a_reader() -> None:
    sizes = {source.place(path): source.lines(path) for path in source.files()}
    assert {name: size for name, size in sizes.items() if size > FILE_LINES} == {}


def test_files_are_small_as_a_rule() -> None:
    sizes = [source.lines(path) for path in source.files("plane")]
    assert statistics.quantiles(sizes, n=10)[-1] <= FILE_LINES_P90


def test_a_function_fits_a_screen() -> None:
    found = {source.place(path, function): source.length(function) for path in source.files() for function in source.functions(path)}
    assert {name: size for name, size in found.items() if size > FUNCTION_LINES} == {}


def test_functions_are_small_as_a_rule() -> None:
    assert (
        statistics.median(source.length(function) for path in source.files("plane") for function in source.functions(path))
        <= FUNCTION_LINES_MEDIAN
    )


def test_an_init_is_a_charter_and_no_code() -> None:
    charters = [path for path in source.files("plane") if path.name == "__init__.py"]
    assert [source.place(path) for path in charters if not _is_charter(source.tree(path))] == []


def _is_charter(tree: ast.Module) -> bool:
    return len(tree.body) == 1 and bool(ast.get_docstring(tree))
