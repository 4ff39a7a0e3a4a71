"""Plans that people keep of an app: made, listed, compared."""

from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.api import awaiting, calls, wake
from plane.api.delivering import apps
from plane.server.asking import kept_plans as use
from plane.wire import planned, rest

PLANS = f"{apps.APP}/plans"
KEEP = calls.Doc(
    answer=planned.KeptPlan, body=planned.KeepPlan, status=201, tag="apps", operation="keep_app_plan",
    summary="Keep what a sync would do at this moment, the newest 20 of an app; asks the agent and waits up to 10 s.",
)  # fmt: skip
COMPARE = calls.Doc(
    answer=planned.PlanComparison, tag="apps", operation="compare_app_plan",
    summary="A kept plan beside what the same sync would do now; asks the agent and waits up to 10 s.",
)  # fmt: skip


@post(calls.typed(PLANS), opt={"doc": KEEP}, name="keep_app_plan", status_code=201)
async def keep(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """503 when the agent does not answer."""
    body = call.read(planned.KeepPlan)
    wanted = await sync_to_thread(use.ask, call.plane, call.caller, call.names, body)
    found = await awaiting.answered(call, hub, wanted.asked, use.keeping(body, wanted))
    found.status_code = 201
    return found


LIST = calls.Doc(
    answer=rest.Page[planned.KeptPlan], query=rest.PageQuery, tag="apps", operation="list_app_plans",
    summary="Plans that were kept, newest first.",
)  # fmt: skip


@calls.endpoint("GET", PLANS, LIST)
def listed(call: calls.Call) -> rest.Page[planned.KeptPlan]:
    """One page holds them all."""
    call.query(rest.PageQuery)
    return use.listed(call.plane, call.caller, call.names)


@calls.endpoint(
    "GET",
    f"{PLANS}/{{plan}}",
    calls.Doc(answer=planned.KeptPlan, summary="One plan, by its number or name.", tag="apps", operation="get_app_plan"),
)
def one(call: calls.Call) -> planned.KeptPlan:
    """With all it says."""
    return use.get(call.plane, call.caller, call.names, call.path["plan"])


@get(calls.typed(f"{PLANS}/{{plan}}/comparison"), opt={"doc": COMPARE}, name="compare_app_plan")
async def compare(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """503 when the agent does not answer."""
    plan = call.path["plan"]
    wanted = await sync_to_thread(use.ask_again, call.plane, call.caller, call.names, plan)
    return await awaiting.answered(call, hub, wanted.asked, use.comparing(plan, wanted))


def handlers() -> list[HTTPRouteHandler]:
    """All of them."""
    return [keep, listed, one, compare]
