"""The OpenAPI 3.1 document, made from the endpoints' own descriptions; `python tools/openapi.py` keeps the committed copy equal."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from plane.api import calls, cookies
from plane.api.examples import EXAMPLES
from plane.domain import descriptions
from plane.domain.granting import web
from plane.wire import problem

REF = "#/components/schemas/{name}"
VERSION = "v1"
WRITES = frozenset({"POST", "PUT", "DELETE"})
REFUSALS = {
    "400": "A value breaks a rule; `problems` maps its path to the rule.",
    "401": "No token, or one that is unknown, expired or revoked.",
    "403": "The caller may see this, but lacks the permission.",
    "404": "Absent, or not the caller's to see: the two look the same.",
    "409": "It changed meanwhile, exists already, or something depends on it.",
    "412": "If-Match names another version than the stored one.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "422": "Understood, and refused by a policy, a renderer or a compiler.",
    "429": "Too many requests, or wrong passwords; Retry-After says when to try again.",
    "503": "Something the plane needs is away; Retry-After says when to try again.",
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": cookies.SESSION, "description": "Of a browser that logged in."},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": web.HEADER,
        "description": "Of what is not GET, with a session: as GET /api/v1/session says.",
    },
}
READING = ("400", "401", "403", "404", "429", "503")
Json = dict[str, Any]


def document(handlers: Iterable[HTTPRouteHandler], *, base: str) -> Json:
    """The whole document."""
    found = [(handler, handler.opt["doc"]) for handler in handlers]
    types = [kind for _, doc in found for kind in (doc.answer, doc.body) if kind is not None]
    _, schemas = _schemas([*types, problem.Problem])
    paths: dict[str, Json] = {}
    for handler, doc in found:
        for path in sorted(handler.paths):
            plain = base + re.sub(r":str\}", "}", path)
            for method in sorted(str(method) for method in handler.http_methods):
                paths.setdefault(plain, {})[method.lower()] = operation(method, plain, handler.name or "", doc)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "GitOps plane",
            "version": VERSION,
            "description": "Documents, operations and the record of a multi-cluster, multi-tenant GitOps plane.",
        },
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": {name: schemas[name] for name in sorted(schemas)},
            "securitySchemes": SCHEMES,
            "responses": {code: _refusal(text) for code, text in REFUSALS.items()},
        },
    }


def operation(method: str, path: str, name: str, doc: calls.Doc) -> Json:
    """One endpoint."""
    codes = REFUSALS if method in WRITES else READING
    made: Json = {
        "operationId": name,
        "summary": doc.summary,
        "tags": [doc.tag],
        "parameters": [*_path(path), *_query(doc.query), *_headers(method)],
        "responses": {str(doc.status): _answer(doc), **{code: {"$ref": f"#/components/responses/{code}"} for code in codes}},
    }
    if doc.public:
        made["security"] = []
    if doc.body is not None:
        made["requestBody"] = {"required": doc.answer is doc.body, "content": {"application/json": _content(doc.body)}}
    return made


def encode(found: Json) -> bytes:
    """As it is served and committed: readable, ending with a line break."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def _answer(doc: calls.Doc) -> Json:
    headers = (
        {"ETag": {"description": "The document's version, for If-Match.", "schema": {"type": "string"}}}
        if hasattr(doc.answer, "api_version")
        else {}
    )
    made: Json = {"description": doc.summary, "content": {doc.media_type: _content(doc.answer)}}
    return {**made, "headers": headers} if headers else made


def _content(kind: Any) -> Json:  # noqa: ANN401 - a type form
    shown = EXAMPLES.get(kind)
    return {"schema": _schema(kind), **({"example": shown} if shown is not None else {})}


def _schema(kind: Any) -> Json:  # noqa: ANN401 - a type form
    (schema,), _ = _schemas([kind])
    return schema


def _schemas(kinds: Iterable[Any]) -> tuple[tuple[Json, ...], Json]:
    """`object`, as in free-form values, is any JSON."""
    found, components = msgspec.json.schema_components(kinds, schema_hook=lambda _: {"description": "Any JSON."}, ref_template=REF)
    return found, descriptions.cleaned(components)


def _refusal(text: str) -> Json:
    return {"description": text, "content": {problem.CONTENT_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}}}


def _path(path: str) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in re.findall(r"\{(\w+)\}", path)]


def _query(kind: Any) -> list[Json]:  # noqa: ANN401 - a type form
    if kind is None:
        return []
    _, components = _schemas([kind])
    found = components[kind.__name__]
    required = found.get("required", ())
    return [{"name": name, "in": "query", "required": name in required, "schema": schema} for name, schema in found["properties"].items()]


def _headers(method: str) -> list[Json]:
    if method not in WRITES:
        return []
    key = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 200}}
    match = {"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}}
    return [key, match] if method in {"PUT", "DELETE"} else [key]
