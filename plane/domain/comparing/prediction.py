"""What an apply changes, read from the API server's own answer to its dry run: the truth about defaults, spellings and webhooks."""

from collections.abc import Iterator
from typing import Any

import msgspec

from plane.domain.comparing import diff, ignoring, ownership

Body = dict[str, Any]


class Outcome(msgspec.Struct, frozen=True):
    """An object before and after an apply; `becomes` may be the API server's word or ours."""

    desired: Body
    live: Body
    becomes: Body

    def fields(self, rules: ignoring.Rules, query: ignoring.Query | None = None, *, mutations: bool = False) -> tuple[str, ...]:
        """As the function, without what the rules leave out; raises as `ignoring.pair`."""
        becomes, live = ignoring.pair(self.becomes, self.live, rules, query)
        found = fields(self.desired, live, becomes, mutations=mutations)
        return tuple(one for one in found if not any(one == at or one.startswith(f"{at}/") for at in rules.pointers))

    def texts(self, rules: ignoring.Rules, query: ignoring.Query | None = None) -> tuple[str, str]:
        """Unified diffs: of what counts, and of what the rules leave out."""
        if not rules:
            return diff.between(self.live, self.becomes), ""
        kept = ignoring.kept(self.becomes, self.live, rules, query)
        return diff.between(self.live, kept), diff.between(kept, self.becomes)


def fields(desired: Body, live: Body, predicted: Body, *, mutations: bool) -> tuple[str, ...]:
    """JSON pointers that the apply changes, sorted; those of lists whose length changes end at the list.

    Args:
        desired: as Git wants it.
        live: as it is.
        predicted: as the API server says that it becomes.
        mutations: whether what admission webhooks add where Git says nothing counts, too (`IncludeMutationWebhook`).
    """
    before, after, wanted = (_compared(body) for body in (live, predicted, desired))
    changed = _changed(before, after, ())
    return tuple(sorted(ownership.pointer(path) for path in changed if mutations or _gone(path, after) or _spoken(path, after, wanted)))


def _compared(body: Body) -> Body:
    cleaned = diff.clean(body)
    meta = {name: value for name, value in cleaned["metadata"].items() if name != "managedFields"}
    return {**{name: value for name, value in cleaned.items() if name not in ("apiVersion", "kind")}, "metadata": meta}


def _changed(before: Any, after: Any, path: ownership.Path) -> Iterator[ownership.Path]:  # noqa: ANN401 any JSON data
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from _changed(before.get(name), after.get(name), (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed(old, new, (*path, index))
    elif before or after or not isinstance(before or {}, dict | list):  # nothing, null and empty are one
        yield path


def _gone(path: ownership.Path, after: Any) -> bool:  # noqa: ANN401 any JSON data
    """Whether the apply takes it away: a webhook adds and changes."""
    for step in path:
        if isinstance(step, str) and isinstance(after, dict) and step not in after:
            return True
        if after is None:
            return True
        after = after[step]
    return False


def _spoken(path: ownership.Path, after: Any, desired: Any) -> bool:  # noqa: ANN401 any JSON data
    """Whether Git says something there, or about all that is there."""
    for step in path:
        if isinstance(desired, list) and isinstance(step, int) and isinstance(after, list):
            place = ownership.counterpart(after[step], desired, step)
            if place is None:
                return False
            desired, after = desired[place], after[step]
        elif isinstance(desired, dict) and isinstance(after, dict):
            if step not in desired:
                return False
            desired, after = desired[step], after[step]
        else:
            return desired is not None
    return True
