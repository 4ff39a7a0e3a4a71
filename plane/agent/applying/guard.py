"""What a task must hold before anything is touched: from this plane, for this cluster, in time, inside its scope."""

import functools
from collections.abc import Container, Mapping

from plane.adapters.cluster import kube_kinds
from plane.agent.kept import releases
from plane.agent.watching import cluster
from plane.domain import errors, fleet, kinds, objects
from plane.domain.permitting import projects
from plane.domain.planning import plan
from plane.wire import agent, bundle, permitted, signing


class TaskRefused(errors.PlaneError):
    """A task that does not hold; nothing of it was done."""

    code = "task-refused"


def opened(signed: agent.SignedTask, enrolled: agent.Enrolled, *, now: float) -> agent.Task:
    """The task; TaskRefused or TokenRefused when it is not for us or too old."""
    task = signing.open_task(signed, enrolled.task_key)
    if task.cluster_id != enrolled.cluster_id:
        raise TaskRefused("the task is for another cluster")
    if now > task.expires + signing.SKEW_S:
        raise TaskRefused("the task has expired; compare the clocks of plane and cluster")
    return task


def checked(task: agent.Task, bundled: agent.ReleaseBundle, key_ids: Container[str]) -> releases.Release:
    """The release, when it is the one the task was signed for.

    Raises:
        TaskRefused: another release, other sealed values, or sealed to a key that is not ours. BundleBroken: other content.
    """
    if bundled.digest != task.release:
        raise TaskRefused("the task came with another release than it names")
    if bundle.sealed_digest(bundled.sealed) != task.sealed_digest:
        raise TaskRefused("the sealed values are not those that the task was signed for")
    if bundled.sealed and bundled.key_id not in key_ids:
        raise TaskRefused("the secrets were sealed to another agent's key; refresh the app")
    return releases.load(task.app_id, bundled)


def check_scope(task: agent.Task, release: releases.Release, served: kube_kinds.Kinds) -> None:
    """TaskRefused for the first object outside the task's scope, or one that hides its scope behind a namespace it cannot have."""
    brought: Mapping[tuple[str, str], bool] = kinds.defined(release.manifests)
    for manifest in release.manifests:
        key = manifest.key
        resource = served.knows(manifest.api_version, key.kind)
        namespaced = resource.namespaced if resource else brought.get((key.group, key.kind), kinds.namespaced(key.group, key.kind))
        if key.namespace and not namespaced:
            raise TaskRefused(f"{key} is cluster-scoped and names a namespace; remove metadata.namespace")
        _check_written(task, key)
    if task.options.create_namespace:
        _check(task, objects.ObjectKey("", "Namespace", "", task.options.create_namespace))


def check_shared(release: releases.Release, there: cluster.Cluster) -> None:
    """TaskRefused when one object belongs to another app: FailOnSharedResource=true."""
    for manifest in release.manifests:
        record = there.watches.get(manifest.key)
        if record and record.app != release.app and there.book.wants(record.app, manifest.key):
            mark = record.live.mark or record.app
            raise TaskRefused(f"{manifest.key} belongs to app {mark}, and FailOnSharedResource=true; remove it there first, or here")


def check_pruned(task: agent.Task, planned: plan.Plan) -> None:
    """The same for what would be deleted."""
    for step in planned.steps():
        if step.action == "prune":
            _check(task, step.key)


def check_asked(task: agent.Task) -> None:
    """The same for what a query asks about."""
    for key in task.keys:
        _check(task, objects.ObjectKey(key.group, key.kind, key.namespace, key.name))


def check_account(task: agent.Task) -> None:
    """TaskRefused where it would be done as a service account that is not the tenant's."""
    account = task.options.run_as
    if account not in {"", permitted.NOBODY} and not fleet.lends(_grant(task), account):
        allowed = ", ".join(task.scope.namespaces) or "no namespace"
        raise TaskRefused(f"the service account {account} is outside what tenant {task.tenant} may use on this cluster ({allowed})")


def check_key(task: agent.Task, key: objects.ObjectKey) -> None:
    """The same for one object that is to be made."""
    _check_written(task, key)


def permits(task: agent.Task, key: objects.ObjectKey) -> bool:
    """Whether an object is inside the task's scope."""
    return fleet.permits(_grant(task), group=key.group, kind=key.kind, namespace=key.namespace, name=key.name)


def _grant(task: agent.Task) -> fleet.Grant:
    return fleet.Grant(task.tenant, task.scope.namespaces, task.scope.cluster_kinds)


def _check_written(task: agent.Task, key: objects.ObjectKey) -> None:
    """Also by the project's own rules."""
    _check(task, key)
    if why := projects.object_(_rules(task.scope.rules), key, projects.Where(""), name=task.project):
        raise TaskRefused(f"{key} {why}; change the object, or widen the project")


@functools.lru_cache(256)
def _rules(told: permitted.Rules) -> projects.Rules:
    return projects.Rules(
        destinations=tuple(projects.Place(namespace=glob) for glob in told.namespaces),
        cluster_resource_whitelist=_kinds(told.cluster_allowed),
        cluster_resource_blacklist=_kinds(told.cluster_denied) or (),
        namespace_resource_whitelist=_kinds(told.namespace_allowed),
        namespace_resource_blacklist=_kinds(told.namespace_denied) or (),
    )


def _kinds(told: tuple[permitted.Kinds, ...] | None) -> tuple[projects.Kinds, ...] | None:
    return None if told is None else tuple(projects.Kinds(one.kind, one.group, one.name) for one in told)


def _check(task: agent.Task, key: objects.ObjectKey) -> None:
    if not permits(task, key):
        allowed = ", ".join(task.scope.namespaces) or "no namespace"
        outside = f"{key} is outside what tenant {task.tenant} may use on this cluster ({allowed})"
        raise TaskRefused(f"{outside}; change its namespace, or ask for a wider grant")
