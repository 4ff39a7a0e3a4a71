"""What an app's project lets it be, asked again with every look: rules change after apps are written."""

from typing import Any

import msgspec

from plane.domain import errors, objects, release, tenancy
from plane.domain.permitting import projects, quotas
from plane.store.delivering import facts


class ProjectForbids(errors.SourceRefused):
    """The app comes from somewhere, or goes somewhere, that its project no longer allows."""

    code = "project-forbids"


def check(app: facts.App, cluster: facts.Cluster) -> None:
    """Before anything is fetched; ProjectForbids names the field and the list."""
    problems = tenancy.project_problems(app.rules, app.project, app.spec, marks=cluster.labels)
    if why := tenancy.elsewhere(cluster.grant, cluster.name, app.project, app.rules):
        problems["spec.destination"] = why
    if problems:
        raise ProjectForbids("; ".join(f"{path}: {rule}" for path, rule in problems.items()))


def check_objects(app: facts.App, cluster: facts.Cluster, manifests: tuple[objects.Manifest, ...]) -> None:
    """Raise for the first object outside what the tenant is granted, or its project allows."""
    if app.room is not None and len(manifests) > app.room:
        used = f"its other apps leave room for {max(0, app.room)} and this one has {len(manifests)}"
        raise quotas.QuotaExceeded(f"the tenant's quota of objects is used up: {used}; remove some, or ask the platform team for more")
    release.check_scope(manifests, cluster.grant, cluster.name)
    release.check_project(manifests, app.rules, projects.Where(cluster.name, labels=cluster.labels), project=app.project)


def key(app: facts.App) -> list[Any]:
    """What of the rules a release depends on; empty for a project that says nothing."""
    lists: list[Any] = [getattr(app.rules, name) for name in projects.Rules.__struct_fields__ if name not in _ELSEWHERE]
    return msgspec.to_builtins(lists) if any(each not in {None, ()} for each in lists) else []


_ELSEWHERE = frozenset({"source_repos", "destinations", "destination_service_accounts"})  # asked before, in the key already, in the task
