"""Live objects with their difference from Git as a person reads it, masked."""

from typing import Any

import msgspec

from plane.adapters.cluster import kube_kinds
from plane.agent.answering import masking, preview, question
from plane.agent.applying import apply
from plane.agent.kept import book, releases, rules
from plane.agent.watching import cluster
from plane.domain import objects
from plane.domain.comparing import diff
from plane.domain.planning import waves
from plane.wire import agent, answers

Body = dict[str, Any]
MOST = 500  # objects per answer


class Answer(msgspec.Struct, frozen=True):
    """One object of an answer; `live` is None when it is not there. `owners`: its managedFields, which `live` lacks."""

    key: objects.ObjectKey
    live: Body | None
    diff: str
    owners: list[Any] = []


async def answer(asked: question.Asked) -> bytes:
    """What a `live` question hears: about a release, what an apply of it would do; otherwise the live objects."""
    if asked.work.release.digest:
        return answers.encode(await _diff(asked))
    there, applier, task = asked.there, asked.applier, asked.task
    held, release = there.book.get(task.app_id), there.book.release(task.app_id)
    wanted = dict(held.objects) if held else {}
    keys = [releases.key_of(key) for key in task.keys] or sorted({*wanted, *there.watches.owned(task.app_id)})
    found = [await _one(there, applier, key, held, release) for key in keys[:MOST]]
    return msgspec.json.encode({"objects": found})


async def _diff(asked: question.Asked) -> answers.Diff:
    there, release = asked.there, asked.work.release
    kinds = {(one.key.group, one.key.kind) for one in release.manifests}
    await there.watches.ensure(kind for kind in kinds if there.kinds.preferred(*kind))
    looking = preview.Looking(there, asked.applier, asked.work, ignored=asked.terms(answers.Wish).ignored)
    turns = map(waves.turn, release.manifests)
    found = await looking.of(index for index, turn in enumerate(turns) if turn.phases and not turn.hook)
    told = [_change(one) for one in found if one.action or one.former or one.extra or one.ignored]
    if asked.task.options.foreign != "ignore":
        told += _copies(asked)
    gone = _leftovers(asked)
    veil = masking.veil(there, asked.task.app_id) if gone else masking.Veil({}, ())
    return answers.Diff(changes=(*told, *[await _left(asked, key, veil) for key in gone]))


def _change(one: preview.Preview) -> answers.Change:
    return answers.Change(
        key=releases.wire_key(one.key),
        action=one.action,
        fields=one.fields,
        diff=one.text,
        ignored=one.ignored,
        former=one.former,
        extra=tuple(agent.Extra(pointer=extra.pointer, manager=extra.manager, time=extra.time) for extra in one.extra),
    )


def _leftovers(asked: question.Asked) -> list[objects.ObjectKey]:
    """What is the app's in the cluster and not in the release; an object that says IgnoreExtraneous stands."""
    wanted = {one.key for one in asked.work.release.manifests}
    owned = asked.there.watches.owned(asked.task.app_id).items()
    return sorted(key for key, one in owned if key not in wanted and one.ours and not one.live.hook and not one.live.own.ignore_extraneous)


def _copies(asked: question.Asked) -> list[answers.Change]:
    """Objects that somebody else marked as the app's."""
    wanted = {one.key for one in asked.work.release.manifests}
    owned = sorted(asked.there.watches.owned(asked.task.app_id).items())
    return [_change(preview.Preview(key, extra=(one.copied,))) for key, one in owned if one.copied is not None and key not in wanted]


async def _left(asked: question.Asked, key: objects.ObjectKey, veil: masking.Veil) -> answers.Change:
    live = await asked.applier.get(key, (await asked.applier.resource(key)).api_version)
    text = diff.text(None, veil.over(live, key)) if live else ""
    return answers.Change(key=releases.wire_key(key), action="delete", diff=text)


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
