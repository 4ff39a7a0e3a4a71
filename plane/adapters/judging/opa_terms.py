"""Terms of OPA's syntax tree, as traces have them, written as a person writes Rego; variables by what they are bound to."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

Term = dict[str, Any]
Bound = Mapping[str, Term]
Names = Mapping[str, str]
Path = tuple[Any, ...]  # a variable's name, then keys and indexes
INFIX = {
    "eq": "=", "equal": "==", "assign": ":=", "neq": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=",
    "plus": "+", "minus": "-", "mul": "*", "div": "/", "rem": "%", "and": "&", "or": "|", "internal.member_2": "in",
}  # fmt: skip
MADE = ("__local", "$")  # how names begin that the compiler makes
_COMPREHENSIONS = ("arraycomprehension", "setcomprehension", "objectcomprehension")
_COLLECTIONS = ("array", "set", "object")
_DEEP = 6  # levels of an expression that anybody reads


def expression(node: Term, bound: Bound, names: Names) -> str:
    """One expression of a body with the values that its variables have."""
    terms = node.get("terms")
    if isinstance(terms, dict):
        said = text(terms, bound, names) if "type" in terms else "some or every of a collection"
    else:
        operator, *given = terms or [{}]
        said = _call(_operator(operator), [text(one, bound, names) for one in _given(given, bound)])
    return f"not {said}" if node.get("negated") else said


def text(term: Term, bound: Bound, names: Names, depth: int = 0) -> str:
    """A term as Rego."""
    kind, value = term.get("type"), term.get("value")
    if depth > _DEEP:
        return "…"
    if kind == "var":
        taken = bound.get(str(value))
        return text(taken, {}, names, depth + 1) if taken else known(str(value), names) or "_"
    if kind == "ref":
        return _ref(value or [], bound, names, depth)
    if kind == "call":
        operator, *given = value or [{}]
        return _call(_operator(operator), [text(one, bound, names, depth + 1) for one in given])
    if kind in _COLLECTIONS:
        return _collection(term, bound, names, depth)
    return "a comprehension" if kind in _COMPREHENSIONS else _plain(value)


def reads(node: object) -> Iterator[Path]:
    """Variables in an expression with the path behind them as far as it is written out; `input` is one. Not those of bodies inside it."""
    if isinstance(node, list):
        for one in node:
            yield from reads(one)
    elif isinstance(node, dict):
        kind, value = node.get("type"), node.get("value")
        if kind == "var":
            yield (str(value),)
        elif kind == "ref" and value:
            if value[0].get("type") == "var":
                yield (str(value[0]["value"]), *_constants(value[1:]))
            yield from reads(value[1:])
        elif kind not in _COMPREHENSIONS:
            yield from reads(node.get("terms", value))


def below(term: Term, path: tuple[str | int, ...]) -> Term | None:
    """What stands at a path in a value; None when nothing does."""
    for part in path:
        value = term.get("value") or []
        if term.get("type") == "object":
            found = next((one for key, one in value if key.get("value") == part), None)
        elif term.get("type") == "array" and isinstance(part, int) and 0 <= part < len(value):
            found = value[part]
        else:
            found = None
        if found is None:
            return None
        term = found
    return term


def known(name: str, names: Names) -> str:
    """A variable as its author wrote it; empty for one that the compiler made."""
    written = names.get(name, name)
    return "" if written.startswith(MADE) else written


def path(root: str, parts: Iterable[str | int]) -> str:
    """A path as Rego writes it."""
    return root + "".join(f".{one}" if isinstance(one, str) and one.isidentifier() else f"[{_plain(one)}]" for one in parts)


def _constants(terms: list[Term]) -> Iterator[str | int]:
    for one in terms:
        if one.get("type") not in {"string", "number"}:
            return
        yield one["value"]


def _given(given: list[Term], bound: Bound) -> list[Term]:
    """Without the variable that would have taken the answer of a call, had there been one."""
    last = given[-1] if given else {}
    unbound = last.get("type") == "var" and str(last.get("value")).startswith(MADE) and str(last.get("value")) not in bound
    return given[:-1] if unbound and len(given) > 1 else given


def _operator(term: Term) -> str:
    value = term.get("value")
    if not isinstance(value, list):
        return str(value)
    words = [str(one.get("value")) for one in value]
    return ".".join(words[-2:] if words[0] == "data" else words)


def _call(operator: str, given: list[str]) -> str:
    if operator in INFIX and len(given) > 1:
        taken = f"{given[0]} {INFIX[operator]} {given[1]}"
        return f"{taken} = {given[2]}" if given[2:] else taken
    return f"{operator}({', '.join(given)})"


def _ref(value: list[Term], bound: Bound, names: Names, depth: int) -> str:
    head, *rest = value
    made = str(head.get("value"))
    parts = tuple(_constants(rest))
    if head.get("type") == "var" and made in bound and (found := below(bound[made], parts)):
        root, rest = text(found, {}, names, depth + 1), rest[len(parts) :]
    else:
        root = (known(made, names) or "_") if head.get("type") == "var" else text(head, bound, names, depth + 1)
    written = (
        path("", (one["value"],)) if one.get("type") in {"string", "number"} else f"[{text(one, bound, names, depth + 1)}]" for one in rest
    )
    return root + "".join(written)


def _collection(term: Term, bound: Bound, names: Names, depth: int) -> str:
    value = term.get("value") or []
    if term["type"] == "object":
        pairs = (f"{text(key, bound, names, depth + 1)}: {text(one, bound, names, depth + 1)}" for key, one in value)
        return f"{{{', '.join(pairs)}}}"
    inside = ", ".join(text(one, bound, names, depth + 1) for one in value)
    if term["type"] == "array":
        return f"[{inside}]"
    return f"{{{inside}}}" if value else "set()"


def _plain(value: object) -> str:
    return msgspec.json.encode(value).decode()
