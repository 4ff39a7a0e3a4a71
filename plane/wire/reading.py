"""Bytes of a request → a struct, or `Invalid` that names the field, the rule and the nearest spelling."""

import difflib
import json
import re
from typing import Any, TypeVar

import msgspec

from plane.domain import errors, tenancy

T = TypeVar("T")
_MESSAGE = re.compile(r"(?P<rule>.*?)(?: - at `(?:key in )?\$?(?P<path>[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_ENUM = re.compile(r"Invalid enum value (?P<word>.*)", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # the escape, not a backslash before the letters; Postgres has no NUL
_STEP = re.compile(r"\.?([^.\[\]]+)|(\[[^\]]*\])")


def decode(body: bytes, kind: type[T]) -> T:
    """The struct in JSON text.

    Raises:
        Invalid: no JSON, or the first field that breaks a rule.
    """
    if _NUL.search(body):
        raise errors.Invalid({"": "a text holds the character NUL, which no name, path or manifest may"})
    try:
        found = msgspec.json.decode(body, type=kind)
        json.loads(body, object_pairs_hook=_once, parse_int=str, parse_float=str)  # which of two would count, every reader decides anew
    except msgspec.ValidationError as e:
        raise errors.Invalid(explain(str(e), kind)) from e
    except _Twice as e:
        raise errors.Invalid({e.key[:100]: "occurs twice in one mapping; keep one"}) from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise errors.Invalid({"": f"the body is not JSON as RFC 8259 describes it: {e}"}) from e
    return found


class _Twice(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for n, name in enumerate(names) if name in names[:n]))


def convert(value: object, kind: type[T], *, strict: bool = True) -> T:
    """The struct in plain data (query parameters with `strict=False`); raises as `decode`."""
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as e:
        raise errors.Invalid(explain(str(e), kind)) from e


def explain(message: str, kind: Any) -> dict[str, str]:  # noqa: ANN401 - a type form, which has no type of its own
    """Path and rule from msgspec's own message."""
    found = _MESSAGE.fullmatch(message)
    rule, path = (found["rule"], (found["path"] or "").removeprefix(".")) if found else (message, "")
    if unknown := _UNKNOWN.fullmatch(rule):
        return {_join(path, unknown["field"][:100]): _nearest(unknown["field"], _fields_at(kind, path))}
    if missing := _MISSING.fullmatch(rule):
        return {_join(path, missing["field"]): "is required"}
    if wrong := _ENUM.fullmatch(rule):
        return {path: _choice(wrong["word"], _words_at(kind, path))}
    if "matching regex" in rule and tenancy.DNS_LABEL.pattern in rule:
        return {path: tenancy.LABEL_RULE}
    return {path: rule[:1].lower() + rule[1:].replace("`", "")}


def _join(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _nearest(field: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(field, known, n=1)
    return f"there is no such field; did you mean {close[0]}?" if close else f"there is no such field; known here: {', '.join(known)}"


def _choice(word: str, known: tuple[str, ...]) -> str:
    return f"is {word[:100]}, which is none of its words: {', '.join(known)}" if known else f"{word[:100]} is none of its words"


def _words_at(kind: Any, path: str) -> tuple[str, ...]:  # noqa: ANN401 - a type form, which has no type of its own
    """What a field takes that takes some words only."""
    found = _options(_at(kind, path))
    return tuple(str(word) for option in found if isinstance(option, msgspec.inspect.LiteralType) for word in option.values)


def _fields_at(kind: Any, path: str) -> tuple[str, ...]:  # noqa: ANN401 - as above
    struct = _struct(_at(kind, path))
    if struct is None:
        return ()
    tag = (struct.tag_field,) if struct.tag_field else ()
    return (*tag, *(field.encode_name for field in struct.fields))


def _at(kind: Any, path: str) -> msgspec.inspect.Type:  # noqa: ANN401 - as above
    at = msgspec.inspect.type_info(kind)
    for name, item in _STEP.findall(path):
        at = _item(at) if item else _field(at, name)
    return at


def _field(at: msgspec.inspect.Type, name: str) -> msgspec.inspect.Type:
    struct = _struct(at)
    found = [field.type for field in struct.fields if field.encode_name == name] if struct else []
    return found[0] if found else msgspec.inspect.AnyType()


def _item(at: msgspec.inspect.Type) -> msgspec.inspect.Type:
    for option in _options(at):
        if isinstance(option, msgspec.inspect.VarTupleType | msgspec.inspect.ListType):
            return option.item_type
        if isinstance(option, msgspec.inspect.DictType):
            return option.value_type
    return msgspec.inspect.AnyType()


def _struct(at: msgspec.inspect.Type) -> msgspec.inspect.StructType | None:
    found = [option for option in _options(at) if isinstance(option, msgspec.inspect.StructType)]
    return found[0] if found else None


def _options(at: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, ...]:
    inner = at.type if isinstance(at, msgspec.inspect.Metadata) else at
    return inner.types if isinstance(inner, msgspec.inspect.UnionType) else (inner,)
