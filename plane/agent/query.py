"""Answers to questions about live objects: masked, with the difference from Git as a person reads it."""

import copy
import time
from typing import Any

import msgspec

from plane.adapters import kube, kube_kinds
from plane.agent import apply, book, cluster, releases, rules
from plane.domain import errors, objects
from plane.wire import agent

Body = dict[str, Any]
MOST = 500  # objects per answer


class Answer(msgspec.Struct, frozen=True):
    """One object of an answer; `live` is None when it is not there. `owners`: its managedFields, which `live` lacks."""

    key: objects.ObjectKey
    live: Body | None
    diff: str
    owners: list[Any] = []


async def answer(there: cluster.Cluster, applier: apply.Applier, task: agent.Task) -> agent.Final:
    """The last word on a `live` query."""
    started = time.time()
    held, release = there.book.get(task.app_id), there.book.release(task.app_id)
    wanted = dict(held.objects) if held else {}
    keys = [releases.key_of(key) for key in task.keys] or sorted({*wanted, *there.watches.owned(task.app_id)})
    try:
        found = [await _one(there, applier, key, held, release) for key in keys[:MOST]]
    except (errors.PlaneError, kube.Unreachable) as e:
        return _final(task, started, "failed", str(e), b"")
    return _final(task, started, "succeeded", "", msgspec.json.encode({"objects": found}))


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
        return Answer(key, masked(live), "")
    desired = releases.body(release, wanted.index, releases.values(release, key, there.unsealer))
    rule = rules.of(held.options, key)
    differs = (await there.comparer.judge(desired, live, rule)).change is not None if live else True
    text = await there.comparer.text(*_shown(release, key, desired, live), rule) if differs else ""
    return Answer(key, masked(live, release, key), text, _owners(live))


def _owners(live: dict[str, Any] | None) -> list[Any]:
    return live["metadata"].get("managedFields") or [] if live else []


def _shown(release: releases.Release, key: objects.ObjectKey, desired: Body, live: Body | None) -> tuple[Body, Body | None]:
    """Both sides without the values of sealed places, which lie outside Secrets too."""
    shown, there = copy.deepcopy(desired), copy.deepcopy(live)
    for value in release.sealed.get(key, ()):
        _blank(shown, value.pointer)
        _blank(there, value.pointer)
    return shown, there


def masked(
    live: dict[str, Any] | None, release: releases.Release | None = None, key: objects.ObjectKey | None = None
) -> dict[str, Any] | None:
    """Without values of a Secret, of sealed places, and without the bookkeeping nobody reads."""
    if live is None:
        return None
    meta = {name: value for name, value in live["metadata"].items() if name != "managedFields"}
    annotations = {
        name: value for name, value in (meta.get("annotations") or {}).items() if name != "kubectl.kubernetes.io/last-applied-configuration"
    }
    body = {
        **copy.deepcopy(live),
        "metadata": {**meta, "annotations": annotations} if annotations else {n: v for n, v in meta.items() if n != "annotations"},
    }
    if body.get("kind") == "Secret":
        body |= {part: dict.fromkeys(body[part], releases.MASK) for part in ("data", "stringData") if isinstance(body.get(part), dict)}
    sealed = release.sealed.get(key, ()) if release and key else ()
    for value in sealed:
        _blank(body, value.pointer)
    return body


def _blank(body: Any, pointer: str) -> None:  # noqa: ANN401 - JSON
    """Put the mask at a JSON pointer, if it leads somewhere."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in way:
        body = (
            body.get(part)
            if isinstance(body, dict)
            else body[int(part)]
            if isinstance(body, list) and part.isdigit() and int(part) < len(body)
            else None
        )
    if isinstance(body, dict) and last in body:
        body[last] = releases.MASK
    elif isinstance(body, list) and last.isdigit() and int(last) < len(body):
        body[int(last)] = releases.MASK


def _final(task: agent.Task, started: float, outcome: agent.Outcome, message: str, live: bytes) -> agent.Final:
    now = time.time()
    said = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome=outcome, started=started, finished=now)
    return msgspec.structs.replace(said, message=message, live=live)
