"""What people ask an app to do: each is a wish in its row, taken up by the next decision."""

from typing import Any

import msgspec

from plane.domain import apps as domain
from plane.domain import errors, tenancy
from plane.domain.auditing import details, policy_details
from plane.domain.deciding import approvals, decide
from plane.domain.judging import policy
from plane.domain.planning import terms
from plane.server import abilities, authorise, context, record
from plane.server import documents as generic
from plane.server.asking import kept_plans
from plane.server.keeping import apps as documents_
from plane.store import documents as rows
from plane.store.delivering import approvals as approved
from plane.store.delivering import facts
from plane.store.showing import apps, history
from plane.wire import documents, rest


def refresh(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: rest.Refresh) -> rest.Operation:
    """Look at repository and app now, wherever their timers stand."""
    with authorise.enter(plane, caller, names, "app:refresh") as place:
        row = generic.existing(documents_.KIND, place)
        found = documents_.tied(place, spec_of(row))
        apps.refresh(place.tx, place.scope.tenant, row.id, hard=body.hard, found=found, now=plane.clock.now())
        documents_.note(plane, place, "app.refresh.asked", message="hard" if body.hard else "")
        return place.done(operation(names, "refresh", row), status=202)


def sync(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: rest.Sync) -> rest.Operation:
    """Ask for a sync; Conflict while another request waits."""
    with authorise.enter(plane, caller, names, "app:sync") as place:
        row = free(place)
        body, plan = kept_plans.unfolded(place, row, body) if body.plan else (body, "")
        spec = spec_of(row)
        revision = _other_revision(names.name, spec, body.revision)
        wish = terms.Terms(body.resources, body.labels, body.strategy, body.sync_options, plan)
        check_wish(place, row, wish)
        request = decide.Request(**whose(place), prune=body.prune, dry_run=body.dry_run, force=body.force, revision=revision, terms=wish)
        apps.ask(place.tx, place.scope.tenant, row.id, {"request": msgspec.to_builtins(request)}, plane.clock.now())
        documents_.note(plane, place, "app.sync.asked", told=msgspec.convert(msgspec.to_builtins(body), details.Asked))
        return place.done(operation(names, "sync", row), status=202)


def rollback(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: rest.Rollback) -> rest.Operation:
    """Ask for the release of a history entry; Conflict while automated sync would undo it at once."""
    with authorise.enter(plane, caller, names, "app:rollback") as place:
        row = free(place)
        if spec_of(row).automated():
            why = "syncs by itself and would undo the rollback; switch syncPolicy.automated off first, or revert the commit"
            message = f"app {names.name!r} {why}"
            raise errors.Conflict(message)
        entry = history.entry(place.tx, place.scope.tenant, row.id, body.number)
        if entry is None:
            raise errors.NotFound("history entry", str(body.number))
        request = decide.Request(
            **whose(place), trigger="rollback", prune=body.prune, dry_run=body.dry_run, digest=entry.digest, commit=entry.commit
        )
        apps.ask(place.tx, place.scope.tenant, row.id, {"request": msgspec.to_builtins(request)}, plane.clock.now())
        documents_.note(
            plane,
            place,
            "app.rollback.asked",
            release=entry.digest,
            commit=entry.commit,
            told=msgspec.convert(msgspec.to_builtins(body), details.RollbackAsked),
        )
        return place.done(operation(names, "rollback", row), status=202)


