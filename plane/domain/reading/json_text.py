"""A stream of JSON documents → plain data, with the bounds and the refusals of YAML."""

import json
import re
from typing import Any, NoReturn

import msgspec

from plane.domain.reading import scalars, yaml_text

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]')
_LINE_SPACE = re.compile(r"[^\S\n]*\n?")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_INT64_DIGITS = 20  # with the sign


class Found(msgspec.Struct, frozen=True):
    """Documents with their lines, counted from 0, and the number of characters they took of the text."""

    documents: tuple[yaml_text.Parsed, ...]
    end: int
    failure: yaml_text.BadText | None = None  # why reading stopped before the end of the text


def parse(text: str) -> Found:
    """Read document after document until the text ends or stops being JSON.

    Raises:
        BadText: a key twice, a number JSON cannot hold, too deep.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_mapping, parse_float=_float, parse_int=_int, parse_constant=_constant)
    documents: list[yaml_text.Parsed] = []
    end, start = 0, _content(text, 0)
    _bound(text)
    while start < len(text):
        line = text.count("\n", 0, start)
        try:
            value, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            failure = yaml_text.BadText(f"this is not JSON: {error.msg}, column {error.colno}", error.lineno - 1)
            return Found(tuple(documents), _LINE_SPACE.match(text, end).end() if end else 0, failure)  # type: ignore[union-attr] # matches ""
        except _KeyTwice as error:
            raise yaml_text.BadText(str(error), _second(text, start, error.key)) from error
        except scalars.BadScalar as error:
            raise yaml_text.BadText(str(error), line) from error
        _check_text(value, text[start:end], line)
        documents.append(yaml_text.Parsed(value, line))
        start = _content(text, end)
    return Found(tuple(documents), len(text))


class _KeyTwice(scalars.BadScalar):
    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"the key {key!r} occurs twice in one mapping; keep one")


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) < len(pairs):
        seen: set[str] = set()
        raise _KeyTwice(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value] # add says None
    return body


def _float(digits: str) -> object:
    return scalars.in_json(float(digits))


def _int(digits: str) -> object:
    return scalars.in_json(int(digits) if len(digits) <= _INT64_DIGITS else float(digits))


def _constant(word: str) -> NoReturn:
    message = f"{word} is not JSON"
    raise scalars.BadScalar(message)


def _content(text: str, start: int) -> int:
    return start + len(text[start:]) - len(text[start:].lstrip())


def _bound(text: str) -> None:
    """Depth first, on the brackets: the decoder recurses."""
    if text.count("{") + text.count("[") < yaml_text.MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > yaml_text.MAX_DEPTH:
            rule = f"nested deeper than {yaml_text.MAX_DEPTH} levels; Kubernetes objects never are"
            raise yaml_text.BadText(rule, text.count("\n", 0, token.start()))


def _check_text(value: object, source: str, line: int) -> None:
    if not _SURROGATE.search(source):
        return
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError as error:
        rule = "half of a surrogate pair is not a character; write the character itself"
        raise yaml_text.BadText(rule, line) from error


def _second(text: str, start: int, key: str) -> int:
    """The line of the second `key` in one object."""
    scopes: list[int] = []
    previous = None
    for token in _TOKEN.finditer(text, start):
        if token[0] in "{[":
            scopes.append(0)
        elif token[0] in "}]":
            scopes.pop()
        elif token[0] == ":" and previous is not None and json.loads(previous[0]) == key:
            scopes[-1] += 1
            if scopes[-1] > 1:
                return text.count("\n", 0, previous.start())
        previous = token
    return text.count("\n", 0, start)
