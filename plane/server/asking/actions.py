"""Changes of one live object by hand: who may, what is ordered of the agent, and what the log keeps of order and outcome."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from plane.domain import access, errors, objects
from plane.domain.auditing import audit, details
from plane.domain.permitting import projects
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.server.asking import questions, views
from plane.server.keeping import apps as documents_
from plane.store import documents as rows
from plane.store.attending import reports
from plane.store.delivering import tasks
from plane.store.showing import apps
from plane.wire import acting, agent, answers, ordered, rest
from plane.wire import views as shapes

TTL_S = 300  # an order that reaches its agent later is refused there: nobody expects it any more
INTENTS: Mapping[str, str] = {
    "action": "object.action.requested", "patch": "object.patch.requested", "delete": "object.delete.requested",
}  # fmt: skip
OUTCOMES: Mapping[str, str] = {"action": "object.action.finished", "patch": "object.patched", "delete": "object.deleted"}


class Order(msgspec.Struct, frozen=True):
    """What is asked of the agent. `told`: for the log; None: it changes nothing, so the log does not hear of it."""

    question: questions.Question
    permission: str
    told: details.Order | None


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: shapes.SubjectQuery) -> questions.Asked:
    """Ask for the actions of one object, or of all of the app's own."""
    return questions.ask(plane, caller, names, questions.Question("actions", terms=views.subject(query)))


