r"""Globs as Argo CD reads them, of both kinds that it has.

`matches`: `*`, `**`, `?`, `[abc]`, `[!a-z]`, `{a,b}`, `\`; for URLs, clusters and namespaces, as the Go package `gobwas/glob`.
`matches_name`: `*`, `?`, `[a-z]`, `[^a]`, `\`, where `*` stops at `/`; for groups, kinds and names, as Go's `filepath.Match`.
What cannot be read matches nothing.
"""

import functools
import re
from collections.abc import Sequence

MAX_LENGTH = 1024  # a longer glob is nobody's, and its automaton is not worth the memory


class BadGlob(ValueError):
    """A glob that cannot be read; the message is the rule."""


@functools.lru_cache(4096)
def matches(glob: str, text: str, *, stop: str = "") -> bool:
    """Whether a text is as the glob says; `*` and `?` do not pass the character `stop`."""
    try:
        machine = _machine(glob, stop)
    except BadGlob:
        return False
    states = _reached(machine, [START])
    for char in text:
        states = _reached(machine, [after for state in states for taken, after in machine[state].takes if taken.match(char)])
        if not states:
            return False
    return END in states


def matches_name(glob: str, text: str) -> bool:
    """The same for groups, kinds and names."""
    try:
        return _compiled_name(glob).fullmatch(text) is not None
    except BadGlob:
        return False


def problem(glob: str) -> str:
    """Why it cannot be read, or the empty string."""
    try:
        _machine(glob, "")
    except BadGlob as error:
        return str(error)
    return ""


START, END = 0, 1


class _State:
    """Where a reader of the text may stand: what it takes to go on, and where it may go for nothing."""

    def __init__(self) -> None:
        self.takes: list[tuple[re.Pattern[str], int]] = []
        self.free: list[int] = []


def _reached(machine: Sequence[_State], edge: list[int]) -> set[int]:
    """All states that some lead to for nothing."""
    found = set(edge)
    while edge:
        edge = [after for state in edge for after in machine[state].free if after not in found]
        found.update(edge)
    return found


@functools.lru_cache(4096)
def _machine(glob: str, stop: str) -> Sequence[_State]:
    return _Reader(glob, stop).read()


class _Reader:
    """One glob on its way to a machine: all ways through it are walked at once, so that no text takes long."""

    def __init__(self, glob: str, stop: str) -> None:
        if len(glob) > MAX_LENGTH:
            raise BadGlob(f"is longer than {MAX_LENGTH} characters")
        self._glob = glob
        self._at = 0
        self._states = [_State(), _State()]
        self._here = START
        self._braces: list[tuple[int, int]] = []  # where each open one begins and ends
        self._one = _sign(f"[^{re.escape(stop)}]" if stop else ".")

    def read(self) -> Sequence[_State]:
        """All states."""
        while self._at < len(self._glob):
            self._next()
        while self._braces:
            self._close()
        self._go(END)
        return self._states

    def _next(self) -> None:
        char = self._take()
        match char:
            case "*":
                self._star()
            case "?":
                self._step(self._one)
            case "[":
                self._step(_sign(self._class()))
            case "{":
                self._braces.append((self._here, self._new()))
            case "}" if self._braces:
                self._close()
            case "," if self._braces:
                begin, end = self._braces[-1]
                self._go(end)
                self._here = begin
            case "\\":
                self._escaped()
            case _:
                self._step(_sign(re.escape(char)))

    def _escaped(self) -> None:
        """The next one as itself; a backslash at the end says nothing."""
        if self._peek():
            self._step(_sign(re.escape(self._take())))

    def _new(self) -> int:
        self._states.append(_State())
        return len(self._states) - 1

    def _go(self, state: int) -> None:
        """From here, for nothing."""
        self._states[self._here].free.append(state)

    def _step(self, sign: re.Pattern[str]) -> None:
        """From here by one character."""
        after = self._new()
        self._states[self._here].takes.append((sign, after))
        self._here = after

    def _close(self) -> None:
        _, end = self._braces.pop()
        self._go(end)
        self._here = end

    def _star(self) -> None:
        one = self._one
        if self._peek() == "*":
            self._take()
            one = _sign(".")
        again = self._new()
        self._go(again)
        self._here = again
        self._states[again].takes.append((one, again))

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
def _sign(expression: str) -> re.Pattern[str]:
    """One character."""
    return re.compile(expression, re.DOTALL)


@functools.lru_cache(4096)
def _compiled_name(glob: str) -> re.Pattern[str]:
    found, left = [""], glob[: MAX_LENGTH + 1]  # what stands between stars
    while left:
        part = _PART.match(left)
        if part is None or len(glob) > MAX_LENGTH:
            raise BadGlob("ends inside brackets or after a backslash, or is too long")
        if part[0][0] == "*":
            found.append("")
        else:
            found[-1] += _part(part[0])
        left = left[part.end() :]
    return re.compile(starred(found, "[^/]"), re.DOTALL)


def starred(parts: Sequence[str], one: str) -> str:
    """An expression for parts, each of a length of its own, with any number of `one` between them.

    Each part is looked for once, at its first place: another one never leads further, and trying them all takes for ever.
    """
    first, *middle = parts
    last = f"{one}*{middle.pop()}" if middle else ""
    return first + "".join(f"(?>{one}*?{part})" for part in middle) + last


_PART = re.compile(r"\*+|\?|\[\^?(?:\\.|[^\\\]-])(?:-?(?:\\.|[^\\\]-]))*\]|\\.|[^*?\[\\]", re.DOTALL)
_CLASS_ITEM = re.compile(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", re.DOTALL)


def _part(text: str) -> str:
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
