"""Projects: what shares repositories, credentials and rules inside a tenant."""

import secrets as random

import msgspec

from plane.domain import access, errors, tenancy
from plane.domain.permitting import quotas
from plane.domain.rendering import secrets
from plane.server import authorise, context, keys
from plane.server import documents as generic
from plane.server.keeping import holds
from plane.store import documents as rows
from plane.store.delivering import duties, usage
from plane.store.layout import tables
from plane.wire import documents, rest

FINGERPRINT_BYTES = 32
BELOW = (
    ("apps", tables.apps),
    ("repositories", tables.repositories),
    ("credentials", tables.credentials),
    ("policy sets in Git", tables.policy_sets),
)


def read(row: rows.Row, names: authorise.Names) -> documents.Project:
    """From a row."""
    return documents.Project(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=msgspec.convert(row.spec, tenancy.ProjectSpec),
        status=documents.ProjectStatus(**generic.common(row), hold=holds.shown(row.hold), orphans=_orphans(row)),
    )


def _orphans(row: rows.Row) -> documents.Orphans | None:
    watch, kept = msgspec.convert(row.spec, tenancy.ProjectSpec).orphaned_resources, row.orphans or {}
    if watch is None or not watch.warn or "at" not in kept:
        return None
    return documents.Orphans(total=sum(kept["found"].values()), at=kept["at"], found=kept["found"])


def _columns(change: generic.Change) -> generic.Columns:
    if problems := tenancy.check_project(change.wish.spec):
        raise errors.Invalid(problems)
    if change.before is None:
        _check_quota(change)
    stored = generic.spec_only(change)
    return stored if change.before else {**stored, "fingerprint_key": _fingerprint_key(change)}


def _check_quota(change: generic.Change) -> None:
    tx, tenant = change.place.tx, change.place.scope.tenant
    quota = usage.above(tx, tenant).quotas.projects
    if quota is not None and (why := quotas.exceeded("projects", quota=quota, used=usage.projects(tx, tenant))):
        raise quotas.QuotaExceeded(why, quota="projects")


def _fingerprint_key(change: generic.Change) -> bytes:
    bound = keys.wrapping_context(change.place.scope.tenant, change.id, keys.FINGERPRINT_KEY)
    return change.plane.envelope.wrap(secrets.Secret(random.token_bytes(FINGERPRINT_BYTES)), context=bound)


def _settle(change: generic.Change) -> None:
    """Rules may have become narrower or wider: every app of the project is looked at again."""
    if change.before:
        duties.all_of_project(change.place.tx, change.place.scope.tenant, change.id, change.plane.clock.now())


def _release(change: generic.Change) -> None:
    where = {"tenant_id": change.place.scope.tenant, "project_id": change.id}
    left = [f"{noun} ({count})" for noun, table in BELOW if (count := rows.count(change.place.tx, table, where))]
    if left:
        message = f"project {change.place.names.name!r} still has {', '.join(left)}; delete them first"
        raise errors.Conflict(message)


KIND = generic.Kind(
    type=documents.Project,
    noun="project",
    plural="projects",
    level=1,
    shelf=rows.PROJECTS,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
)


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery) -> rest.Page[documents.Project]:
    """A tenant's projects; for people of single projects only those."""
    tenant, _ = authorise.locate(plane, caller.actor, authorise.Names(names.tenant))
    if access.allows(caller.actor, "project:get", access.Target(tenant)):
        return generic.page(plane, caller, KIND, names, query)
    mine = {grant.project for grant in caller.actor.grants if grant.tenant == tenant and grant.project}
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "tenant:get") as place:
        return generic.shown(KIND, place, query, rows.among(KIND.shelf, mine))


def get(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Project:
    """A project, for anybody with a role in it."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant, names.name, names.name), "project:get") as place:
        row = rows.find(place.tx, KIND.shelf, {"tenant_id": place.scope.tenant}, names.name)
        if row is None:
            raise errors.NotFound("project", names.name)
        return read(row, names)
