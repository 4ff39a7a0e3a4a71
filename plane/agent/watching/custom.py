"""What users' scripts say of an object when somebody asks: its health, and what can be done with it. They see no secret value."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from plane.adapters.scripting import custom_actions, scripts
from plane.agent.kept import releases
from plane.agent.watching import checks
from plane.domain import errors, levels
from plane.domain.acting import action_scripts, actions
from plane.domain.health import health, health_scripts

Body = dict[str, Any]


class ValueCopied(errors.PlaneError):
    """A script wrote a mask where a value should be."""

    code = "value-copied"


class Custom:
    """One script at a time."""

    def __init__(self, kept: checks.Checks, runner: scripts.Scripts) -> None:
        self._kept = kept
        self._runner = runner
        self._turn = asyncio.Lock()

    def find(self, whose: levels.Whose, group: str, kind: str) -> action_scripts.Source | None:
        """The scripts for somebody's objects of a kind."""
        return levels.find(self._kept.actions, group, kind, whose)

    def judge(self, whose: levels.Whose, group: str, kind: str) -> health_scripts.Script | None:
        """The script that says how somebody's objects of a kind are."""
        return levels.find(self._kept.scripts, group, kind, whose)

    async def health(self, script: health_scripts.Script, masked: Body) -> health.Health:
        """What a script says of an object."""
        async with self._turn:
            return await asyncio.to_thread(self._runner.run, script, masked)

    async def of(self, source: action_scripts.Source, masked: Body) -> tuple[actions.Action, ...]:
        """The actions of an object; Invalid when its scripts fail."""
        async with self._turn:
            return await asyncio.to_thread(custom_actions.of, self._runner, source, masked)

    async def change(
        self, source: action_scripts.Source, masked: Body, name: str, given: Mapping[str, str], *, now: dt.datetime
    ) -> actions.Change:
        """What an action does.

        Raises:
            ValueCopied: a script puts what was masked somewhere else. Invalid, Conflict: as `custom_actions.change`.
        """
        async with self._turn:
            made = await asyncio.to_thread(custom_actions.change, self._runner, source, masked, name, given, now=now)
        if releases.MASK.encode() in msgspec.json.encode(made):
            raise ValueCopied(f"action {name!r} of {source.name} copies a secret value, which no script is shown; have it name the Secret")
        return made

    def close(self) -> None:
        """End what runs apart."""
        self._runner.close()
