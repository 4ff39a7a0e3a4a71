"""What a task would do, from its release and what lives in the cluster."""

import itertools

import msgspec

from plane.agent.applying import guard
from plane.agent.kept import records, releases, writing
from plane.agent.watching import cluster
from plane.domain import apps, kinds, objects
from plane.domain import options as sync_options
from plane.domain.planning import operation, plan, selection, terms, waves
from plane.wire import agent

MOST_WARNINGS = 100


class Work(msgspec.Struct, frozen=True):
    """A task that was let in. `before`: kinds the app may own objects of, from the fence."""

    task: agent.Task
    release: releases.Release
    before: frozenset[tuple[str, str]] = frozenset()


def warnings(work: Work) -> tuple[str, ...]:
    """Sync options that have no effect."""
    found = (line for one in work.release.manifests for line in sync_options.warnings(one))
    return (*sync_options.app_warnings(options(work.task).sync_options), *itertools.islice(found, MOST_WARNINGS))


def radius(there: cluster.Cluster, work: Work, planned: plan.Plan) -> tuple[str, ...]:
    """Why a person must approve the plan first."""
    told = work.task.options
    if told.approved or told.dry_run:
        return ()
    inventory = sum(not record.live.hook for record in there.watches.owned(work.task.app_id).values())
    return plan.radius(planned, inventory=inventory, blast=apps.BlastRadius(told.max_deletes, told.max_percent))


def options(task: agent.Task) -> agent.Options:
    """The task's, with what holds for it alone laid over the app's sync options."""
    told = task.options
    return msgspec.structs.replace(told, sync_options=terms.over(told.sync_options, told.once.sync_options))


async def make(there: cluster.Cluster, work: Work, *, namespace: operation.Namespace | None = None) -> plan.Plan:
    """The plan. `namespace`: where a step of the plan makes it, rather than whoever runs the plan.

    Raises:
        TaskRefused: it chooses nothing, deletes outside its scope, or shares an object that it must not. BadAnnotation, Invalid.
    """
    task, release = work.task, work.release
    owned_kinds = work.before | {(one.key.group, one.key.kind) for one in release.manifests}
    await there.watches.ensure(kind for kind in owned_kinds if there.kinds.preferred(*kind))
    live = {key: record.live for key, record in there.watches.owned(task.app_id).items() if record.ours}
    told = msgspec.structs.replace(_terms(there, work), namespace=namespace)
    if told.sync.fail_on_shared_resource:
        guard.check_shared(release, there)
    if told.chosen is not None:
        _check_chosen(told.chosen, release, live.keys() - {one.key for one in release.manifests})
    planned = plan.make(release.manifests, live=live, inventory=frozenset(live), options=told)
    guard.check_pruned(task, planned)
    return planned


def namespace(work: Work) -> operation.Namespace | None:
    """What is created before anything else. One that the release brings itself gets its labels there."""
    told = work.task.options
    key = objects.ObjectKey(*kinds.NAMESPACE, "", told.create_namespace)
    if not told.create_namespace or work.task.kind == "remove":
        return None
    if any(one.key == key for one in work.release.manifests):
        return operation.Namespace(key.name)
    return operation.Namespace(key.name, told.namespace_labels, told.namespace_annotations)


def settled(there: cluster.Cluster, work: Work, key: objects.ObjectKey, index: int) -> records.Record | None:
    """The record of an object that needs no request."""
    record = there.watches.get(key)
    if record is None or record.app != work.task.app_id or record.deleting or record.settled != record.digest:
        return None
    return record if record.wanted == records.document_digest(work.release.documents[index]) else None


def _terms(there: cluster.Cluster, work: Work) -> plan.Options:
    task, removing = work.task, work.task.kind == "remove"
    once = task.options.once
    sync = writing.of_app(options(task).sync_options)
    return plan.Options(
        app_id=task.app_id,
        prune=task.options.prune,
        allow_empty=task.options.allow_empty,
        removing=removing,
        approved=task.options.approved,
        strategy=once.strategy,
        chosen=terms.chosen(terms.Terms(once.resources, once.labels)),
        out_of_sync=_differing(there, work) if sync.apply_out_of_sync_only and not removing else None,
        sync=sync,
        revision=task.revision,
        started_at=task.generation,  # names hooks: the same when the task is resumed
    )


def _differing(there: cluster.Cluster, work: Work) -> frozenset[objects.ObjectKey]:
    """What is not known to be as Git wants it."""
    return frozenset(one.key for index, one in enumerate(work.release.manifests) if not settled(there, work, one.key, index))


def _check_chosen(chosen: selection.Selection, release: releases.Release, left: set[objects.ObjectKey]) -> None:
    wanted = [one for one in release.manifests if not waves.turn(one).hook]
    if any(selection.chooses(chosen, one) for one in wanted) or (not chosen.selector and any(selection.names(chosen, key) for key in left)):
        return
    message = f"what was chosen matches none of the release's {len(wanted)} objects; `plane app resources` names them"
    raise guard.TaskRefused(message)
