"""How apps stood at a time, and which events of the log say so. What the log does not hold is told as far as the plane still knows it."""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence

import msgspec

from plane.domain import errors
from plane.domain.auditing import audit
from plane.domain.timing import schedules
from plane.domain.viewing import images
from plane.server import authorise, context
from plane.server.auditing import audit_log
from plane.store.auditing import audit_standing as store
from plane.store.delivering import facts
from plane.wire import audit as wire
from plane.wire import bundle, rest

RECOVERED = "app.task.recovered"  # a sync whose end the agent's journal alone told
SYNCED = ("app.sync.completed", RECOVERED, "app.removal.completed", "app.removed")
SINCE = ("app.sync.started", "app.sync.completed", RECOVERED, "app.drift.detected", "app.drift.healed")
HELD = ("app.held", "app.released", "project.held", "project.released")
ANY = ("success", "failure", "denied")

Found = Mapping[tuple[str, str], audit.Sealed]


class _Then(msgspec.Struct, frozen=True):
    """What the log and the plane know of a page of apps at a time."""

    time: dt.datetime
    synced: Found
    since: Found
    held: Found
    health: Mapping[str, store.Health]
    bodies: Mapping[str, bytes]
    projects: Mapping[str, str]


def standing(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.StandingQuery) -> rest.Page[wire.Standing]:
    """Apps at `time`: one, a project's, those on a cluster, or all."""
    if query.app and not query.project:
        raise errors.Invalid({"project": "is required with app: the names of apps are unique in their project alone"})
    with authorise.enter(plane, caller, authorise.Names(names.tenant, query.project), "audit:read") as place:
        time = audit_log.moment(query.time, "time") or plane.clock.now()
        target = f"app/{query.app}" if query.app else ""
        everyone = store.apps(place.tx, place.scope.tenant, project_id=place.project, target=target, since=time)
        after = tuple(rest.after(query).split())
        asked = list(itertools.islice((one for one in everyone if _key(one) > after), query.limit + 1))
        page = rest.page(asked, query.limit, key=lambda one: " ".join(_key(one)))
        then = _then(place, page.items, time)
    stood = [_stood(one, then) for one in page.items if (one.project_id, one.target) in then.synced]
    return rest.Page(items=tuple(one for one in stood if query.cluster in ("", one.cluster)), next=page.next)


def _key(one: store.Subject) -> tuple[str, str]:
    return one.project_id, one.target


def _then(place: authorise.Place, apps: Sequence[store.Subject], time: dt.datetime) -> _Then:
    tx, tenant = place.tx, place.scope.tenant
    synced = store.latest(tx, tenant, apps, store.Asked(SYNCED, time))
    projects = store.project_names(tx, tenant, sorted({one.project_id for one in apps}))
    holders = [*apps, *(store.Subject(identity, f"project/{name}") for identity, name in projects.items())]
    return _Then(
        time=time,
        synced=synced,
        since=store.latest(tx, tenant, apps, store.Asked(SINCE, time, ANY)),
        held=store.latest(tx, tenant, holders, store.Asked(HELD, time)),
        health=store.health(tx, tenant, [one.app for one in apps if one.app], time),
        bodies=store.bodies(tx, tenant, sorted({one.event.release for one in synced.values() if one.event.release})),
        projects=projects,
    )


def _stood(app: store.Subject, then: _Then) -> wire.Standing:
    sealed = then.synced[_key(app)]
    event, last = sealed.event, then.since.get(_key(app), sealed)
    removed = event.type not in ("app.sync.completed", RECOVERED)
    health = then.health.get(app.app)
    packed = then.bodies.get(event.release)
    return wire.Standing(
        app=event.target.partition("/")[2],
        project=event.project or then.projects.get(app.project_id, ""),
        cluster=event.cluster,
        commit="" if removed else event.commit,
        release="" if removed else event.release,
        since=event.time,
        by=str(event.details.get("asked_by") or event.actor.name or event.actor.id),
        state="removed" if removed else _state(sealed, last),
        proof=sealed.seq,
        state_proof=max(sealed.seq, last.seq),
        images=() if removed or packed is None else _images(event.release, packed),
        release_kept=packed is not None,
        health=health.status if health and not removed else "",
        health_since=facts.stamp(health.at) if health and not removed else "",
        holds=tuple(_holds(app, then)),
    )


def _state(synced: audit.Sealed, last: audit.Sealed) -> str:
    """In words: what came after the last sync that succeeded."""
    if last.seq <= synced.seq:
        return "in sync"
    return {
        "app.sync.started": "a sync was under way",
        "app.sync.completed": "a later sync had failed",
        RECOVERED: "a later sync had failed",
        "app.drift.detected": "changed beside Git",
        "app.drift.healed": "in sync" if last.event.outcome == "success" else "changed beside Git",
    }[last.event.type]


def _images(digest: str, packed: bytes) -> tuple[str, ...]:
    """Of the release as its digest proves it."""
    documents = (msgspec.json.decode(text) for text in bundle.unpack(digest, packed))
    return tuple(sorted({image for body in documents for image in images.images(body)}))


def _holds(app: store.Subject, then: _Then) -> list[wire.HeldThen]:
    targets = (app.target, f"project/{then.projects.get(app.project_id, '')}")
    found = [then.held[at] for target in targets if (at := (app.project_id, target)) in then.held]
    return [_held(one) for one in found if one.event.type.endswith(".held") and not _over(one.event, then.time)]


def _over(event: audit.Event, time: dt.datetime) -> bool:
    until = schedules.moment(str(event.details.get("until") or ""))
    return until is not None and until <= time


def _held(one: audit.Sealed) -> wire.HeldThen:
    until = str(one.event.details.get("until") or "")
    return wire.HeldThen(target=one.event.target, reason=one.event.message, by=one.event.actor.name, until=until, proof=one.seq)
