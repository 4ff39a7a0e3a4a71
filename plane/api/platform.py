"""Clusters beyond their documents, repositories' connection test, health and figures."""

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from plane.adapters import metrics
from plane.api import calls
from plane.server import readiness
from plane.server.keeping import clusters, repositories
from plane.wire import documents, rest


@calls.endpoint(
    "POST",
    "/clusters/{cluster}/join",
    calls.Doc(answer=rest.JoinToken, summary="A token for one enrolment within 15 minutes.", tag="clusters", operation="join_cluster"),
)
def join(call: calls.Call) -> rest.JoinToken:
    """Shown this once."""
    return clusters.join(call.plane, call.caller, call.names)


@calls.endpoint(
    "POST",
    "/clusters/{cluster}/revoke",
    calls.Doc(answer=documents.Cluster, summary="Shut the cluster's agent out at once.", tag="clusters", operation="revoke_cluster"),
)
def revoke(call: calls.Call) -> documents.Cluster:
    """Holds at its next request."""
    return clusters.revoke(call.plane, call.caller, call.names)


@calls.endpoint(
    "POST",
    "/clusters/{cluster}/rotate",
    calls.Doc(answer=documents.Cluster, summary="Ask the cluster's agent to take new keys.", tag="clusters", operation="rotate_cluster"),
)
def rotate(call: calls.Call) -> documents.Cluster:
    """It answers before the agent has."""
    return clusters.rotate(call.plane, call.caller, call.names)


@calls.endpoint("GET", "/tenants/{tenant}/clusters", calls.Doc(
    answer=rest.Page[documents.Cluster], summary="Its clusters.", query=rest.PageQuery, tag="clusters", operation="list_tenant_clusters",
))  # fmt: skip
def granted(call: calls.Call) -> rest.Page[documents.Cluster]:
    """Without the grants of others."""
    return clusters.page_for(call.plane, call.caller, call.names, call.query(rest.PageQuery))


@calls.endpoint(
    "GET",
    "/tenants/{tenant}/clusters/{cluster}",
    calls.Doc(answer=documents.Cluster, summary="One of them.", tag="clusters", operation="get_tenant_cluster"),
)
def one_granted(call: calls.Call) -> documents.Cluster:
    """Without the grants of others."""
    return clusters.get_for(call.plane, call.caller, call.names)


@calls.endpoint("POST", "/tenants/{tenant}/projects/{project}/repositories/{repository}/test", calls.Doc(
    answer=rest.Tested, summary="Reach the repository with its credential now.", tag="repositories", operation="test_repository",
))  # fmt: skip
def test(call: calls.Call) -> rest.Tested:
    """A refusal is an answer here."""
    return repositories.test(call.plane, call.caller, call.names)


def handlers() -> list[HTTPRouteHandler]:
    """Below /api/v1."""
    return [join, revoke, rotate, granted, one_granted, test]


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
