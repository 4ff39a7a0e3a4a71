"""Resource actions as users' scripts have them, asked apart. A script sees no secret value: what it says goes to the plane."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from plane.adapters import custom_actions, scripts
from plane.agent.kept import releases
from plane.agent.watching import checks
from plane.domain import errors
from plane.domain.acting import action_scripts, actions

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

    def find(self, tenant: str, group: str, kind: str) -> action_scripts.Source | None:
        """The scripts for a tenant's objects of a kind."""
        return action_scripts.find(self._kept.actions, group, kind, tenant=tenant)

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
