"""Resource actions in Lua as Argo CD runs them: `obj` and `actionParams` come in, the object or a list of changes goes out.

Runs in the child of `scripts` alone.
"""

from typing import Any

from lupa import lua52

from plane.adapters.scripting import lua
from plane.adapters.scripting import script_messages as messages

# Argo CD's scripts begin with `local os = require("os")`, and get an os that only tells the time.
_REQUIRE = """
local os, fail = os, error
function require(name)
  if name == "os" then return os end
  fail("only os can be required", 2)
end
"""
_DEEPEST = 100


def answer(order: messages.Act, limits: messages.Limits) -> Any:  # noqa: ANN401  # any JSON data
    """What the script returned, as JSON data: empty tables are what the object had there, or mappings."""
    given: dict[str, Any] = {"obj": order.body} if order.parameters is None else {"obj": order.body, "actionParams": order.parameters}
    found = lua.evaluated(order.script, given, limits, prelude=_REQUIRE)
    if lua52.lua_type(found) != "table":
        wanted = "a table from the names of actions to {}" if order.parameters is None else "obj, or a list of changes"
        raise messages.Refused(f"returned no table; return {wanted}", own=True)
    return _plain(found, {} if order.parameters is None else order.body, 0)


def _plain(value: Any, like: Any, depth: int) -> Any:  # noqa: ANN401  # a value of Lua's, any JSON data
    if lua52.lua_type(value) == "table":
        if depth > _DEEPEST:
            raise messages.Refused("returned a table that is nested too deeply, or holds itself")
        return _table(value, like, depth)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return _number(value, like)
    raise messages.Refused("returned a function or another value that no object can hold")


def _table(value: Any, like: Any, depth: int) -> Any:  # noqa: ANN401  # as above
    keys = list(value)
    if not keys:
        return [] if isinstance(like, list) else {}
    if all(isinstance(key, int | float) for key in keys):
        items = like if isinstance(like, list) else []
        each = like if isinstance(like, dict) else None  # a list of changes, of which one may be of the object
        return [_plain(value[n], items[n - 1] if n <= len(items) else each, depth + 1) for n in range(1, len(keys) + 1)]
    if {"operation", "resource"} <= set(keys):
        like = {"resource": like}
    fields = like if isinstance(like, dict) else {}
    return {str(key): _plain(value[key], fields.get(key), depth + 1) for key in keys}


def _number(value: float, like: Any) -> float:  # noqa: ANN401  # as above
    """Numbers are doubles in Lua: what the script did not touch keeps the digits that a double loses."""
    if isinstance(like, int | float) and not isinstance(like, bool) and float(like) == value:
        return like
    return int(value) if float(value).is_integer() else value
