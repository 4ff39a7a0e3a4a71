import ast
import re

from tests.architecture import source

LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
IRREGULAR = (
    "begun|broken|built|cut|done|found|gone|held|kept|left|lost|met|read|run|seen|sent|shut|spent|split|sprung|taken|torn|won|written"
)
EVENT = re.compile(rf"[a-z][a-z_]*\.(?:[a-z_]+ed|(?:[a-z]+_)*(?:{IRREGULAR}))")  # noun.past_verb
SECRET = re.compile(r"password|secret|token|authorization|private|identity|manifest|body|value")  # as a key: what must not be said


def test_a_log_event_is_a_noun_and_what_happened_to_it() -> None:
    assert [place for place, call in _calls() if not (call.args and _is_event(call.args[0]) and len(call.args) == 1)] == []


def test_a_log_line_carries_no_secret_and_no_manifest() -> None:
    assert [place for place, call in _calls() for keyword in call.keywords if keyword.arg and SECRET.fullmatch(keyword.arg)] == []


def _calls() -> list[tuple[str, ast.Call]]:
    nodes = [(path, node) for path in source.files("plane") for node in source.nodes(path)]
    return [(source.place(path, node), node) for path, node in nodes if isinstance(node, ast.Call) and _is_log(node.func)]


def _is_log(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in ("log", "logger")
    )


def _is_event(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_event(node.body) and _is_event(node.orelse)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and EVENT.fullmatch(node.value) is not None
