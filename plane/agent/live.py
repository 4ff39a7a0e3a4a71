"""Live objects with their difference from Git as a person reads it, masked."""

from typing import Any

import msgspec

from plane.adapters import kube_kinds
from plane.agent import apply, book, cluster, masking, question, releases, rules
from plane.domain import objects

Body = dict[str, Any]
MOST = 500  # objects per answer


class Answer(msgspec.Struct, frozen=True):
    """One object of an answer; `live` is None when it is not there. `owners`: its managedFields, which `live` lacks."""

    key: objects.ObjectKey
    live: Body | None
    diff: str
    owners: list[Any] = []


async def answer(asked: question.Asked) -> bytes:
    """What a `live` question hears."""
    there, applier, task = asked.there, asked.applier, asked.task
    held, release = there.book.get(task.app_id), there.book.release(task.app_id)
    wanted = dict(held.objects) if held else {}
    keys = [releases.key_of(key) for key in task.keys] or sorted({*wanted, *there.watches.owned(task.app_id)})
    found = [await _one(there, applier, key, held, release) for key in keys[:MOST]]
    return msgspec.json.encode({"objects": found})


async def _one(
    there: cluster.Cluster, applier: apply.Applier, key: objects.ObjectKey, held: book.Held | None, release: releases.Release | None
) -> Answer:
    wanted = held.objects.get(key) if held else None
    try:
        api_version = wanted.api_version if wanted else (await applier.resource(key)).api_version
        live = await applier.get(key, api_version)
    except kube_kinds.UnknownKind:
        live = None
    if wanted is None or release is None or held is None:
        return Answer(key, masking.masked(live) if live else None, "")
    desired = releases.body(release, wanted.index, releases.values(release, key, there.unsealer))
    rule = rules.of(held.options, key)
    differs = (await there.comparer.judge(desired, live, rule)).change is not None if live else True
    text = await there.comparer.text(*_shown(release, key, desired, live), rule) if differs else ""
    return Answer(key, masking.masked(live, release, key) if live else None, text, _owners(live))


def _owners(live: Body | None) -> list[Any]:
    return live["metadata"].get("managedFields") or [] if live else []


def _shown(release: releases.Release, key: objects.ObjectKey, desired: Body, live: Body | None) -> tuple[Body, Body | None]:
    return masking.unsealed(desired, release, key), masking.unsealed(live, release, key) if live else None
