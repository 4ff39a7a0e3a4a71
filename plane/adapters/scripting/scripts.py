"""What users wrote runs in a process of its own, bounded in time and memory: jq paths, Lua health scripts, CEL health expressions."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from plane.adapters.scripting import script_messages as messages
from plane.domain import errors, levels, objects
from plane.domain.acting import action_scripts, actions
from plane.domain.comparing import ownership
from plane.domain.health import health_scripts, health_values

ROOT = Path(__file__).parents[3]  # the folder that holds the package, wherever it is installed
UNSEEN = health_values.Health("Progressing", "its controller has not seen the newest spec yet")
STATUSES = get_args(health_values.Status)
BARE: dict[str, Any] = {"apiVersion": "v1", "kind": "Any", "metadata": {"name": "any"}, "spec": {}, "status": {}}
WHERE = "ignoreDifferences.jqPathExpressions"


class Scripts:
    """Thread-safe; one child per language, started when first needed and replaced when a script has ended it."""

    def __init__(self, limits: messages.Limits = messages.LIMITS) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def paths(self, expressions: tuple[str, ...], body: dict[str, Any]) -> tuple[ownership.Path, ...]:
        """Where jq path expressions lead in an object; an expression that fails on this object leads nowhere.

        Raises:
            Invalid: an expression that is none, or that does not end within its bounds.
        """
        found: list[ownership.Path] = []
        for expression in expressions:
            answer = self._ask(messages.Paths(expression, body))
            if isinstance(answer, messages.Failed):
                raise errors.Invalid({WHERE: f"{expression!r} {answer.reason}"})
            found += msgspec.convert(answer.value, list[tuple[str | int, ...]])
        return tuple(found)

    def lua(self, script: str, body: dict[str, Any], *, name: str = "") -> health_values.Health:
        """What a health script written for Argo CD says of an object; Unknown with the reason when it says nothing."""
        return self._judged(messages.Lua(script, body), name)

    def cel(self, expressions: health_scripts.Expressions, body: dict[str, Any], *, name: str = "") -> health_values.Health:
        """What Flux's `healthCheckExprs` say of an object, once its controller has seen it."""
        if "observedGeneration" in health_values.part(body, "status") and not health_values.observed(body):
            return UNSEEN
        return self._judged(messages.Cel(expressions, body), name)

    def check(self, source: str | health_scripts.Expressions) -> str:
        """Why a health script can never do, as the end of a sentence; empty when it can. It is tried on an object that holds nothing."""
        order = messages.Lua(source, BARE) if isinstance(source, str) else messages.Cel(source, BARE)
        answer = self._ask(order)
        if isinstance(answer, messages.Failed):
            return answer.reason if answer.own else ""
        return "" if answer.value["status"] in STATUSES else _no_status(answer.value["status"])

    def check_actions(self, source: action_scripts.Source) -> dict[str, str]:
        """Field → why a script can never do, tried as `check` does; empty when all can."""
        orders = {"discovery": messages.Act(source.discovery, BARE)}
        orders |= {f"definitions[{name!r}]": messages.Act(script, BARE, {}) for name, script in source.definitions.items()}
        said = {field: self._ask(order) for field, order in orders.items()}
        return {f"spec.actions.{field}": one.reason for field, one in said.items() if isinstance(one, messages.Failed) and one.own}

    def judge(self, found: Sequence[health_scripts.Script], body: dict[str, Any]) -> health_values.Health | None:
        """What the script for an object's kind says; None when none of them is for it."""
        key = objects.key_of(body)
        script = levels.find(found, key.group, key.kind)
        return self.run(script, body) if script else None

    def run(self, script: health_scripts.Script, body: dict[str, Any]) -> health_values.Health:
        """What one script says of an object; a sentence about a script that fails names it."""
        if isinstance(script.source, str):
            return self.lua(script.source, body, name=script.file)
        return self.cel(script.source, body, name=script.file)

    def discover(self, source: action_scripts.Source, body: dict[str, Any]) -> tuple[actions.Action, ...]:
        """The actions that a user's scripts give an object, sorted; Invalid when they do not."""
        return action_scripts.listed(self._acted(messages.Act(source.discovery, body), f"{source.name}: discovery.lua"))

    def act(self, source: action_scripts.Source, body: dict[str, Any], action: str, given: Mapping[str, str]) -> actions.Change:
        """What one of them does to an object; Invalid when it does nothing that can be done."""
        where = f"{source.name}: {action}/action.lua"
        return action_scripts.change(body, self._acted(messages.Act(source.definitions[action], body, dict(given)), where), where=where)

    def close(self) -> None:
        """End the children."""
        with self._lock:
            for engine in tuple(self._children):
                self._end(engine)

    def _acted(self, order: messages.Act, where: str) -> Any:  # noqa: ANN401  # what the script returned
        answer = self._ask(order)
        if isinstance(answer, messages.Failed):
            raise errors.Invalid({where: answer.reason})
        return answer.value

    def _judged(self, order: messages.Lua | messages.Cel, name: str) -> health_values.Health:
        named = f"its health script {name}".rstrip()
        answer = self._ask(order)
        if isinstance(answer, messages.Failed):
            return health_values.Health("Unknown", f"{named} {answer.reason}")
        try:
            return msgspec.convert(answer.value, health_values.Health)
        except msgspec.ValidationError:
            said = answer.value["status"]
            return health_values.Health("Unknown", f"{named} {_no_status(said)}")

    def _ask(self, order: messages.Order) -> messages.Answer:
        engine, body = type(order).__name__, messages.encoded(order)
        with self._lock:
            child = self._running(engine)
            try:
                messages.write(child.stdin, body)
                return messages.answer(messages.read(child.stdout))
            except (OSError, EOFError):
                return messages.Failed(self._last_words(engine), own=True)

    def _running(self, engine: str) -> subprocess.Popen[bytes]:
        child = self._children.get(engine)
        if child is not None and child.poll() is None:
            return child
        self._end(engine)
        paths = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        self._children[engine] = subprocess.Popen(
            [sys.executable, "-P", "-m", "plane.adapters.scripting.script_child", engine, msgspec.json.encode(self._limits).decode()],
            env={"PYTHONPATH": paths, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self._children[engine]

    def _last_words(self, engine: str) -> str:
        child = self._end(engine)
        if child is not None and child.returncode == -signal.SIGALRM:
            return f"took longer than {self._limits.wall_s:g} s and was stopped"
        return f"used more than {self._limits.memory_bytes // 2**20} MiB of memory, or broke its process, and was stopped"

    def _end(self, engine: str) -> subprocess.Popen[bytes] | None:
        child = self._children.pop(engine, None)
        if child is not None:
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]  # both are pipes
            try:
                child.wait(timeout=self._limits.wall_s)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        return child


def _no_status(said: str) -> str:
    return f"said {said!r}, which is no status; use {', '.join(STATUSES)}"
