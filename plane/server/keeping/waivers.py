"""Waivers: asked for by one person, approved by another, counted while in force, and over at their end."""

import msgspec

from plane.domain import access, errors
from plane.domain.auditing import policy_details
from plane.domain.judging import waivers as domain
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store.delivering import duties, facts, policies
from plane.wire import documents

MOST = 500  # of one project: exceptions that nobody can read any more are no exceptions


def read(row: rows.Row, names: authorise.Names) -> documents.Waiver:
    """From a row."""
    return documents.Waiver(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=2),
        spec=msgspec.convert(row.spec, domain.WaiverSpec),
        status=documents.WaiverStatus(
            **generic.common(row),
            state=domain.standing(policies.waiver(row, project=names.project), over=row.over),
            requested_by=row.requested_by,
            approved_by=row.approved_by,
            approved_at=facts.stamp(row.approved_at),
            revoked_by=row.revoked_by,
            revoked_at=facts.stamp(row.revoked_at),
            uses=row.uses,
            used_at=facts.stamp(row.used_at),
        ),
    )


def _columns(change: generic.Change) -> generic.Columns:
    """Another wording is another request: somebody else has to agree again."""
    spec: domain.WaiverSpec = change.wish.spec
    before, actor = change.before, change.place.scope.actor
    if before and generic.plain(msgspec.convert(before.spec, domain.WaiverSpec)) == generic.plain(spec):
        return {"spec": before.spec}
    problems = domain.problems(spec, at=change.plane.clock.now())
    if before is None and rows.count(change.place.tx, policies.WAIVERS, change.place.where()) >= MOST:
        problems["spec"] = f"there are {MOST} waivers in this project, the most there may be; delete those that are over"
    if problems:
        raise errors.Invalid(problems)
    if spec.break_glass and not access.allows(actor, "waiver:breakglass", _target(change.place)):
        raise errors.Forbidden("waiver:breakglass")
    asked = {"requester_id": actor.id, "requested_by": actor.name, "approved_by": "", "approved_at": None}
    return {"spec": generic.plain(spec), "ends_at": domain.ends(spec), **asked, "revoked_by": "", "revoked_at": None, "reminded_at": None}


def _settle(change: generic.Change) -> None:
    duties.all_of_project(change.place.tx, change.place.scope.tenant, change.place.project, change.plane.clock.now())


KIND = generic.Kind(
    type=documents.Waiver,
    noun="waiver",
    plural="waivers",
    level=2,
    shelf=policies.WAIVER_SHELF,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_settle,
)


def approve(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Waiver:
    """Agree to somebody else's waiver.

    Raises:
        Forbidden: it is about one of the platform's policies, or for longer than a tenant approves, and the caller may not do that.
        Conflict: the caller asked for it, or it does not wait for anybody.
    """
    with authorise.enter(plane, caller, names, "waiver:approve") as place:
        row, now = generic.existing(KIND, place, lock=True), plane.clock.now()
        waiver = policies.waiver(row, project=names.project)
        if row.requester_id == caller.actor.id:
            raise errors.Conflict(f"you asked for waiver {names.name!r} yourself; somebody else has to approve it")
        if domain.state(waiver, at=now) != "requested":
            raise errors.Conflict(f"waiver {names.name!r} waits for no approval: it is {domain.state(waiver, at=now)}")
        above = waiver.spec.policy.startswith(policies.PLATFORM) or domain.long(waiver.spec, at=now)
        if above and not access.allows(caller.actor, "waiver:approve", access.Target()):
            raise errors.Forbidden("waiver:approve on the platform: it is about the platform's policy, or for more than 90 days")
        return _mark(plane, place, row, "approved")


def revoke(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Waiver:
    """End it now; Conflict when it is over already."""
    with authorise.enter(plane, caller, names, "waiver:revoke") as place:
        row, now = generic.existing(KIND, place, lock=True), plane.clock.now()
        state = domain.state(policies.waiver(row, project=names.project), at=now)
        if state in {"expired", "revoked"}:
            raise errors.Conflict(f"waiver {names.name!r} is {state} already")
        return _mark(plane, place, row, "revoked")


def _mark(plane: context.Plane, place: authorise.Place, row: rows.Row, verb: str) -> documents.Waiver:
    now, by = plane.clock.now(), place.scope.actor.name
    rows.change(place.tx, KIND.shelf, place.where(), row.id, {f"{verb}_by": by, f"{verb}_at": now}, now=now)
    duties.all_of_project(place.tx, place.scope.tenant, place.project, now)
    about = record.Facts(project=place.names.project, target=f"waiver/{place.names.name}", message=row.spec["reason"])
    told = policy_details.Waived(waiver=row.spec)
    record.append(plane, place.tx, place.scope, f"waiver.{verb}", project_id=place.project, details=told, **about)
    return place.done(read(generic.existing(KIND, place), place.names))


def _target(place: authorise.Place) -> access.Target:
    return access.Target(place.scope.tenant, place.project)
