"""Role bindings as documents: a role over a tenant, a project or the platform, for users. Nobody gives or takes above their own."""

from collections.abc import Iterable, Mapping

import msgspec

from plane.domain import access, errors
from plane.domain.auditing import details
from plane.domain.granting import bindings
from plane.server import authorise, record
from plane.server import documents as generic
from plane.server.keeping import people, roles
from plane.store import documents as rows
from plane.store import engine
from plane.store.people import bindings as rows_of
from plane.store.people import holding
from plane.store.people import people as principals
from plane.wire import documents

Subjects = dict[bindings.Subject, str]  # subject → id of the principal


def read(row: rows.Row, names: authorise.Names) -> documents.RoleBinding:
    """From a row."""
    return documents.RoleBinding(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=msgspec.convert(row.spec, bindings.RoleBindingSpec),
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
    subject = bindings.Subject(place.names.name)
    for each in rows_of.forget(place.tx, change.id, subject, home=place.scope.tenant, now=now):
        elsewhere = each.tenant if each.tenant != place.scope.tenant else ""
        sides = details.Written(before=generic.plain(each.before), after=generic.plain(each.after), tenant=elsewhere)
        about = record.Facts(target=f"rolebinding/{each.name}", message=f"user/{subject.name} was deleted")
        record.append(change.plane, place.tx, place.scope, "rolebinding.updated", project_id=each.project, details=sides, **about)


def _columns(change: generic.Change) -> generic.Columns:
    spec: bindings.RoleBindingSpec = change.wish.spec
    if broken := bindings.check(spec):
        raise errors.Invalid({f"spec.{path}": rule for path, rule in broken.items()})
    place = change.place
    project = rows_of.project(place.tx, place.scope.tenant, spec.project) if spec.project else None
    app = rows_of.app(place.tx, place.scope.tenant, project, spec.app) if project and spec.app else None
    if problems := {**_places(place, spec, project=project, app=app), **_people(place, spec, found=_found(change))}:
        raise errors.Invalid(problems)
    terms = bindings.terms(spec)
    permissions = roles.known(place, spec.role, path="spec.role")
    _check_above(change, (access.Grant(spec.role, people.tenant(place), project or "", app or "", permissions, terms),))
    return {
        "spec": generic.plain(spec),
        "role": spec.role,
        "project_id": project,
        "app_id": app,
        "cluster_labels": spec.cluster_labels,
        "until": terms.until,
        "networks": list(spec.networks),
        "fresh_s": terms.fresh_s,
        "break_glass": spec.break_glass,
    }


def _settle(change: generic.Change) -> None:
    place, subjects = change.place, change.wish.spec.subjects
    rows_of.give(place.tx, place.scope.tenant, change.id, _found(change).values())
    rows_of.give_groups(place.tx, place.scope.tenant, change.id, [each for each in subjects if each.kind == "Group"])
    people.check_admin_left(place)


def _release(change: generic.Change) -> None:
    _check_above(change, ())
    people.check_admin_left(change.place, without=change.id)


def _check_above(change: generic.Change, grants: Iterable[access.Grant]) -> None:
    """Also what the binding gave until now must be the caller's to give."""
    before = change.before
    given = [_grant(change, before)] if before else []
    people.check_above(change.place.scope.actor, (*grants, *given))


def _grant(change: generic.Change, row: rows.Row) -> access.Grant:
    """What a stored binding gives. One that ended already gives nothing any more, but who held it until then could not have given it."""
    permissions = rows_of.role(change.place.tx, change.place.scope.tenant, row.role) or ()
    terms = holding.terms(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return access.Grant(row.role, people.tenant(change.place), row.project_id or "", row.app_id or "", permissions, terms)


def _places(place: authorise.Place, spec: bindings.RoleBindingSpec, *, project: str | None, app: str | None) -> dict[str, str]:
    """Broken rules of what the role is over, by path."""
    problems = {}
    if rule := bindings.misplaced(spec.role, in_tenant=bool(place.names.tenant)):
        problems["spec.role"] = rule
    if spec.project and not project:
        where = f"no project {spec.project!r} here" if place.names.tenant else "no project in the platform; remove it"
        problems["spec.project"] = f"there is {where}"
    elif spec.app and not app:
        problems["spec.app"] = f"there is no app {spec.app!r} in project {spec.project}; create it first"
    return problems


def _people(place: authorise.Place, spec: bindings.RoleBindingSpec, *, found: Subjects) -> dict[str, str]:
    """Broken rules of who gets the role, by path."""
    problems = {}
    for n, subject in enumerate(spec.subjects):
        if subject.platform and not place.names.tenant:
            problems[f"spec.subjects[{n}].platform"] = "says nothing here, where all users are the platform's; remove it"
        elif subject.kind != "Group" and subject not in found:
            whose = "of the platform" if subject.platform or not place.names.tenant else f"in tenant {place.names.tenant}"
            what = "service" if subject.kind == "ServiceAccount" else "user"
            problems[f"spec.subjects[{n}].name"] = f"there is no {what} {subject.name!r} {whose}; create it first"
    return problems


def _found(change: generic.Change) -> Subjects:
    """Those of the principals among the subjects that are there, and the caller's to name."""
    named = [subject for subject in change.wish.spec.subjects if subject.kind != "Group"]
    own = [subject for subject in named if not subject.platform]
    foreign = [subject for subject in named if subject.platform and _may_name(change, subject)]
    known = principals.ids(change.place.tx, change.place.scope.tenant, {subject.name for subject in own})
    found = _matching(own, known)
    if foreign:
        with engine.dispatch(change.plane.engine) as tx:
            above = principals.ids(tx, access.PLATFORM_TENANT, {subject.name for subject in foreign}, held=False)
        found |= _matching(foreign, above)
    return found


def _matching(subjects: Iterable[bindings.Subject], known: Mapping[str, tuple[str, str]]) -> Subjects:
    """A ServiceAccount is a service; a User may be one too."""
    found = {}
    for subject in subjects:
        identity, kind = known.get(subject.name, ("", ""))
        if identity and (subject.kind == "User" or kind == "service"):
            found[subject] = identity
    return found


def _may_name(change: generic.Change, subject: bindings.Subject) -> bool:
    """A tenant learns of the platform's people only by what the platform gave them there."""
    before = msgspec.convert(change.before.spec, bindings.RoleBindingSpec).subjects if change.before else ()
    return subject in before or access.allows(change.place.scope.actor, "access:get", access.Target())


KIND = generic.Kind(
    type=documents.RoleBinding,
    noun="rolebinding",
    plural="rolebindings",
    resource="access",
    level=1,
    shelf=rows_of.SHELF,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0)
PROJECT_KIND = msgspec.structs.replace(KIND, level=2, read=_read_in_project, columns=_columns_in_project)  # those of one project
