"""One request as a use case sees it, and the decorator that makes an endpoint of a function from call to answer."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, route
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.domain import access, errors
from plane.server import authorise, context, idempotent, seconds
from plane.wire import reading

T = TypeVar("T")
NOUNS = (
    "tenant",
    "project",
    "cluster",
    "repository",
    "credential",
    "app",
    "policy",
    "policybinding",
    "waiver",
    "healthcheck",
    "resourcerule",
    "sink",
    "identityprovider",
    "workloadtrust",
    "person",
    "user",
    "rolebinding",
    "role",
    "provider",
)  # path parameters that are names, inner ones later
PARAMETER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,127}")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SHAPES = dict.fromkeys(NOUNS, LABEL) | {"provider": re.compile(rf"({LABEL.pattern}\.)?{LABEL.pattern}")}  # a tenant's own: TENANT.NAME
KEY = re.compile(r"[!-~]{1,200}")
BODY_BYTES = 8 * 1024 * 1024


class Call(msgspec.Struct, frozen=True):
    """A request whose caller is known and whose body is read, but not yet understood."""

    plane: context.Plane
    caller: authorise.Caller
    path: Mapping[str, str]
    parameters: Mapping[str, str]
    body: bytes = b""
    version: int | None = None  # of If-Match

    @property
    def names(self) -> authorise.Names:
        """What the path names; the last noun in it is the subject."""
        subject = next((self.path[noun] for noun in reversed(NOUNS) if noun in self.path), "")
        return authorise.Names(self.path.get("tenant", ""), self.path.get("project", ""), subject, self.path.get("app", ""))

    def read(self, kind: type[T]) -> T:
        """The body; an absent one counts as `{}`."""
        return reading.decode(self.body or b"{}", kind)

    def query(self, kind: type[T]) -> T:
        """The query parameters."""
        return reading.convert(dict(self.parameters), kind, strict=False)


class Doc(msgspec.Struct, frozen=True, kw_only=True):
    """What the OpenAPI document says of an endpoint."""

    answer: Any
    summary: str
    body: Any = None
    query: Any = None
    status: int = 200
    media_type: str = "application/json"
    tag: str = ""
    operation: str = ""
    public: bool = False


def endpoint(method: str, path: str, doc: Doc) -> Callable[[Callable[[Call], Any]], HTTPRouteHandler]:
    """Make an endpoint of a function that takes the call and gives the answer, or (answer, status). It runs in a thread."""

    def decorate(work: Callable[[Call], Any]) -> HTTPRouteHandler:
        def handle(call: NamedDependency[Call]) -> Response[bytes]:
            said = work(call)
            answer, status = said if isinstance(said, tuple) else (said, doc.status)
            return respond(answer, status)

        handle.__name__ = doc.operation or work.__name__
        made = route(typed(path), http_method=[method], status_code=doc.status, sync_to_thread=True, opt={"doc": doc}, name=handle.__name__)  # type: ignore[list-item]  # the method's name is enough
        return made(handle)

    return decorate


def typed(path: str) -> str:
    """`{app}` as the router wants it: `{app:str}`."""
    return re.sub(r"\{(\w+)\}", r"{\1:str}", path)


def respond(answer: Any, status: int = 200) -> Response[bytes]:  # noqa: ANN401 - any struct
    """JSON; a document's version as ETag."""
    version = getattr(getattr(answer, "status", None), "version", 0)
    headers = {"ETag": f'"{version}"'} if version else {}
    return Response(msgspec.json.encode(answer), status_code=status, media_type="application/json", headers=headers)


async def call(request: Request[Any, Any, Any]) -> Call:
    """The dependency that every endpoint takes."""
    body = await request.body() if request.method not in {"GET", "HEAD"} else b""
    return Call(
        plane=request.app.state.plane,
        caller=caller(request, body),
        path=_path(request.path_params),
        parameters=_once(request.query_params.multi_items()),
        body=body,
        version=_version(request.headers.get("If-Match", "")),
    )


def caller(request: Request[Any, Any, Any], body: bytes) -> authorise.Caller:
    """Who asks, with the Idempotency-Key of a write."""
    actor: access.Actor = request.scope["user"]
    key = request.headers.get("Idempotency-Key", "")
    if request.method == "GET":
        return authorise.Caller(actor, request.state.request_id)
    if key and not KEY.fullmatch(key):
        raise errors.Invalid({"Idempotency-Key": "must be 1 to 200 visible ASCII characters, for example a UUID"})
    target = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}"
    digest = authorise.request_digest(request.method, target, body)
    order = seconds.Order(f"{request.method} {target.rstrip('?')}"[:500], digest.encode())
    return authorise.Caller(actor, request.state.request_id, idempotent.Key(key, digest) if key else None, order)


def _path(parameters: Mapping[str, str]) -> dict[str, str]:
    """Text that can be no name is not looked up: it is as absent as any other."""
    for name, value in parameters.items():
        if not SHAPES.get(name, PARAMETER).fullmatch(value):
            raise errors.NotFound(name, value[:63].encode("ascii", "replace").decode())
    return dict(parameters)


def _once(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in items:
        if name in found:
            raise errors.Invalid({name[:63]: "is given twice"})
        if not value.isprintable():
            raise errors.Invalid({name[:63]: "holds control characters"})
        found[name] = value
    return found


def _version(header: str) -> int | None:
    if not header or header == "*":
        return None
    found = re.fullmatch(r'(?:W/)?"(\d{1,18})"', header)
    if not found:
        raise errors.Invalid({"If-Match": 'must be an ETag that the plane gave, for example "3"'})
    return int(found[1])