def listed(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> ordered.Actions | None:
    """The actions, or None while the agent has not answered."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        found = questions.heard(place, asked, acting.Listed)
    if found is None:
        return None
    warnings = (f"only {len(found.objects)} objects are shown; name one to see its actions",) if found.cut else ()
    return ordered.Actions(items=tuple(_item(one) for one in found.objects), warnings=warnings)


def act(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: ordered.RunAction) -> questions.Asked:
    """Order an action."""
    now = int(plane.clock.now().timestamp())
    terms = acting.Act(
        until=now + TTL_S, uid=body.uid, version=body.resource_version, action=body.action, at=now, parameters=body.parameters
    )
    told = details.Order(object=str(key_of(body)), action=body.action, parameters=body.parameters)
    question = questions.Question("action", (key_of(body),), terms)
    return put(plane, caller, names, Order(question, access.action(body.group, body.kind, body.action), told))


def delete(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: ordered.DeleteObject) -> questions.Asked:
    """Order a deletion."""
    grace = acting.DEFAULT_GRACE if body.grace_seconds is None else body.grace_seconds
    until = int(plane.clock.now().timestamp()) + TTL_S
    terms = acting.Delete(until=until, uid=body.uid, version=body.resource_version, propagation=body.propagation, grace_s=grace)
    told = details.Order(object=str(key_of(body)), propagation=body.propagation, grace_seconds=body.grace_seconds)
    permission = access.on_kind("object:delete", body.group, body.kind)
    return put(plane, caller, names, Order(questions.Question("delete", (key_of(body),), terms), permission, told))


def outcome(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> ordered.Ordered | None:
    """What became of an order, or None while the agent has not answered; Invalid when the agent finds the order itself wrong."""
    done = heard(plane, caller, names, asked)
    return shown(asked, done) if done else None


def heard(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> acting.Done | None:
    """`outcome` as the agent says it."""
    with authorise.enter(plane, caller, names, "task:get") as place:
        done = questions.heard(place, asked, acting.Done)
    if done and done.problems:
        raise errors.Invalid(done.problems)
    return done


def shown(asked: questions.Asked, done: acting.Done) -> ordered.Ordered:
    """As people see it."""
    return ordered.Ordered(
        task=asked.task,
        state="done",
        previous_version=done.before,
        resource_version=done.after,
        fields=done.fields,
        created=tuple(rest.Key(group=one.group, kind=one.kind, namespace=one.namespace, name=one.name) for one in done.created),
        warnings=done.warnings,
        object=done.body,
    )


def finished(
    plane: context.Plane, scope: access.Scope, closed: tasks.Closed, final: agent.Final, names: reports.Names
) -> audit.Event | None:
    """The log's entry for an order's end; None for a question that changed nothing."""
    kind = OUTCOMES.get(closed.trigger) if closed.kind == "query" else None
    task = msgspec.msgpack.decode(closed.payload, type=agent.Task) if kind else None
    if kind is None or task is None or (closed.trigger == "patch" and msgspec.msgpack.decode(task.terms, type=acting.Change).dry_run):
        return None
    done, message = _read(final)
    return record.event(
        plane,
        scope,
        kind,
        stage="outcome",
        outcome="success" if done else "failure",
        project=names.project,
        target=f"app/{names.app}",
        cluster=names.cluster,
        correlation=closed.id,
        message=message,
        details=details.OrderDone(
            object=_named(task.keys[0]), asked_by=closed.actor, **_asked(closed.trigger, task), **(_facts(done) if done else {})
        ),
    )


def put(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, order: Order) -> questions.Asked:
    """Queue an order with its intent in the log. Asked again under the same Idempotency-Key, the answer is the task to follow."""
    with authorise.enter(plane, caller, names, order.permission) as place:
        row = generic.existing(documents_.KIND, place)
        key = order.question.keys[0]
        check(place, row, key)
        asked = questions.put(plane, place, row, msgspec.structs.replace(order.question, writes=True))
        if order.told is not None:
            documents_.note(
                plane, place, INTENTS[order.question.name], stage="intent", cluster=asked.cluster, correlation=asked.task, told=order.told
            )
        place.done(ordered.Ordered(task=asked.task), status=202)
    return asked


def check(place: authorise.Place, row: rows.Row, key: objects.ObjectKey) -> None:
    """Invalid for an object of a kind, or in a namespace, that the project's apps have no business in."""
    rules = apps.project_spec(place.tx, place.scope.tenant, place.project)
    marks = apps.cluster_labels(place.tx, row.cluster_id) if row.cluster_id else {}
    where = projects.Where(row.spec["destination"]["cluster"], key.namespace, marks)
    if key.namespace and (why := projects.object_(rules, key, where, name=place.names.project)):
        raise errors.Invalid({"namespace": f"{where} {why}"})


def _item(one: acting.Actions) -> ordered.ObjectActions:
    key = one.key
    return ordered.ObjectActions(
        group=key.group,
        kind=key.kind,
        namespace=key.namespace,
        name=key.name,
        uid=one.uid,
        resource_version=one.version,
        actions=tuple(_action(each) for each in one.actions),
    )


def _action(one: acting.Action) -> ordered.Action:
    known = tuple(ordered.Parameter(name=each.name, type=each.kind, default=each.default) for each in one.parameters)
    return ordered.Action(name=one.name, disabled=one.disabled, reason=one.reason, parameters=known)


def key_of(body: ordered.ObjectOrder) -> objects.ObjectKey:
    return objects.ObjectKey(body.group, body.kind, body.namespace, body.name)


def _named(key: agent.Key) -> str:
    return str(objects.ObjectKey(key.group, key.kind, key.namespace, key.name))


def _read(final: agent.Final) -> tuple[acting.Done | None, str]:
    """What was done, or nothing and the sentence why."""
    if final.outcome != "succeeded":
        return None, final.message
    try:
        found: acting.Done | answers.Absent = msgspec.json.decode(final.live, type=acting.Done | answers.Absent)
    except msgspec.MsgspecError:
        return None, "the agent's answer cannot be read"
    if isinstance(found, answers.Absent):
        return None, found.sentence
    return (None, "; ".join(f"{path}: {rule}" for path, rule in found.problems.items())) if found.problems else (found, "")


def _asked(name: str, task: agent.Task) -> dict[str, Any]:
    """What the order said, as far as the log may keep it."""
    if name == "action":
        told = msgspec.msgpack.decode(task.terms, type=acting.Act)
        return {"action": told.action, "parameters": told.parameters}
    if name == "patch":
        return {"type": msgspec.msgpack.decode(task.terms, type=acting.Change).type}
    return {"propagation": msgspec.msgpack.decode(task.terms, type=acting.Delete).propagation}


def _facts(done: acting.Done) -> dict[str, Any]:
    told = {
        "resource_version_before": done.before,
        "resource_version_after": done.after,
        "fields": done.fields,
        "created": tuple(_named(key) for key in done.created),
        "warnings": done.warnings,
    }
    return {name: value for name, value in told.items() if value}


Ordering = Callable[[context.Plane, authorise.Caller, authorise.Names, Any], questions.Asked]
