"""Role bindings as documents: a role over a tenant, a project or the platform, for users. Nobody gives or takes above their own."""

from collections.abc import Iterable

import msgspec

from plane.domain import access, errors
from plane.server import authorise, record
from plane.server import documents as generic
from plane.server.keeping import people
from plane.store import documents as rows
from plane.store import engine
from plane.store.people import bindings
from plane.store.people import people as principals
from plane.wire import documents

Subjects = dict[access.Subject, str]  # subject → id of the principal


def read(row: rows.Row, names: authorise.Names) -> documents.RoleBinding:
    """From a row."""
    return documents.RoleBinding(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=msgspec.convert(row.spec, access.RoleBindingSpec),
        status=documents.Status(**generic.common(row)),
    )


def _read_in_project(row: rows.Row, names: authorise.Names) -> documents.RoleBinding:
    """With its project, where its project's admins have it."""
    return msgspec.structs.replace(read(row, names), metadata=generic.metadata(row, names, level=2))


def _columns_in_project(change: generic.Change) -> generic.Columns:
    project = change.place.names.project
    if change.wish.spec.project != project:
        raise errors.Invalid({"spec.project": f"must be {project}, the project that the address names"})
    return _columns(change)


def forget(change: generic.Change) -> None:
    """Take a user who is about to go out of all bindings, and tell the log of each."""
    place, now = change.place, change.plane.clock.now()
    subject = access.Subject(place.names.name)
    for each in bindings.forget(place.tx, change.id, subject, home=place.scope.tenant, now=now):
        sides = {"before": generic.plain(each.before), "after": generic.plain(each.after)}
        elsewhere = {"tenant": each.tenant} if each.tenant != place.scope.tenant else {}
        told = {"target": f"rolebinding/{each.name}", "message": f"user/{subject.name} was deleted", "details": {**elsewhere, **sides}}
        record.append(change.plane, place.tx, place.scope, "rolebinding.updated", project_id=each.project, **told)


def _columns(change: generic.Change) -> generic.Columns:
    spec: access.RoleBindingSpec = change.wish.spec
    project = bindings.project(change.place.tx, change.place.scope.tenant, spec.project) if spec.project else None
    found = _found(change)
    if problems := _problems(change.place, spec, project=project, found=found):
        raise errors.Invalid(problems)
    _check_above(change, (access.Grant(spec.role, people.tenant(change.place), project or ""),))
    return {"spec": generic.plain(spec), "role": spec.role, "project_id": project}


def _settle(change: generic.Change) -> None:
    bindings.give(change.place.tx, change.place.scope.tenant, change.id, _found(change).values())
    people.check_admin_left(change.place)


def _release(change: generic.Change) -> None:
    _check_above(change, ())
    people.check_admin_left(change.place, without=change.id)


def _check_above(change: generic.Change, grants: Iterable[access.Grant]) -> None:
    """Also what the binding gave until now must be the caller's to give."""
    before = change.before
    given = [access.Grant(before.role, people.tenant(change.place), before.project_id or "")] if before else []
    people.check_above(change.place.scope.actor, (*grants, *given))


def _problems(place: authorise.Place, spec: access.RoleBindingSpec, *, project: str | None, found: Subjects) -> dict[str, str]:
    """Broken rules by path."""
    problems = people.misplaced(place.names, spec.role, path="spec.role")
    if spec.project and not project:
        where = f"no project {spec.project!r} here" if place.names.tenant else "no project in the platform; remove it"
        problems["spec.project"] = f"there is {where}"
    for n, subject in enumerate(spec.subjects):
        if subject in spec.subjects[:n]:
            problems[f"spec.subjects[{n}].name"] = f"{subject.name} is in this list already; keep one"
        elif subject.platform and not place.names.tenant:
            problems[f"spec.subjects[{n}].platform"] = "says nothing here, where all users are the platform's; remove it"
        elif subject not in found:
            whose = "of the platform" if subject.platform or not place.names.tenant else f"in tenant {place.names.tenant}"
            problems[f"spec.subjects[{n}].name"] = f"there is no user {subject.name!r} {whose}; create it first"
    return problems


def _found(change: generic.Change) -> Subjects:
    """Those of the subjects that are there, and the caller's to name."""
    own = [subject for subject in change.wish.spec.subjects if not subject.platform]
    foreign = [subject for subject in change.wish.spec.subjects if subject.platform and _may_name(change, subject)]
    known = principals.ids(change.place.tx, change.place.scope.tenant, (subject.name for subject in own))
    found = {subject: known[subject.name] for subject in own if subject.name in known}
    if foreign:
        with engine.dispatch(change.plane.engine) as tx:
            above = principals.ids(tx, access.PLATFORM_TENANT, (subject.name for subject in foreign), held=False)
        found |= {subject: above[subject.name] for subject in foreign if subject.name in above}
    return found


def _may_name(change: generic.Change, subject: access.Subject) -> bool:
    """A tenant learns of the platform's people only by what the platform gave them there."""
    before = msgspec.convert(change.before.spec, access.RoleBindingSpec).subjects if change.before else ()
    return subject in before or access.allows(change.place.scope.actor, "access:get", access.Target())


KIND = generic.Kind(
    type=documents.RoleBinding,
    noun="rolebinding",
    plural="rolebindings",
    resource="access",
    level=1,
    shelf=bindings.SHELF,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0)
PROJECT_KIND = msgspec.structs.replace(KIND, level=2, read=_read_in_project, columns=_columns_in_project)  # those of one project
