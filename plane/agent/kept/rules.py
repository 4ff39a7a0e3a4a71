"""What an app's `ignoreDifferences` leave out, asked of live objects. jq runs apart; whatever users wrote, it holds nobody else up."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from plane import ports
from plane.domain import apps, objects
from plane.domain.comparing import diff, ignoring, ownership
from plane.wire import agent

Body = dict[str, Any]
T = TypeVar("T")
_NONE = ignoring.Rules()


def of(options: agent.Options, key: objects.ObjectKey) -> ignoring.Rules:
    """The rules that match an object."""
    if not options.ignore:
        return _NONE
    written = (
        apps.IgnoreDifference(
            kind=rule.kind,
            group=rule.group,
            name=rule.name,
            namespace=rule.namespace,
            json_pointers=rule.pointers,
            jq_path_expressions=rule.expressions,
            managed_fields_managers=rule.managers,
            known_type_fields=tuple(apps.KnownType(*one) for one in rule.types),
        )
        for rule in options.ignore
    )
    return ignoring.rules(key, written)


class Verdict(msgspec.Struct, frozen=True):
    """What a comparison found: the difference from Git, and what others added."""

    change: diff.Change | None
    extras: tuple[ownership.Extra, ...] = ()


def judge(
    desired: Body, live: Body, rules: ignoring.Rules, query: ignoring.Query | None = None, *, foreign: bool, yielding: bool = False
) -> Verdict:
    """Compare under rules; additions are looked for only where somebody wants to know (`foreign`).

    `yielding`: what others own is theirs to change, as under `ssa: Merge`.
    """
    wanted = ignoring.without(desired, ownership.theirs(live, desired)) if yielding else desired
    change = diff.compare_under(wanted, live, rules, query)
    return Verdict(change, ignoring.extras(desired, live, rules, query) if foreign else ())


class Comparer:
    """Compares under rules. One jq at a time, so that slow ones cannot take all threads."""

    def __init__(self, scripts: ports.Scripts) -> None:
        self._scripts = scripts
        self._turn = asyncio.Lock()

    async def judge(self, desired: Body, live: Body, rules: ignoring.Rules, *, foreign: bool = False, yielding: bool = False) -> Verdict:
        """As the function; Invalid when an expression does not end on this object."""
        return await self.under(rules, lambda query: judge(desired, live, rules, query, foreign=foreign, yielding=yielding))

    async def under(self, rules: ignoring.Rules, work: Callable[[ignoring.Query | None], T]) -> T:
        """Work that asks jq where the rules do."""
        if not rules.expressions:
            return work(None)
        async with self._turn:
            return await asyncio.to_thread(work, self._scripts.paths)

    async def text(self, desired: Body, live: Body | None, rules: ignoring.Rules) -> str:
        """As `diff.text_under`."""
        if not rules.expressions:
            return diff.text_under(desired, live, rules)
        async with self._turn:
            return await asyncio.to_thread(diff.text_under, desired, live, rules, self._scripts.paths)

    async def spared(self, desired: Body, live: Body, rules: ignoring.Rules, *, whole: bool) -> Body:
        """What to write of an object so that ignored fields stay; `whole`: it takes the place of all that lives."""
        spare = ignoring.kept if whole else ignoring.spared
        if not rules.expressions:
            return spare(desired, live, rules)
        async with self._turn:
            return await asyncio.to_thread(spare, desired, live, rules, self._scripts.paths)

    def close(self) -> None:
        """End what runs apart."""
        self._scripts.close()
