"""What an app can be asked to do, and what is known about it."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.api import awaiting, calls, wake
from plane.domain import access, errors
from plane.server import authorise, renewals
from plane.server.asking import diffs, effective, explain, health_history, history, orders, plans
from plane.wire import documents, planned, policies, rest
from plane.wire import health as wire

APP = "/tenants/{tenant}/projects/{project}/apps/{app}"


def _order(verb: str, body: Any, work: Any, summary: str) -> HTTPRouteHandler:  # noqa: ANN401 - a type and a use case as values
    doc = calls.Doc(answer=rest.Operation, summary=summary, body=body, status=202, tag="apps", operation=f"{verb}_app")
    return calls.endpoint("POST", f"{APP}/{verb}", doc)(lambda call: work(call.plane, call.caller, call.names, call.read(body)))


def _list(path: str, item: Any, work: Any, summary: str) -> HTTPRouteHandler:  # noqa: ANN401 - a type and a use case as values
    doc = calls.Doc(answer=rest.Page[item], summary=summary, query=rest.PageQuery, tag="apps", operation=f"list_app_{path}")
    return calls.endpoint("GET", f"{APP}/{path}", doc)(lambda call: work(call.plane, call.caller, call.names, call.query(rest.PageQuery)))


@calls.endpoint(
    "POST", f"{APP}/terminate", calls.Doc(answer=documents.App, summary="Stop the sync under way.", tag="apps", operation="terminate_app")
)
def terminate(call: calls.Call) -> documents.App:
    """What was applied stays."""
    return orders.terminate(call.plane, call.caller, call.names)


@calls.endpoint(
    "GET",
    f"{APP}/resources",
    calls.Doc(answer=rest.Page[rest.Resource], summary="The app's objects as its agent sees them.", query=rest.PageQuery, tag="apps"),
)
def resources(call: calls.Call) -> rest.Page[rest.Resource]:
    """One page holds them all: an app's objects are bounded by its release."""
    call.query(rest.PageQuery)
    return rest.Page(items=history.resources(call.plane, call.caller, call.names))


CHANGES = calls.Doc(
    answer=rest.Page[wire.HealthChange],
    summary="How the health of the app and its objects changed, newest first.",
    query=wire.HealthQuery,
    tag="apps",
    operation="list_app_health",
)


@calls.endpoint("GET", f"{APP}/health", CHANGES)
def changes(call: calls.Call) -> rest.Page[wire.HealthChange]:
    """Of 30 days, and the newest thousand."""
    return health_history.changes(call.plane, call.caller, call.names, call.query(wire.HealthQuery))


@calls.endpoint("GET", f"{APP}/manifests", calls.Doc(answer=rest.Manifests, summary="The newest release's objects.", tag="apps"))
def manifests(call: calls.Call) -> rest.Manifests:
    """Secret values show as fingerprints."""
    return history.manifests(call.plane, call.caller, call.names, "")


@calls.endpoint("GET", f"{APP}/releases/{{digest}}", calls.Doc(answer=rest.Manifests, summary="One release's objects.", tag="apps"))
def release(call: calls.Call) -> rest.Manifests:
    """Secret values show as fingerprints."""
    return history.manifests(call.plane, call.caller, call.names, call.path["digest"])


@calls.endpoint(
    "GET", f"{APP}/tasks/{{task}}", calls.Doc(answer=rest.Task, summary="One order to the agent, with its results.", tag="apps")
)
def task(call: calls.Call) -> rest.Task:
    """Results appear while the task runs."""
    return history.task(call.plane, call.caller, call.names, call.path["task"])


@calls.endpoint(
    "GET", f"{APP}/explain", calls.Doc(answer=rest.Explanation, summary="Why the app is as it is.", tag="apps", operation="explain_app")
)
def explain_app(call: calls.Call) -> rest.Explanation:
    """The decision's own words."""
    scope, project = authorise.scope(call.plane, call.caller, call.names, "app:get")
    found = explain.explain(call.plane, scope, project_id=project, app=call.names.name)
    return rest.Explanation(app=call.names.name, **msgspec.structs.asdict(found))


POLICIES = calls.Doc(answer=policies.Effective, summary="Which policies hold for the app now, and who says so.", tag="apps")


@calls.endpoint("GET", f"{APP}/policies", POLICIES)
def policies_of_app(call: calls.Call) -> policies.Effective:
    """Merged as at the next judgement."""
    return effective.effective(call.plane, call.caller, call.names)


DIFF = calls.Doc(
    answer=rest.Diff,
    summary="Git against the cluster at this moment; asks the agent and waits up to 10 s.",
    query=rest.DiffQuery,
    tag="apps",
    operation="diff_app",
)


@get(calls.typed(f"{APP}/diff"), opt={"doc": DIFF}, name="diff_app")
async def diff(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """503 when the agent does not answer."""
    asked = await sync_to_thread(diffs.ask, call.plane, call.caller, call.names, call.query(rest.DiffQuery))
    return await awaiting.answered(call, hub, asked, diffs.answer)


PLAN = calls.Doc(
    answer=planned.Plan,
    summary="What the next sync would do: phases, waves, steps; asks the agent and waits up to 10 s.",
    query=planned.PlanQuery,
    tag="apps",
    operation="plan_app",
)


@get(calls.typed(f"{APP}/plan"), opt={"doc": PLAN}, name="plan_app")
async def plan(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """409 when there is nothing to plan, 503 when the agent does not answer."""
    asked = await sync_to_thread(plans.ask, call.plane, call.caller, call.names, call.query(planned.PlanQuery))
    return await awaiting.answered(call, hub, asked, plans.answer)


def handlers() -> list[HTTPRouteHandler]:
    """All of them."""
    return [
        _order("refresh", rest.Refresh, orders.refresh, "Look at the repository now."),
        _order("sync", rest.Sync, orders.sync, "Bring the cluster to what Git wants."),
        _order("rollback", rest.Rollback, orders.rollback, "Go back to an earlier release."),
        _order("approve", rest.Approve, orders.approve, "Allow the deletions that a sync, or the removal of the app, waits with."),
        _list("history", rest.HistoryEntry, history.entries, "Syncs that went through, newest first."),
        changes,
        _list("releases", rest.Release, history.releases, "Releases, newest first."),
        _list("tasks", rest.Task, history.tasks, "Orders to the agent, newest first."),
        terminate,
        resources,
        manifests,
        release,
        task,
        explain_app,
        policies_of_app,
        diff,
        plan,
    ]


def permitted(call: calls.Call, token: str) -> access.Actor:
    """The caller anew: a stream does not outlive its token, session or role, and is no use that keeps a session open."""
    who = renewals.actor(call.plane, token, ip=call.caller.actor.ip, user_agent=call.caller.actor.user_agent, used=False)
    if who.id != call.caller.actor.id:
        raise errors.Unauthenticated("the token changed hands")
    return who
