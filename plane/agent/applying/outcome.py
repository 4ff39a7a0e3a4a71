"""From results of objects to the sentence about a task."""

from collections.abc import Sequence
from typing import Literal

from plane.domain import objects
from plane.wire import agent

Result = Literal["Synced", "Unchanged", "SyncFailed", "Pruned", "PruneSkipped", "HookSucceeded", "HookFailed"]
FAILED: frozenset[str] = frozenset({"SyncFailed", "HookFailed"})
WORDS = {"Synced": "applied", "Unchanged": "unchanged", "Pruned": "pruned", "PruneSkipped": "kept", "HookSucceeded": "hooks run"}


def last(results: Sequence[agent.ObjectResult]) -> tuple[agent.ObjectResult, ...]:
    """One result per object and phase: what was said last counts."""
    return tuple({(one.key, one.phase): one for one in results}.values())


def sentence(results: Sequence[agent.ObjectResult]) -> str:
    """`2 applied, 1 pruned`, or which object failed and why."""
    ended = last(results)
    failed = [one for one in ended if one.result in FAILED]
    if failed:
        first = failed[0]
        name = objects.ObjectKey(first.key.group, first.key.kind, first.key.namespace, first.key.name)
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return f"{name}: {first.message}{more}"
    counts = {word: sum(one.result == result for one in ended) for result, word in WORDS.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing to do"
