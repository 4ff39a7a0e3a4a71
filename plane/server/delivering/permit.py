"""What an app's project lets it be, asked again with every look: rules change after apps are written."""

from collections.abc import Sequence
from typing import Any

import msgspec

from plane import ports
from plane.domain import errors, objects, release, tenancy
from plane.domain.permitting import projects, quotas, signing
from plane.server import context, keys
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


def check_signed(plane: context.Plane, app: facts.App, held: keys.Keys, commits: Sequence[ports.Commit]) -> tuple[signing.Checked, ...]:
    """What is known of each commit's signature; ProjectForbids for the first that none of the project's keys signed."""
    if not app.rules.signature_keys:
        return tuple(signing.unchecked(commit.signature) for commit in commits)
    remotes = (keys.remote(app.repositories[number], held) for number in range(len(commits)))
    return tuple(
        check_commit(plane, remote, commit, rules=app.rules, project=app.project) for remote, commit in zip(remotes, commits, strict=True)
    )


def check_commit(
    plane: context.Plane, remote: ports.GitRemote, commit: ports.Commit, *, rules: tenancy.ProjectSpec, project: str
) -> signing.Checked:
    """The same for one commit of a mirror, where the project has keys."""
    found = plane.git.checked(remote, commit, [one.public_key for one in rules.signature_keys])
    if found.problem:
        sentence = f"commit {commit.sha[:12]} of {remote.url} must be signed by one of the signatureKeys of project {project}"
        raise ProjectForbids(f"{sentence}, and {found.problem}; sign it, or add the key")
    return found


def check_local(app: facts.App) -> None:
    """ProjectForbids for files that no commit holds, where commits must be signed."""
    if app.rules.signature_keys:
        message = (
            f"local files carry no signature, and project {app.project} takes only what its signatureKeys signed; commit and sign them"
        )
        raise ProjectForbids(message)


def check_objects(app: facts.App, cluster: facts.Cluster, manifests: tuple[objects.Manifest, ...]) -> None:
    """Raise for the first object outside what the tenant is granted, or its project allows."""
    parts = (
        ("objects", "the tenant's quota of objects", app.room),
        (f"capacity of {cluster.name}", f"the tenant's part of cluster {cluster.name}, in objects,", app.room_there),
    )
    for quota, bound, room in parts:
        if room is not None and len(manifests) > room:
            used = f"its other apps leave room for {max(0, room)} and this one has {len(manifests)}"
            raise quotas.QuotaExceeded(f"{bound} is used up: {used}; remove some, or ask the platform team for more", quota=quota)
    release.check_scope(manifests, cluster.grant, cluster.name)
    release.check_project(manifests, app.rules, projects.Where(cluster.name, labels=cluster.labels), project=app.project)


def release_key(app: facts.App) -> list[Any]:
    """What of the rules a release depends on; empty for a project that says nothing."""
    told = {name: getattr(app.rules, name) for name in (*projects.Rules.__struct_fields__, "signature_keys") if name not in _ELSEWHERE}
    changed = {name: value for name, value in told.items() if value != getattr(_SILENT, name)}
    return [msgspec.to_builtins(changed)] if changed else []


_SILENT = tenancy.ProjectSpec()
_ELSEWHERE = frozenset({"source_repos", "destinations", "destination_service_accounts"})  # asked before, in the key already, in the task
