"""Questions to the agent of an app: put in a transaction of the asker, awaited by the endpoint, given up when nobody answers."""

from typing import TypeVar

import msgspec

from plane.domain import apps as domain
from plane.domain import errors, objects
from plane.server import authorise, context, tasking
from plane.server import documents as generic
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store import wake
from plane.store.delivering import facts, tasks
from plane.store.showing import apps as store
from plane.wire import agent, answers

T = TypeVar("T", bound=answers.Answer)


class Question(msgspec.Struct, frozen=True):
    """What is asked. `keys`: objects that it is about; `terms`: what the question itself has to say."""

    name: str
    keys: tuple[objects.ObjectKey, ...] = ()
    terms: msgspec.Struct | None = None
    release: str = ""
    options: agent.Options = agent.Options()
    writes: bool = False


class Asked(msgspec.Struct, frozen=True):
    """A question under way."""

    task: str
    app: str  # id, the payload of `plane_app`
    cluster: str
    name: str


def put(plane: context.Plane, place: authorise.Place, row: rows.Row, question: Question) -> Asked:
    """Queue a question for the app's agent.

    Raises:
        BackendDown: no agent is there to answer.
    """
    cluster = _present(place, row)
    if question.writes:
        _check_account(place, row, cluster)
    task = _task(plane, place, row, cluster, question)
    actor = place.scope.actor.name
    tasks.add(place.tx, place.scope.tenant, [tasks.of(task, row.project_id, actor=actor, trigger=question.name)], plane.clock.now())
    wake.notify(place.tx, "plane_tasks", cluster.id)
    return Asked(task.id, row.id, cluster.name, question.name)


def ask(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, question: Question, *, permission: str = "app:get"
) -> Asked:
    """`put` in a transaction of its own."""
    with authorise.enter(plane, caller, names, permission) as place:
        return put(plane, place, generic.existing(apps.KIND, place), question)


def said(place: authorise.Place, asked: Asked) -> bytes | None:
    """What the agent answered, or None while it has not.

    Raises:
        Conflict: it refuses to answer. BackendDown: it could not at this moment.
    """
    found = store.answer(place.tx, place.scope.tenant, asked.task)
    if found.outcome == "failed":
        raise errors.BackendDown("agent", found.message)
    if found.problem:
        raise errors.Conflict(found.problem)
    return found.live if found.outcome else None


def heard(place: authorise.Place, asked: Asked, kind: type[T]) -> T | None:
    """`said`, read as the answer that the question has.

    Raises:
        NotFound: what was asked about is not there, or not the app's. Conflict: an agent that does not know the question.
    """
    live = said(place, asked)
    if live is None:
        return None
    try:
        found: T | answers.Absent = msgspec.json.decode(live, type=kind | answers.Absent)
    except msgspec.MsgspecError as e:
        message = f"the agent of cluster {asked.cluster} does not know the question {asked.name!r}; upgrade it"
        raise errors.Conflict(message) from e
    if isinstance(found, answers.Absent):
        raise Gone(found.sentence)
    return found


class Gone(errors.PlaneError):
    """An object that is not in the cluster, or not the app's."""

    code = "object-not-found"


def give_up(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: Asked) -> errors.BackendDown:
    """Take the question back, and the sentence for whoever waited."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        tasks.withdraw(place.tx, place.scope.tenant, asked.task, plane.clock.now())
    return errors.BackendDown(
        "agent", f"the agent of cluster {asked.cluster} did not answer in time; look at its pod and its way out to the plane"
    )


def released(place: authorise.Place) -> rows.Row:
    """The app's row; Conflict when there is no release yet."""
    row = generic.existing(apps.KIND, place)
    if not row.digest:
        message = f"app {place.names.name!r} has no release yet; see `plane app explain {place.names.name}`"
        raise errors.Conflict(message)
    return row


def _present(place: authorise.Place, row: rows.Row) -> facts.Cluster:
    """The app's cluster with an agent that is not known to be away."""
    cluster = facts.clusters(place.tx, place.scope.tenant, {row.cluster_id}).get(row.cluster_id) if row.cluster_id else None
    if cluster is None or not cluster.joined or cluster.revoked:
        name = row.spec["destination"]["cluster"]
        raise errors.BackendDown("agent", f"cluster {name} has no agent that could be asked; see `plane app explain`")
    return cluster


def _check_account(place: authorise.Place, row: rows.Row, cluster: facts.Cluster) -> None:
    """Conflict where the agent would have to write as itself."""
    rules = store.project_spec(place.tx, place.scope.tenant, place.project)
    destination = msgspec.convert(row.spec["destination"], domain.Destination)
    if why := tasking.no_account(rules, destination, cluster, project=place.names.project):
        raise errors.Conflict(why)


def _task(plane: context.Plane, place: authorise.Place, row: rows.Row, cluster: facts.Cluster, question: Question) -> agent.Task:
    names, destination = place.names, msgspec.convert(row.spec["destination"], domain.Destination)
    rules = store.project_spec(place.tx, place.scope.tenant, place.project)
    return agent.Task(
        id=plane.clock.id(),
        kind="query",
        cluster_id=row.cluster_id,
        app_id=row.id,
        tenant=names.tenant,
        project=names.project,
        app=names.name,
        generation=row.generation,
        expires=0,  # set when it is claimed and signed
        release=question.release,
        revision=row.commit if question.release else "",
        scope=tasking.reach(cluster, rules),
        options=msgspec.structs.replace(question.options, run_as=tasking.account(rules, destination)),
        query=question.name,
        keys=tuple(agent.Key(key.group, key.kind, key.namespace, key.name) for key in question.keys),
        terms=msgspec.msgpack.encode(question.terms) if question.terms else b"",
    )
