"""The patterns of `directory.include` and `exclude`: as Argo CD reads them, `*` also crosses `/`."""

import functools
import re

_PART = re.compile(r"\\.|\*+|\?|\[!?\]?[^\]]*\]|[{},]|.", re.DOTALL)


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    r"""`*`, `**`, `?`, `[a-z]`, `[!a]`, `{a,b}` (nested too) and `\x`; a brace that is never closed means itself."""
    if pattern.count("{") != pattern.count("}"):
        pattern = re.sub(r"([{}])", r"\\\1", pattern)
    depth = 0
    made: list[str] = []
    for part in _PART.findall(pattern):
        depth += (part == "{") - (part == "}")
        made.append(_translated(part, alternatives=depth > 0))
    return re.compile("".join(made), re.DOTALL)


def _translated(part: str, *, alternatives: bool) -> str:
    simple = {"?": ".", "{": "(?:", "}": ")", ",": "|" if alternatives else ","}
    if part.startswith("*"):
        return ".*"
    if part in simple:
        return simple[part]
    if part.startswith("[") and len(part) > 1:
        body = re.sub(r"([\\\[\]&~|])", r"\\\1", part[1:-1].removeprefix("!"))
        return f"[{'^' if part[1] == '!' else ''}{body}]"
    return re.escape(part.removeprefix("\\") or part)


def matches(pattern: str, path: str) -> bool:
    """Whether the whole path fits."""
    return compiled(pattern).fullmatch(path) is not None
