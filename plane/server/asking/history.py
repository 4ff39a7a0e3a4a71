"""What happened to an app and what it consists of: read only."""

from typing import Any

import msgspec

from plane.domain import errors
from plane.domain.judging import policy
from plane.server import authorise, context
from plane.server import documents as generic
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store.delivering import facts
from plane.store.showing import history
from plane.wire import agent, bundle, rest

_RESULTS = msgspec.json.Decoder(agent.ObjectResult)


def entries(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery) -> rest.Page[rest.HistoryEntry]:
    """Syncs that went through, newest first."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
        found = history.entries(place.tx, place.scope.tenant, row.id, before=_number(query), limit=query.limit + 1)
    return rest.page([_entry(each) for each in found], query.limit, key=lambda each: each.number)


def releases(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery) -> rest.Page[rest.Release]:
    """Releases, newest first."""
    with authorise.enter(plane, caller, names, "release:get") as place:
        row = generic.existing(apps.KIND, place)
        found = history.releases(place.tx, place.scope.tenant, row.id, before=_id(query), limit=query.limit + 1)
    return rest.page([_release(each) for each in found], query.limit, key=lambda each: each.id)


def manifests(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, digest: str) -> rest.Manifests:
    """The objects of one release of the app; of the newest when the digest is empty."""
    with authorise.enter(plane, caller, names, "release:get") as place:
        row = generic.existing(apps.KIND, place)
        found = history.release(place.tx, place.scope.tenant, row.id, digest or row.digest or "")
    if found is None and not digest:
        message = f"app {names.name!r} has no release yet; see `plane app explain {names.name}`"
        raise errors.Conflict(message)
    if found is None:
        raise errors.NotFound("release", digest)
    bodies = bundle.unpack(found.digest, bytes(found.body))
    return rest.Manifests(digest=found.digest, commit=found.commit, manifests=tuple(msgspec.json.decode(body) for body in bodies))


def tasks(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery) -> rest.Page[rest.Task]:
    """Orders to agents, newest first."""
    with authorise.enter(plane, caller, names, "task:get") as place:
        row = generic.existing(apps.KIND, place)
        found = history.tasks(place.tx, place.scope.tenant, row.id, before=_id(query), limit=query.limit + 1)
    return rest.page([_task(each) for each in found], query.limit, key=lambda each: each.id)


def task(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, identity: str) -> rest.Task:
    """One order with what it did to every object."""
    with authorise.enter(plane, caller, names, "task:get") as place:
        row = generic.existing(apps.KIND, place)
        found = history.task(place.tx, place.scope.tenant, row.id, identity) if generic.is_id(identity) else None
    if found is None:
        raise errors.NotFound("task", identity)
    return msgspec.structs.replace(_task(found), results=tuple(_result(each) for each in _RESULTS.decode_lines(found.results or b"")))


def resources(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> tuple[rest.Resource, ...]:
    """The app's objects as its agent last told, in order of waves."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
        found = history.objects(place.tx, place.scope.tenant, row.id)
    return tuple(_resource(each) for each in sorted(found, key=lambda each: (each.wave, each.key)))


def _number(query: rest.PageQuery) -> int:
    return rest.after_number(query, first=2**62)


def _id(query: rest.PageQuery) -> str:
    after = rest.after(query)
    if after and not generic.is_id(after):
        raise errors.Invalid({"cursor": rest.NOT_OURS})
    return after


def _entry(row: rows.Row) -> rest.HistoryEntry:
    times = {"started_at": facts.stamp(row.started_at), "finished_at": facts.stamp(row.finished_at)}
    times["healthy_at"] = facts.stamp(row.healthy_at)
    return rest.HistoryEntry(
        number=row.number, task=row.task_id, release=row.digest, commit=row.commit, actor=row.actor, trigger=row.trigger, **times
    )


def _release(row: rows.Row) -> rest.Release:
    return rest.Release(
        id=row.id,
        digest=row.digest,
        commit=row.commit,
        author=row.author,
        subject=row.subject,
        objects=row.objects,
        allowed=msgspec.convert(row.verdict, policy.Verdict).allowed(),
        verdict=row.verdict,
        created_at=facts.stamp(row.created_at),
    )


def _task(row: rows.Row) -> rest.Task:
    copied: dict[str, Any] = {
        name: getattr(row, name)
        for name in ("id", "kind", "generation", "state", "outcome", "message", "phase", "commit", "actor", "trigger", "attempts")
    }
    copied |= {name: facts.stamp(getattr(row, name)) for name in ("created_at", "started_at", "finished_at")}
    return rest.Task(**copied, release=row.digest)


def _result(done: agent.ObjectResult) -> rest.Result:
    key = msgspec.structs.asdict(done.key)
    return rest.Result(**key, result=done.result, message=done.message, phase=done.phase, wave=done.wave)


def _resource(state: agent.ObjectState) -> rest.Resource:
    key = msgspec.structs.asdict(state.key)
    extra = tuple(rest.Extra(one.pointer, one.manager, one.time) for one in state.extra)
    message = "; ".join(sentence for sentence in (state.fight, state.message) if sentence)
    said = rest.Resource(**key, sync=state.sync, health=state.health, message=message, fields=state.fields, wave=state.wave)
    return msgspec.structs.replace(said, extra=extra, more_extra=state.more_extra)
