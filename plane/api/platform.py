"""Clusters beyond their documents, connection tests of repositories and identity providers, health and figures."""

from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.adapters import metrics
from plane.api import calls
from plane.domain import errors
from plane.server import readiness
from plane.server.keeping import clusters, identity_providers, repositories, tenants
from plane.wire import documents, login, rest

log = structlog.get_logger()


def _orders(above: str, prefix: str, whose: str) -> list[HTTPRouteHandler]:
    """What is done to a cluster's agent: by whoever owns the cluster."""

    def order(verb: str, summary: str, answer: type[msgspec.Struct], act: Callable[..., msgspec.Struct]) -> HTTPRouteHandler:
        doc = calls.Doc(answer=answer, summary=f"{summary} {whose}", tag="clusters", operation=f"{verb}_{prefix}cluster")
        path = f"{above}/clusters/{{cluster}}/{verb}"
        return calls.endpoint("POST", path, doc)(lambda call: act(call.plane, call.caller, call.names))

    return [
        order("join", "A token for one enrolment within 15 minutes.", rest.JoinToken, clusters.join),
        order("revoke", "Shut the agent out, from its next request on.", documents.Cluster, clusters.revoke),
        order("rotate", "Ask the agent to take new keys; answered before it has.", documents.Cluster, clusters.rotate),
    ]


@calls.endpoint("POST", "/tenants/{tenant}/projects/{project}/repositories/{repository}/test", calls.Doc(
    answer=rest.Tested, summary="Reach the repository with its credential now.", tag="repositories", operation="test_repository",
))  # fmt: skip
def test(call: calls.Call) -> rest.Tested:
    """A refusal is an answer here."""
    return repositories.test(call.plane, call.caller, call.names)


QUOTAS = calls.Doc(
    answer=str,
    summary="A tenant's use of every quota, for Prometheus.",
    media_type="text/plain",
    tag="tenants",
    operation="tenant_metrics",
)


@get(calls.typed("/tenants/{tenant}/metrics"), opt={"doc": QUOTAS}, name="tenant_metrics", sync_to_thread=True)
def quotas(call: NamedDependency[calls.Call]) -> Response[bytes]:
    """The names of tenants are no figures for everybody: whoever reads them has a token."""
    status = tenants.get(call.plane, call.caller, call.names).status
    return Response(metrics.quotas(call.path["tenant"], status.quotas if status else ()), media_type=metrics.CONTENT_TYPE)


def _tested(above: str, prefix: str) -> HTTPRouteHandler:
    doc = calls.Doc(
        answer=login.ProviderTested, summary="Reach the provider now.", tag="identityproviders", operation=f"test_{prefix}identityprovider"
    )
    return calls.endpoint("POST", f"{above}/identityproviders/{{identityprovider}}/test", doc)(
        lambda call: identity_providers.test(call.plane, call.caller, call.names)
    )


def handlers() -> list[HTTPRouteHandler]:
    """Below /api/v1."""
    own = _orders("/tenants/{tenant}", "tenant_", "A tenant's own clusters.")
    tests = (test, _tested("", "platform_"), _tested("/tenants/{tenant}", ""))
    return [*_orders("", "", "The platform's clusters."), *own, *tests, quotas]


@get("/health", sync_to_thread=False)
def health() -> Response[bytes]:
    """The process answers; nothing else is asked."""
    return calls.respond({"status": "ok"})


@get("/ready", sync_to_thread=True)
def ready(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The database answers; otherwise 503, and the log has the reason: nobody can show who they are while it is away."""
    try:
        readiness.check(request.app.state.plane)
    except errors.BackendDown as e:
        log.warning("readiness.lost", reason=str(e))
        return calls.respond({"status": "not ready"}, 503)
    return calls.respond({"status": "ready"})


@get("/metrics", sync_to_thread=True)
def figures(request: Request[Any, Any, Any]) -> Response[bytes]:
    """For Prometheus."""
    requests: metrics.Requests = request.app.state.requests
    return Response(requests.text(), media_type=metrics.CONTENT_TYPE)
