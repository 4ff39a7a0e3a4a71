r"""Globs as Argo CD reads them, of both kinds that it has.

`matches`: `*`, `**`, `?`, `[abc]`, `[!a-z]`, `{a,b}`, `\`; for URLs, clusters and namespaces, as the Go package `gobwas/glob`.
`matches_name`: `*`, `?`, `[a-z]`, `[^a]`, `\`, where `*` stops at `/`; for groups, kinds and names, as Go's `filepath.Match`.
What cannot be read matches nothing.
"""

import functools
import re

MAX_LENGTH = 1024  # a longer glob is nobody's, and its automaton is not worth the memory


class BadGlob(ValueError):
    """A glob that cannot be read; the message is the rule."""


def matches(glob: str, text: str, *, stop: str = "") -> bool:
    """Whether a text is as the glob says; `*` and `?` do not pass the character `stop`."""
    try:
        return _compiled(glob, stop).fullmatch(text) is not None
    except BadGlob:
        return False


def matches_name(glob: str, text: str) -> bool:
    """The same for groups, kinds and names."""
    try:
        return _compiled_name(glob).fullmatch(text) is not None
    except BadGlob:
        return False


def problem(glob: str) -> str:
    """Why it cannot be read, or the empty string."""
    try:
        _compiled(glob, "")
    except BadGlob as error:
        return str(error)
    return ""


@functools.lru_cache(4096)
def _compiled(glob: str, stop: str) -> re.Pattern[str]:
    return re.compile(_Reader(glob, stop).read(), re.DOTALL)


class _Reader:
    """One glob on its way to a regular expression."""

    def __init__(self, glob: str, stop: str) -> None:
        if len(glob) > MAX_LENGTH:
            raise BadGlob(f"is longer than {MAX_LENGTH} characters")
        self._glob = glob
        self._at = 0
        self._depth = 0
        self._one = f"[^{re.escape(stop)}]" if stop else "."

    def read(self) -> str:
        """The expression."""
        parts: list[str] = []
        while self._at < len(self._glob):
            parts.append(self._next())
        return "".join(parts) + ")" * self._depth

    def _next(self) -> str:
        char = self._take()
        match char:
            case "*":
                return self._star()
            case "?":
                return self._one
            case "[":
                return self._class()
            case "{":
                self._depth += 1
                return "(?:"
            case "}" if self._depth:
                self._depth -= 1
                return ")"
            case "," if self._depth:
                return "|"
            case "\\":
                return re.escape(self._take()) if self._peek() else ""
            case _:
                return re.escape(char)

    def _star(self) -> str:
        if self._peek() == "*":
            self._take()
            return ".*"
        return f"{self._one}*"

    def _class(self) -> str:
        """One range, or a list of characters: never both."""
        no = "^" if self._peek() == "!" else ""
        if no:
            self._take()
        first = self._take()
        if self._peek() == "-":
            self._take()
            last = self._take()
            if self._take() != "]" or last < first:
                raise BadGlob("holds a range that is not written [a-z]; give each range its own brackets")
            return f"[{no}{re.escape(first)}-{re.escape(last)}]"
        self._at -= 1
        chars = ""
        while (char := self._take()) != "]":
            chars += re.escape(self._take() if char == "\\" else char)
        if not chars:
            raise BadGlob("holds empty brackets")
        return f"[{no}{chars}]"

    def _take(self) -> str:
        if self._at >= len(self._glob):
            raise BadGlob("ends inside brackets or after a backslash")
        self._at += 1
        return self._glob[self._at - 1]

    def _peek(self) -> str:
        return self._glob[self._at : self._at + 1]


@functools.lru_cache(4096)
def _compiled_name(glob: str) -> re.Pattern[str]:
    found, left = "", glob[: MAX_LENGTH + 1]
    while left:
        part = _PART.match(left)
        if part is None or len(glob) > MAX_LENGTH:
            raise BadGlob("ends inside brackets or after a backslash, or is too long")
        found += _part(part[0])
        left = left[part.end() :]
    return re.compile(found, re.DOTALL)


_PART = re.compile(r"\*+|\?|\[\^?(?:\\.|[^\\\]-])(?:-?(?:\\.|[^\\\]-]))*\]|\\.|[^*?\[\\]", re.DOTALL)
_CLASS_ITEM = re.compile(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", re.DOTALL)


def _part(text: str) -> str:
    if text[0] == "*":
        return "[^/]*"
    if text == "?":
        return "[^/]"
    if text[0] != "[":
        return re.escape(text[-1])
    no = "^" if text[1] == "^" else ""
    items = [(low[-1], (high or low)[-1]) for low, high in _CLASS_ITEM.findall(text[1 + len(no) : -1])]
    ranges = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in items if low <= high)
    if not ranges:  # a range that runs backwards holds nothing
        return "[^/]" if no else "(?!)"
    return f"[{no}{ranges}]"
