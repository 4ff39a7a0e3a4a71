"""Health scripts in Lua as Argo CD runs them: `obj` comes in, `hs.status` and `hs.message` go out. Runs in the child of `scripts` alone."""

import re
import time
from collections.abc import Mapping
from typing import Any

from lupa import lua52

from plane.adapters.scripting import script_messages as messages

# What reaches outside, or makes code out of text. Argo CD leaves out as much unless `useOpenLibs` is set.
_AWAY = ("collectgarbage", "debug", "dofile", "getfenv", "io", "load", "loadfile", "loadstring", "module", "newproxy", "package")
_BARRED = (*_AWAY, "print", "python", "require", "setfenv")

_LINE = re.compile(r"\bscript:(\d+): ")  # how Lua names a line of the chunk below
_CHUNK = "=script"
_COMPILED = "\x1bLua"
# A script that takes too long is told so on the line it is at; one that catches this too is ended by the kernel a moment later.
# Argo CD runs Lua 5.1 with 5.2's `goto`: here it is 5.2 with what 5.1 had besides and scripts use.
_OLD = "unpack = table.unpack table.getn = function(t) return #t end"
_HOOK = """
local hook, fail = debug.sethook, error
return function(clock, till)
  hook(function() if clock() > till then hook() fail("LATE", 2) end end, "", 10000)
end
"""
_EARLY = 0.8  # of the wall bound
_THROWN = (ArithmeticError, AttributeError, OSError, TypeError, ValueError)  # what the clock's functions make of odd arguments


def answer(order: messages.Lua, limits: messages.Limits) -> dict[str, str]:
    """What the script returned.

    Raises:
        Refused: it is no Lua, went wrong, or returned no table with a status.
    """
    found = evaluated(order.script, {"obj": order.body}, limits)
    if lua52.lua_type(found) != "table" or not isinstance(found["status"], str):
        raise messages.Refused("returned no health; set hs.status to a status and return hs")
    message = found["message"]
    return {"status": found["status"], "message": message if isinstance(message, str) else ""}


def evaluated(script: str, given: Mapping[str, Any], limits: messages.Limits, *, prelude: str = "") -> Any:  # noqa: ANN401  # a value of Lua's
    """What a script returns that knows `given` by name; `prelude` is code of ours that runs before it.

    Raises:
        Refused: it is no Lua, or went wrong.
    """
    runtime = lua52.LuaRuntime(
        unpack_returned_tuples=True,
        register_eval=False,
        register_builtins=False,
        attribute_filter=_nothing,
        max_memory=limits.memory_bytes // 4,
    )
    names = runtime.globals()
    runtime.execute(_OLD)
    watch = runtime.execute(_HOOK)
    for name in _BARRED:
        names[name] = None
    names.os = runtime.table_from({"time": _time, "date": _date})
    for name, value in given.items():
        names[name] = _table(runtime, value)
    runtime.execute(prelude)
    ready = compiled(runtime, script)
    watch(time.monotonic, time.monotonic() + _EARLY * limits.wall_s)
    try:
        return ready()
    except lua52.LuaMemoryError as e:
        raise MemoryError from e
    except (lua52.LuaError, *_THROWN) as e:
        said = _told(e, limits)
        raise messages.Refused(said, own="stopped" in said or "attempt to call" in said) from e


def compiled(runtime: lua52.LuaRuntime, script: str) -> Any:  # noqa: ANN401  # a function of Lua's
    """The script as a function; Refused when it is no Lua."""
    if script.startswith(_COMPILED):
        raise messages.Refused("is no Lua: compiled code is not run, write the script itself", own=True)
    try:
        return runtime.compile(script, name=_CHUNK)
    except lua52.LuaError as e:
        raise messages.Refused(f"is no Lua: {_lined(str(e).removeprefix('error loading code: '))}", own=True) from e


def _told(error: Exception, limits: messages.Limits) -> str:
    said = _lined(str(error))
    if said.endswith("LATE"):
        return f"took longer than {limits.wall_s:g} s and was stopped at {said.removesuffix(': LATE')}"
    return f"went wrong: {said}"


def _lined(said: str) -> str:
    return _LINE.sub(r"line \1: ", said.splitlines()[0])


def _nothing(_: object, name: object, is_setting: object) -> str:  # noqa: ARG001  # lupa's own signature
    raise AttributeError(f"{name} is out of reach")


def _table(runtime: lua52.LuaRuntime, value: Any) -> Any:  # noqa: ANN401  # any JSON data
    """Lua's tables: a list counts from one, null is absent, every number is a double as in Argo CD."""
    if isinstance(value, dict):
        return runtime.table_from({name: _table(runtime, below) for name, below in value.items() if below is not None})
    if isinstance(value, list):
        return runtime.table_from([_table(runtime, below) for below in value if below is not None])
    return value


def _time(*_: object) -> float:
    return float(int(time.time()))


def _date(form: str = "%c", at: float | None = None) -> str:
    moment = time.time() if at is None else at
    return time.strftime(form.removeprefix("!"), time.gmtime(moment))
