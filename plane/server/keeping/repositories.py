"""Repositories: where a project's sources lie."""

import msgspec

from plane.domain import errors, tenancy
from plane.domain.deciding import decide
from plane.domain.judging import artifacts
from plane.server import authorise, context, keys
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store.delivering import facts, keyring, policy_sources, repositories, usage
from plane.store.layout import tables
from plane.wire import documents, rest


def read(row: rows.Row, names: authorise.Names) -> documents.Repository:
    """From a row."""
    status = documents.RepositoryStatus(
        **generic.common(row), looked_at=facts.stamp(row.refs_at), refs=len(row.refs), bytes=row.mirror_bytes, problem=problem(row.problem)
    )
    spec = msgspec.convert(row.spec, tenancy.RepositorySpec)
    return documents.Repository(api_version=documents.API_VERSION, metadata=generic.metadata(row, names, level=2), spec=spec, status=status)


def problem(stored: object) -> documents.Reason | None:
    """A stored decide.Problem as documents show it."""
    if not stored:
        return None
    found = msgspec.convert(stored, decide.Problem)
    return documents.Reason(code=found.code, sentence=found.sentence, since=found.since)


def _columns(change: generic.Change) -> generic.Columns:
    problems = tenancy.check_repository(change.wish.spec)
    if problems:
        raise errors.Invalid(problems)
    return {"spec": generic.plain(change.wish.spec), "url": tenancy.normal_url(change.wish.spec.url)}


def _settle(change: generic.Change) -> None:
    place, now = change.place, change.plane.clock.now()
    url = tenancy.normal_url(change.wish.spec.url)
    repositories.adopt(place.tx, place.scope.tenant, place.project, repository=change.id, url=url, now=now)
    repositories.look_now(place.tx, place.scope.tenant, change.id, now)


def _release(change: generic.Change) -> None:
    where = {"tenant_id": change.place.scope.tenant, "repository_id": change.id}
    left = rows.count(change.place.tx, tables.apps, where) + rows.count(change.place.tx, tables.app_sources, where)
    sets = policy_sources.following(change.place.tx, where["tenant_id"], project=change.place.project, url=change.before.url)  # type: ignore[union-attr]  # it is there
    if sets:
        message = f"repository {change.place.names.name!r} is the source of policy set {sets[0].name!r}; give that another source first"
        raise errors.Conflict(message)
    if left:
        message = f"repository {change.place.names.name!r} is the source of {left} apps; delete them or give them another source first"
        raise errors.Conflict(message)


KIND = generic.Kind(
    type=documents.Repository,
    noun="repository",
    plural="repositories",
    level=2,
    shelf=rows.REPOSITORIES,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
)


def test(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> rest.Tested:
    """Reach the repository with its credential now; a refusal is an answer here, not an error."""
    with authorise.enter(plane, caller, names, "repository:test") as place:
        known = facts.repository(generic.existing(KIND, place), usage.above(place.tx, place.scope.tenant).quotas)
        wrapped = keyring.load(place.tx, place.scope.tenant, [place.project])
        tenant = place.scope.tenant
    try:
        remote = keys.remote(known, keys.unlock(plane, tenant, wrapped))
        found, what = (plane.registry(remote).tags(), "tags") if artifacts.is_registry(known.url) else (len(plane.git.refs(remote)), "refs")
    except (errors.BackendDown, errors.SourceRefused, errors.SecretRefused) as e:
        return rest.Tested(ok=False, sentence=str(e))
    return rest.Tested(ok=True, refs=found, sentence=f"{found} {what}")
