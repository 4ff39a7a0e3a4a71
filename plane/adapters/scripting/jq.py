"""jq path expressions, by libjq itself. Runs in the child of `scripts` alone: nothing interrupts libjq."""

import functools
from typing import Any

import jq

from plane.adapters.scripting import script_messages as messages

_NO_PATH = "Invalid path expression"


def answer(order: messages.Paths, _: messages.Limits) -> list[Any]:
    """Where the expression leads; nowhere when it fails on this object, as a deletion in Argo CD's normaliser does.

    Raises:
        Refused: it is no jq, or no path expression.
    """
    try:
        found: list[Any] = _compiled(order.expression).input_value(order.body).first()
    except ValueError as e:
        if str(e).startswith(_NO_PATH):
            raise messages.Refused("names no path: it computes a value; write the path that leads to the field") from e
        return []
    return [path for path in found if all(isinstance(step, str | int) for step in path)]


@functools.lru_cache(maxsize=64)  # compiling costs more than most objects
def _compiled(expression: str) -> Any:  # noqa: ANN401  # libjq's program
    try:
        return jq.compile(f"[path({expression}\n)]")
    except ValueError as e:
        raise messages.Refused(f"is no jq expression: {str(e).splitlines()[0].removeprefix('jq: error: ').split(' at <')[0]}") from e
