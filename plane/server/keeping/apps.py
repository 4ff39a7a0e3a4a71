"""Apps as documents: what their spec must hold, what they are tied to, and how they stand."""

from typing import Any, Unpack

import msgspec

from plane.domain import apps as domain
from plane.domain import errors, fleet, orphans, tenancy
from plane.domain.auditing import details
from plane.domain.comparing import ignoring
from plane.domain.deciding import decide
from plane.domain.permitting import quotas
from plane.domain.planning import advice
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.server.keeping import holds, repositories
from plane.store import documents as rows
from plane.store.delivering import facts, further_sources, usage
from plane.store.delivering import repositories as sources
from plane.store.people import reached
from plane.store.showing import apps, views
from plane.wire import documents, rest


def read(row: rows.Row, names: authorise.Names) -> documents.App:
    """From a row."""
    return documents.App(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=2),
        spec=msgspec.convert(row.spec, domain.AppSpec),
        status=status(row, names.project),
    )


def status(row: rows.Row, project: str) -> documents.AppStatus:
    """How the app stands; an app that was never looked at has no state yet."""
    watch = row.watched and msgspec.convert(row.watched, orphans.Watch)
    beside = orphans.sentence(watch, int(row.orphans or 0), at=row.orphans_at or "", project=project)
    return documents.AppStatus(
        **generic.common(row),
        sync=row.sync or "Unknown",
        health=row.health or "Unknown",
        message=row.message or "",
        revision=row.commit or "",
        release=row.digest or "",
        generation=row.generation,
        decision=_decision(row.decision, facts.stamp(row.since)),
        problem=repositories.problem(row.problem),
        operation=_operation(row.attempt),
        requested=(row.request or {}).get("actor", ""),
        reported_at=facts.stamp(row.reported_at),
        healthy_at=facts.stamp(row.healthy_at),
        deleting=row.deleted_at is not None,
        hold=holds.shown(row.hold) or holds.shown(row.project_hold),
        warnings=(*filter(None, [beside]), *advice.of_app(msgspec.convert(row.spec, domain.AppSpec))),
    )


def _decision(stored: dict[str, Any] | None, since: str) -> documents.Reason | None:
    """`since`: how long it has had this reason, unless the reason itself knows better."""
    if not stored:
        return None
    made: decide.Decision = msgspec.convert(stored, decide.Decision)
    code = made.code if isinstance(made, decide.Wait) else stored["type"]
    return documents.Reason(code=code, sentence=made.sentence, since=getattr(made, "since", "") or since)


def _operation(stored: dict[str, Any] | None) -> documents.Attempt | None:
    if not stored:
        return None
    last = msgspec.convert(stored, decide.Attempt)
    return documents.Attempt(
        generation=last.generation,
        release=last.digest,
        outcome=last.outcome,
        message=last.message,
        finished=last.finished,
        needs_approval=last.needs_approval,
    )


def _columns(change: generic.Change) -> generic.Columns:
    """Names that are not there yet are kept: the decision says so until they are."""
    place, spec = change.place, change.wish.spec
    if change.before and change.before.deleted_at:
        message = f"app {change.wish.metadata.name!r} is being deleted; wait until it is gone, then create it again"
        raise errors.Conflict(message)
    problems = tenancy.check_app(spec) or ignoring.problems(spec.ignore_differences, change.plane.scripts.paths)
    cluster, repository = tied(place, spec) if not problems else (None, None)
    there = facts.clusters(place.tx, place.scope.tenant, {cluster})[cluster] if cluster else None
    problems = problems or _outside(place, spec, there)
    if problems:
        raise errors.Invalid(problems)
    authorise.check(place, KIND.may("update" if change.before else "create"), app=change.id, cluster=cluster)  # also where it goes now
    _check_quotas(change, there)
    return {"spec": generic.plain(spec), "cluster_id": cluster, "repository_id": repository}


def _check_quotas(change: generic.Change, there: facts.Cluster | None) -> None:
    """The tenant's, and its part of the cluster."""
    tx, tenant = change.place.tx, change.place.scope.tenant
    quota = usage.above(tx, tenant).quotas.apps if change.before is None else None
    if quota is not None and (why := quotas.exceeded("apps", quota=quota, used=usage.apps(tx, tenant))):
        raise quotas.QuotaExceeded(why, quota="apps")
    if there is None or there.grant.capacity == fleet.Capacity():
        return
    used, namespaces = usage.on_cluster(tx, tenant, there.id, without=change.id)
    if why := fleet.full(
        there.grant.capacity, there.name, apps=used, namespaces=namespaces, namespace=change.wish.spec.destination.namespace
    ):
        raise quotas.QuotaExceeded(why, quota=f"capacity of {there.name}")


def _outside(place: authorise.Place, spec: domain.AppSpec, there: facts.Cluster | None) -> tenancy.Problems:
    """What the project does not allow."""
    rules, name = apps.project_spec(place.tx, place.scope.tenant, place.project), place.names.project
    found = tenancy.project_problems(rules, name, spec, marks=there.labels if there else None)
    why = tenancy.elsewhere(there.grant, there.name, name, rules) if there else ""
    return found | ({"spec.destination.cluster": why} if why else {})


def tied(place: authorise.Place, spec: domain.AppSpec) -> tuple[str | None, str | None]:
    """Ids of the cluster and of the first source's repository, None where the names mean nothing today."""
    url = tenancy.normal_url(spec.all_sources()[0].repo_url)
    return apps.cluster(place.tx, place.scope.tenant, spec.destination.cluster), sources.by_url(
        place.tx, place.scope.tenant, place.project, url
    )


def _settle(change: generic.Change) -> None:
    place, sources_ = change.place, change.wish.spec.all_sources()
    if len(sources_) > 1 or (change.before and change.before.spec.get("sources")):
        where = {"tenant_id": place.scope.tenant, "project_id": place.project}
        further_sources.keep(place.tx, where, change.id, sources_[1:])
    apps.ask(change.place.tx, change.place.scope.tenant, change.id, {}, change.plane.clock.now())


KIND = generic.Kind(
    type=documents.App,
    noun="app",
    plural="apps",
    level=2,
    shelf=views.APPS,
    read=read,
    columns=_columns,
    settle=_settle,
    only=lambda place: reached.within(place.reach),
    in_parts=True,
)


def delete(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, *, cascade: bool, version: int | None = None
) -> rest.Deleted:
    """Mark the app as going. With `cascade` its objects go first, else they stay; the row follows when that is done."""
    with authorise.enter(plane, caller, names, "app:delete") as place:
        row = generic.existing(KIND, place, lock=True)
        generic.check_version(row.version, version)
        now = plane.clock.now()
        values: dict[str, Any] = {"deleted_at": row.deleted_at or now}
        if not cascade:
            values["request"] = msgspec.to_builtins(decide.Request(actor=caller.actor.name, trigger="orphan"))
        apps.resume(place.tx, place.scope.tenant, row.id)
        apps.ask(place.tx, place.scope.tenant, row.id, values, now)
        message = "with its objects" if cascade else "its objects stay"
        note(plane, place, "app.deletion.asked", message=message)
        return place.done(rest.Deleted(name=names.name, deleting=True), status=202)


def note(
    plane: context.Plane, place: authorise.Place, kind: str, *, told: details.Details | None = None, **about: Unpack[record.Facts]
) -> str:
    """An audit event about the app that the names speak of; returns its id."""
    named = record.Facts(**about, project=place.names.project, target=f"app/{place.names.name}")
    return record.append(plane, place.tx, place.scope, kind, project_id=place.project, details=told, **named)