def terminate(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.App:
    """Stop the work under way; what was applied stays. Conflict when there is none."""
    with authorise.enter(plane, caller, names, "app:terminate") as place:
        row = generic.existing(documents_.KIND, place, lock=True)
        attempt = msgspec.convert(row.attempt, decide.Attempt) if row.attempt else None
        message = f"stopped by {caller.actor.name}"
        closed = apps.stop(place.tx, place.scope.tenant, row.id, attempt=attempt, message=message, now=plane.clock.now())
        if not closed and not row.request:
            message = f"app {names.name!r} has no sync under way"
            raise errors.Conflict(message)
        documents_.note(plane, place, "app.sync.terminated", told=details.Terminated(tasks=tuple(closed)))
        return place.done(documents_.read(generic.existing(documents_.KIND, place), names))


def approve(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: rest.Approve) -> rest.Operation:
    """Allow what the app waits with: a release that policy wants looked at, or the deletions that the last attempt stopped at.

    Raises:
        Conflict: it waits for nothing, or for another release.
    """
    with authorise.enter(plane, caller, names, "app:approve") as place:
        row = generic.existing(documents_.KIND, place, lock=True)
        if _approve_release(plane, place, row, body):
            return place.done(operation(names, "approve", row), status=202)
        attempt = msgspec.convert(row.attempt, decide.Attempt) if row.attempt else None
        if attempt is None or not attempt.needs_approval or (body.release and body.release != attempt.digest):
            message = f"app {names.name!r} waits for no approval{f' of {body.release}' if body.release else ''}; see `plane app explain`"
            raise errors.Conflict(message)
        told = details.Approved(approved=attempt.needs_approval)
        event = documents_.note(plane, place, "app.deletions.approved", release=attempt.digest, told=told)
        _keep(plane, place, row, attempt.digest, _by(plane, place, "deletions", attempt.digest, event))
        return place.done(operation(names, "approve", row), status=202)


def _approve_release(plane: context.Plane, place: authorise.Place, row: rows.Row, body: rest.Approve) -> bool:
    """Whether the newest release waited for this."""
    wanted = apps.wanted(place.tx, place.scope.tenant, row.id)
    asked = policy.approval(wanted.digest, wanted.verdict) if wanted and wanted.verdict.allowed() else ""
    if wanted is None or not asked or asked in row.approved or body.release not in {"", wanted.digest}:
        return False
    told = policy_details.ReleaseApproved(violations=tuple(generic.plain(one) for one in wanted.verdict.to_approve()))
    about = record.Facts(release=wanted.digest, commit=wanted.commit, message=policy.to_approve_sentence(wanted.verdict))
    event = documents_.note(plane, place, "app.release.approved", told=told, **about)
    _keep(plane, place, row, asked, _by(plane, place, "policy", wanted.digest, event))
    return True


def _by(plane: context.Plane, place: authorise.Place, to: approvals.To, release: str, event: str) -> approvals.Approval:
    actor, at = place.scope.actor, facts.stamp(plane.clock.now())
    return approvals.Approval(to=to, by=actor.name, by_id=actor.id, at=at, release=release, event=event)


def _keep(plane: context.Plane, place: authorise.Place, row: rows.Row, what: str, given: approvals.Approval) -> None:
    """What dispatch goes by, and who said it."""
    apps.approve(place.tx, place.scope.tenant, row.id, what, plane.clock.now())
    approved.add(place.tx, place.scope.tenant, row.id, given)


def whose(place: authorise.Place) -> dict[str, Any]:
    """Fields of a request: who asks, in whose name, and who agreed."""
    actor = place.scope.actor
    return {"actor": actor.name, "on_behalf_of": actor.on_behalf_of, "agreed": place.agreed}


def check_wish(place: authorise.Place, row: rows.Row, wish: terms.Terms) -> None:
    """Refuse what cannot be read, and what an older agent would take for everything; Invalid, Conflict."""
    terms.check(wish, spec_of(row).sync_policy.sync_options)
    able = wish == terms.Terms() or not row.cluster_id
    for cluster in () if able else facts.clusters(place.tx, place.scope.tenant, {row.cluster_id}).values():
        abilities.of(cluster, "once")


def _other_revision(name: str, spec: domain.AppSpec, revision: str) -> str:
    """The revision, empty when the app follows it anyway."""
    sources = spec.all_sources()
    if not revision or [source.target_revision for source in sources] == [revision]:
        return ""
    if not tenancy.REVISION.fullmatch(revision) or ".." in revision or "@{" in revision:
        raise errors.Invalid({"revision": "must be a branch, tag or commit"})
    if len(sources) > 1:
        raise errors.Invalid({"revision": f"app {name!r} has {len(sources)} sources; change spec.sources[].targetRevision instead"})
    if spec.automated():
        why = f"syncs by itself to {sources[0].target_revision} and would undo a sync to {revision}"
        message = f"app {name!r} {why}; switch syncPolicy.automated off first, or change targetRevision"
        raise errors.Conflict(message)
    return revision


def free(place: authorise.Place) -> rows.Row:
    """The app's row, locked, with no request waiting."""
    row = generic.existing(documents_.KIND, place, lock=True)
    if row.deleted_at:
        message = f"app {place.names.name!r} is being deleted"
        raise errors.Conflict(message)
    if row.request:
        message = f"a sync asked for by {row.request.get('actor', 'somebody')} is waiting; follow it, or stop it with `plane app terminate`"
        raise errors.Conflict(message)
    return row


def spec_of(row: rows.Row) -> domain.AppSpec:
    """What the app says."""
    return msgspec.convert(row.spec, domain.AppSpec)


def operation(names: authorise.Names, kind: str, row: rows.Row) -> rest.Operation:
    """What to follow."""
    events = f"/api/v1/tenants/{names.tenant}/projects/{names.project}/apps/{names.name}/events"
    return rest.Operation(kind=kind, app=names.name, events=events, generation=row.generation)  # type: ignore[arg-type]  # one of its words
