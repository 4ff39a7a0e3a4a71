r"""Regular expressions as Go writes them, which Argo CD's `policy.matchMode: regex` is: what Python reads otherwise is written anew.

What Go knows and Python does not: flags in the middle, `\Q…\E`, `\z`, `\x{…}`, `[[:alpha:]]`, names without P, `{,3}` as itself, repeated
anchors. What Python knows and Go does not is none: back references, looking around, possessive and stacked repeats, more than 1000.
Source: https://pkg.go.dev/regexp/syntax
"""

import functools
import re

MOST = 1000  # repeats
_TOKEN = re.compile(
    r"""\\Q(?P<quoted>.*?)(?:\\E|\Z)
    | \\(?P<escape>x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|[pP]\{\w+\}|[pP]\w|.)
    | \(\?P?<(?P<name>\w+)>
    | \(\?(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<scope>[:)])
    | (?P<open>\((?!\?))
    | (?P<close>\))
    | \[(?P<class>\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]
    | (?P<repeat>[*+?]|\{\d+(?:,\d*)?\})(?P<lazy>\??)
    | (?P<bar>\|)
    | (?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
_IN_CLASS = re.compile(r"\[:(?P<set>\w+):\]|\\(?P<escape>x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)|(?P<plain>.)", re.DOTALL)
_SETS = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7F", "blank": r"\t ", "cntrl": r"\x00-\x1F\x7F", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ", "upper": "A-Z",
    "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_UNICODE = {"pL": "[A-Za-z]", "p{L}": "[A-Za-z]", "pN": "[0-9]", "p{N}": "[0-9]"}  # what there is of them in ASCII
_BETWEEN = {"b": r"(?:\b)", "B": r"(?:\B|\A\Z)", "A": r"(?:\A)", "z": r"(?:\Z)"}  # Go lets them be repeated, as `^` and `$`
_SIGNS = {".": ".", "^": "(?:^)", "$": "(?:$)"}
_AS_THEY_ARE = frozenset("dDsSwWaftnrv")


class _Foreign(ValueError):
    """It is no expression of Go's, or holds a Unicode class other than letters and numbers."""


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """None for what is no such expression."""
    try:
        return re.compile(_Writer().written(pattern), re.ASCII)
    except (re.error, _Foreign, OverflowError):
        return None


class _Writer:
    """One expression on its way. Flags in the middle hold until their group ends, on both sides of a bar."""

    def __init__(self) -> None:
        self._flags: list[list[str]] = [[]]  # of each open group
        self._repeated = False

    def written(self, pattern: str) -> str:
        """For Python."""
        parts = [self._part(found) for found in _TOKEN.finditer(pattern)]
        return "".join(parts) + ")" * len(self._flags.pop())

    def _part(self, found: re.Match[str]) -> str:
        kind, repeated = found.lastgroup or "", self._repeated
        self._repeated = kind in {"repeat", "lazy"}
        match kind:
            case "repeat" | "lazy":
                return _repeat(found, again=repeated)
            case "open" | "name" | "scope":
                return self._opened(found)
            case "close":
                return self._closed()
            case "bar":
                return ")" * len(self._flags[-1]) + "|" + "".join(self._flags[-1])
            case "class":
                return _class(found["class"])
            case "escape":
                return _escape(found["escape"])
            case _:
                return _plain(found["plain"]) if found["plain"] else re.escape(found["quoted"])

    def _opened(self, found: re.Match[str]) -> str:
        if found["scope"] != ")":
            self._flags.append([])
            return f"(?P<{found['name']}>" if found["name"] else _flags(found["flags"]) if found["scope"] else "("
        opening = _flags(found["flags"])
        self._flags[-1].append(opening)
        return opening

    def _closed(self) -> str:
        if len(self._flags) == 1:
            raise _Foreign
        return ")" * (len(self._flags.pop()) + 1)


def _flags(text: str) -> str:
    """U, which swaps greedy and lazy, changes nothing about whether a text matches."""
    on, _, off = text.replace("U", "").partition("-")
    return f"(?{on}{'-' if off else ''}{off}:"


def _repeat(found: re.Match[str], *, again: bool) -> str:
    counts = [int(count) for count in re.findall(r"\d+", found["repeat"])]
    if again or any(count > MOST for count in counts):
        raise _Foreign
    return found[0]


def _escape(text: str) -> str:
    return _UNICODE.get(text) or _BETWEEN.get(text) or _sign(text)


def _sign(text: str) -> str:
    """What stands behind a backslash, in a class or not."""
    if text in _AS_THEY_ARE:
        return f"\\{text}"
    if text[0] == "x" and len(text) > 1:
        return re.escape(chr(int(text[1:].strip("{}"), 16)))
    if text[0] in "01234567" and (text[0] == "0" or len(text) > 1):
        return re.escape(chr(int(text, 8)))
    if text.isalnum() or not text.isascii():
        raise _Foreign
    return re.escape(text)


def _class(text: str) -> str:
    no = "^" if text[:1] == "^" else ""
    return f"[{no}{''.join(map(_of_class, _IN_CLASS.finditer(text.removeprefix('^'))))}]"


def _of_class(found: re.Match[str]) -> str:
    if found["set"]:
        if found["set"] not in _SETS:
            raise _Foreign
        return _SETS[found["set"]]
    if found["escape"]:
        return _sign(found["escape"])
    return found["plain"] if found["plain"] == "-" else re.escape(found["plain"])


def _plain(char: str) -> str:
    if char in "([\\":  # what opens and is none of the above
        raise _Foreign
    return _SIGNS.get(char) or re.escape(char)
