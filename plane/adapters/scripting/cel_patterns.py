"""`find` and `findAll` of Kubernetes' CEL, by the RE2 of Google's CEL, which is the RE2 of Go's regexp.

Source: k8s.io/apiserver/pkg/cel/library/regex.go, Kubernetes 1.36.
"""

import functools
import re
from typing import Any

from cel_expr_python import cel

from plane.adapters.scripting import cel_types
from plane.adapters.scripting.cel_types import INT, LIST, TEXT, Function

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\(\?P?<\w+>|\(\?|.", re.DOTALL)
_GROUP = re.compile(r"\((\?P?<\w+>)?")
_LOOKS_AROUND = {"^", "$", r"\b", r"\B", r"\A", r"\z"}  # `regex.extractAll` forgets what it has gone through


def functions() -> tuple[Function, ...]:
    """All of the library."""
    return (
        Function("find", TEXT, [TEXT, TEXT], _find, member=True),
        Function("findAll", LIST, [TEXT, TEXT], _find_all, member=True),
        Function("findAll", LIST, [TEXT, TEXT, INT], _first, member=True),
    )


def _find(text: str, pattern: str) -> str:
    return str(_asked("regex.extract(text, pattern).orValue('')", text, _whole(pattern)))


def _find_all(text: str, pattern: str) -> list[str]:
    if _LOOKS_AROUND & set(_TOKEN.findall(pattern)) or _asked("text.matches('^(?:' + pattern + ')$')", "", _whole(pattern)):
        raise cel_types.untold(f"what findAll gives for {pattern[:100]!r}, which looks at what is around, or matches nothing at all too")
    found: list[str] = _asked("regex.extractAll(text, pattern)", text, _whole(pattern))
    return found


def _first(text: str, pattern: str, most: int) -> list[str]:
    found = _find_all(text, pattern)
    return found if most < 0 else found[:most]


def _whole(pattern: str) -> str:
    """Without groups that are captured, of which `regex.extract` would give the first instead of the whole."""
    if r"\Q" in pattern:
        raise cel_types.untold(f"what {pattern[:100]!r} finds, which quotes with \\Q")
    return "".join("(?:" if _GROUP.fullmatch(one) else one for one in _TOKEN.findall(pattern))


def _asked(expression: str, text: str, pattern: str) -> Any:  # noqa: ANN401 any value of CEL
    found = _compiled(expression).eval(data={"text": text, "pattern": pattern})
    if found.type() == cel.Type.ERROR:
        raise ValueError(str(found.plain_value()))
    return found.plain_value()


@functools.cache
def _compiled(expression: str) -> Any:  # noqa: ANN401 the library's own
    config = cel.NewEnvConfigFromYaml("name: patterns\nextensions:\n- name: regex\n- name: optional\n")
    return cel.NewEnv(config=config, variables={"text": TEXT, "pattern": TEXT}).compile(expression)
