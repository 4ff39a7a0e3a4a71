"""Clusters beyond their documents, repositories' connection test, health and figures."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from plane.adapters import metrics
from plane.api import calls
from plane.server import readiness
from plane.server.keeping import clusters, repositories
from plane.wire import documents, rest


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


def handlers() -> list[HTTPRouteHandler]:
    """Below /api/v1."""
    return [*_orders("", "", "The platform's clusters."), *_orders("/tenants/{tenant}", "tenant_", "A tenant's own clusters."), test]


@get("/health", sync_to_thread=False)
def health() -> Response[bytes]:
    """The process answers; nothing else is asked."""
    return calls.respond({"status": "ok"})


@get("/ready", sync_to_thread=True)
def ready(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The database answers and has this version's schema; otherwise 503 with the reason."""
    readiness.check(request.app.state.plane)
    return calls.respond({"status": "ready"})


@get("/metrics", sync_to_thread=True)
def figures(request: Request[Any, Any, Any]) -> Response[bytes]:
    """For Prometheus."""
    requests: metrics.Requests = request.app.state.requests
    return Response(requests.text(), media_type=metrics.CONTENT_TYPE)
