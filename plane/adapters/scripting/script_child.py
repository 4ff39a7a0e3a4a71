"""The child that runs scripts: no files, no network, no secrets; the kernel ends it when a script passes its time. `scripts` starts it."""

import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from plane.adapters.sandbox import kernel
from plane.adapters.scripting import script_messages as messages

ENGINES = {
    "Act": "plane.adapters.scripting.lua_actions",
    "Cel": "plane.adapters.scripting.cel",
    "Lua": "plane.adapters.scripting.lua",
    "Paths": "plane.adapters.scripting.jq",
}
IDLE_BYTES = 640 * 2**20  # address space of Python with its engines: their libraries are mapped, hardly any of it is used


def main() -> None:
    """Answer orders until the plane goes away."""
    limits = msgspec.json.decode(sys.argv[2], type=messages.Limits)
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)  # a script that prints prints nowhere
    engine = importlib.import_module(ENGINES[sys.argv[1]]).answer
    _lock(limits)
    while True:
        try:
            order = messages.order(messages.read(orders))
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, limits.wall_s)  # nobody catches the alarm, so it ends the process, inside C code too
        answer = _answer(engine, order, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        messages.write(answers, messages.encoded(answer))


def _answer(engine: Callable[..., Any], order: messages.Order, limits: messages.Limits) -> messages.Answer:
    try:
        return messages.Told(engine(order, limits))
    except messages.Refused as e:
        return messages.Failed(str(e), own=e.own)
    except MemoryError:
        return messages.Failed(f"used more than {limits.memory_bytes // 2**20} MiB of memory and was stopped", own=True)
    except RecursionError:
        return messages.Failed("is nested too deeply", own=True)


def _lock(limits: messages.Limits) -> None:
    if kernel.leave_namespaces(kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | (kernel.CLONE_NEWUSER if os.geteuid() else 0)):
        kernel.drop_capabilities()
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 32,
        resource.RLIMIT_AS: IDLE_BYTES + limits.memory_bytes,
    }
    kernel.limit(bounds.items())
    kernel.no_new_privileges()
    kernel.enter(kernel.ruleset(kernel.landlock_abi(), {}))


if __name__ == "__main__":
    main()
