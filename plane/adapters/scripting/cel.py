"""Flux's `healthCheckExprs` in CEL: the object's top-level fields are the names. Runs in the child of `scripts` alone."""

import functools
from typing import Any

from cel_expr_python import cel

from plane.adapters.scripting import script_messages as messages

_NAMES = ("apiVersion", "data", "kind", "metadata", "spec", "status")
_STEPS = (("inProgress", "in_progress", "Progressing"), ("failed", "failed", "Degraded"), ("current", "current", "Healthy"))
_ABSENT = ("NOT_FOUND", "Key not found", "no such key")  # how evaluation says that a field is not there

_ENVIRONMENT = cel.NewEnv(variables=dict.fromkeys(_NAMES, cel.Type.DYN))


def answer(order: messages.Cel, _: messages.Limits) -> dict[str, str]:
    """The first expression that holds, in Flux's order; Progressing while none does or a field is not there yet.

    Raises:
        Refused: an expression that is no CEL, goes wrong, or is neither true nor false.
    """
    for spelled, field, _status in _STEPS:
        _compiled(spelled, getattr(order.expressions, field))
    names = {name: order.body.get(name, {}) for name in _NAMES}
    for spelled, field, status in _STEPS:
        expression = getattr(order.expressions, field)
        if not expression:
            continue
        found = _evaluated(spelled, expression, names)
        if isinstance(found, str):
            return {"status": "Progressing", "message": found}
        if found:
            return {"status": status, "message": f"{spelled}: {expression}"}
    return {"status": "Progressing", "message": "none of its health expressions holds"}


def _evaluated(spelled: str, expression: str, names: dict[str, Any]) -> bool | str:
    """Whether it holds, or what it waits for."""
    try:
        value = _compiled(spelled, expression).eval(data=names)
    except RuntimeError as e:
        raise messages.Refused(f"{spelled} went wrong: {_first(e)}") from e
    found = value.plain_value()
    if isinstance(found, bool):
        return found
    if value.type() != cel.Type.ERROR:
        raise messages.Refused(f"{spelled} is neither true nor false", own=True)
    if any(sign in str(found) for sign in _ABSENT):
        return f"{spelled} waits for a field: {_first(found)}"
    raise messages.Refused(f"{spelled} went wrong: {_first(found)}")


@functools.lru_cache(maxsize=256)
def _compiled(spelled: str, expression: str) -> Any:  # noqa: ANN401  # the library's own
    try:
        return _ENVIRONMENT.compile(expression) if expression else None
    except RuntimeError as e:
        raise messages.Refused(f"{spelled} is no CEL: {_first(e)}", own=True) from e


def _first(said: object) -> str:
    return str(said).removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: <input>:").splitlines()[0]
