"""Error types → HTTP. One table; a test walks every error type of the plane and fails on a gap."""

import math
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from plane.api import safety
from plane.domain import errors, release
from plane.domain.auditing import sinks
from plane.domain.granting import web
from plane.domain.judging import policy
from plane.domain.planning import waves
from plane.domain.reading import documents
from plane.server import authorise, idempotent
from plane.server import documents as generic
from plane.server.asking import questions
from plane.store import revisions
from plane.wire import bundle, problem

Incoming = Request[Any, Any, Any]
log = structlog.get_logger()


class BodyTooLarge(errors.PlaneError):
    """More bytes than an endpoint takes."""

    code = "body-too-large"


class MediaTypeRefused(errors.PlaneError):
    """A body that is not what the endpoint reads."""

    code = "media-type-refused"


class RouteUnknown(errors.PlaneError):
    """No such path, or not with this method."""

    code = "route-unknown"


TABLE: dict[type[errors.PlaneError], HTTPStatus] = {
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    web.CrossSite: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    RouteUnknown: HTTPStatus.NOT_FOUND,
    questions.Gone: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.LeaseLost: HTTPStatus.CONFLICT,
    generic.VersionMismatch: HTTPStatus.PRECONDITION_FAILED,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    MediaTypeRefused: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.RenderFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.SourceRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.SecretRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    release.ScopeRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    documents.Unreadable: HTTPStatus.UNPROCESSABLE_ENTITY,
    waves.BadAnnotation: HTTPStatus.UNPROCESSABLE_ENTITY,
    policy.PolicyInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    policy.PolicyRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    policy.PolicyFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    sinks.Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
    authorise.LogBlocked: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.BackendDown: HTTPStatus.SERVICE_UNAVAILABLE,
    revisions.SchemaMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    bundle.BundleBroken: HTTPStatus.INTERNAL_SERVER_ERROR,
}
RETRY_AFTER_S = 15  # where the error does not say


def status_of(kind: type[errors.PlaneError]) -> HTTPStatus | None:
    """The status of an error type or of its nearest ancestor in the table."""
    return next((TABLE[ancestor] for ancestor in kind.__mro__ if ancestor in TABLE), None)


def refused(request: Incoming, error: errors.PlaneError) -> Response[bytes]:
    """A refusal as problem+json."""
    status = status_of(type(error)) or HTTPStatus.INTERNAL_SERVER_ERROR
    headers = {}
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        after = getattr(error, "retry_after", None)
        headers["Retry-After"] = str(max(1, math.ceil(after.total_seconds())) if after else RETRY_AFTER_S)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="gitops-plane"'
    title = type(error).code.replace("-", " ").capitalize()
    return _response(
        request, problem.Problem(type=problem.TYPE + error.code, title=title, status=status, detail=str(error)), error.public(), headers
    )


def http(request: Incoming, error: HTTPException) -> Response[bytes]:
    """What the framework itself refuses, in our words."""
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return refused(request, BodyTooLarge("the body is larger than this endpoint takes; split it"))
    if error.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        said = _response(request, problem.Problem(
            type=problem.TYPE + RouteUnknown.code, title="Route unknown", status=error.status_code,
            detail=f"there is no {request.method} on this path; see /api/v1/openapi.json",
        ), {}, {})  # fmt: skip
        allow = (error.headers or {}).get("Allow", "")
        said.headers.update(safety.HEADERS | ({"Allow": allow} if allow else {}))  # middleware does not see what has no route
        return said
    return refused(request, errors.Invalid({"": "the request cannot be read"}))


def unexpected(request: Incoming, error: Exception) -> Response[bytes]:
    """Our own mistake: told to the log with its stack, to the caller without."""
    log.error("request.failed", error=type(error).__name__, exc_info=error)
    said = "the plane failed; the request's id finds the reason in its log"
    return _response(request, problem.Problem(type=problem.TYPE + "internal", title="Internal", status=500, detail=said), {}, {})


def replayed(_: Incoming, answered: idempotent.Replayed) -> Response[bytes]:
    """The answer that the same Idempotency-Key got before."""
    found = answered.answer
    return Response(found.body, status_code=found.status, media_type="application/json", headers={"Idempotency-Replayed": "true"})


def _response(request: Incoming, body: problem.Problem, fields: dict[str, object], headers: dict[str, str]) -> Response[bytes]:
    instance = f"urn:gitops-plane:request:{request.scope.get('state', {}).get('request_id', '')}"
    said = problem.Problem(type=body.type, title=body.title, status=int(body.status), detail=body.detail, instance=instance)
    return Response(problem.encode(said, fields), status_code=int(body.status), media_type=problem.CONTENT_TYPE, headers=headers)
