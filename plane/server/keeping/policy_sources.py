"""Policy sets that lie elsewhere, as documents: what their source says is checked here, and read by whoever looks at the repository."""

from collections.abc import Mapping
from typing import Any

import msgspec

from plane.domain import access, errors, tenancy
from plane.domain.deciding import decide
from plane.domain.judging import policy_sources
from plane.server import authorise
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store.delivering import facts, repositories

NOWHERE: Mapping[str, Any] = {"project_id": None, "source_url": "", "seen": "", "problem": None}


def tied(change: generic.Change, source: policy_sources.Source) -> dict[str, Any]:
    """The columns that tie a set to its repository; where they are other than before, the repository is looked at now."""
    project = _project(change, source)
    where = {"project_id": project, "source_url": tenancy.normal_url(source.repo_url)}
    if change.before and all(change.before.spec.get(name) == generic.plain(change.wish.spec)[name] for name in ("source", "style")):
        return where
    return {**where, "seen": "", "problem": _look(change, source, where)}


def check(change: generic.Change, source: policy_sources.Source) -> None:
    """Invalid, by field."""
    problems = tenancy.check_policy_source(source)
    if change.place.scope.tenant == access.PLATFORM_TENANT:
        problems["spec.source"] = "the platform has no repositories; send its policy sets as files or bundles"
    if change.wish.bundle:
        problems["bundle"] = "spec.source says where the files come from; leave one of the two out"
    if change.wish.files and not (change.before and change.before.files == change.wish.files):
        problems["files"] = "come from spec.source; leave them out"
    if problems:
        raise errors.Invalid(problems)


def _project(change: generic.Change, source: policy_sources.Source) -> str:
    """Whoever makes a set of a repository's files shows them to all who read policies."""
    authorise.check(change.place, "repository:get")
    found = rows.find(change.place.tx, rows.PROJECTS, {"tenant_id": change.place.scope.tenant}, source.project)
    if found is None:
        raise errors.Invalid({"spec.source.project": f"there is no project {source.project!r}"})
    return str(found.id)


def _look(change: generic.Change, source: policy_sources.Source, where: Mapping[str, str]) -> dict[str, Any] | None:
    """The problem, where there is no such repository yet."""
    place, now = change.place, change.plane.clock.now()
    repository = repositories.by_url(place.tx, place.scope.tenant, where["project_id"], where["source_url"])
    if repository:
        repositories.look_now(place.tx, place.scope.tenant, repository, now)
        return None
    sentence = f"repository {source.repo_url} is not registered in project {source.project}; add it with `plane repo create`"
    found: dict[str, Any] = msgspec.to_builtins(decide.Problem("source-refused", sentence, facts.stamp(now)))
    return found
