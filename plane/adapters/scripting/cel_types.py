"""What Kubernetes adds to CEL is declared as values of this kind. Its own types are maps of one key, so that equal values are equal."""

from collections.abc import Callable
from typing import Any

import msgspec
from cel_expr_python import cel

MAP = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
LIST = cel.Type.List(cel.Type.DYN)
TEXT, INT, BOOL, DOUBLE, DYN = cel.Type.STRING, cel.Type.INT, cel.Type.BOOL, cel.Type.DOUBLE, cel.Type.DYN
UNTOLD = "cannot be told without the API server"  # begins what such an expression says; no failure policy excuses it

Value = dict[str, str]  # what kind of value it is → the value as text


class Function(msgspec.Struct, frozen=True):
    """One overload. `takes`: types of its arguments; of a member the first is what it is a member of."""

    name: str
    gives: Any
    takes: list[Any]
    call: Callable[..., Any]
    member: bool = False


def untold(why: str) -> ValueError:
    """The error for what Kubernetes may see otherwise than we do."""
    return ValueError(f"{UNTOLD}: {why}")


def content(value: Value, kind: str) -> str:
    """The text of a value of that kind; ValueError for any other."""
    if kind not in value:
        message = f"no such overload: a value of {kind} is needed"
        raise ValueError(message)
    return value[kind]
