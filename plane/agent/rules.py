"""What an app's `ignoreDifferences` leave out, asked of live objects. jq runs apart; whatever users wrote, it holds nobody else up."""

import asyncio
from typing import Any

from plane import ports
from plane.domain import apps, diff, ignoring, objects
from plane.wire import agent

Body = dict[str, Any]
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
        )
        for rule in options.ignore
    )
    return ignoring.rules(key, written)


class Comparer:
    """Compares under rules. One jq at a time, so that slow ones cannot take all threads."""

    def __init__(self, scripts: ports.Scripts) -> None:
        self._scripts = scripts
        self._turn = asyncio.Lock()

    async def compare(self, desired: Body, live: Body, rules: ignoring.Rules) -> diff.Change | None:
        """As `diff.compare_under`; Invalid when an expression does not end on this object."""
        if not rules.expressions:
            return diff.compare_under(desired, live, rules)
        async with self._turn:
            return await asyncio.to_thread(diff.compare_under, desired, live, rules, self._scripts.paths)

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
