"""What people and services log in with."""

from typing import Any

from litestar.handlers import HTTPRouteHandler

from plane.api import calls
from plane.server.keeping import tokens
from plane.wire import people as shapes
from plane.wire import rest


def handlers() -> list[HTTPRouteHandler]:
    """Of the tenant's people, and of the platform's."""
    return [*_at("/tenants/{tenant}", ""), *_at("", "platform_")]


def _at(above: str, prefix: str) -> list[HTTPRouteHandler]:
    many = f"{above}/people/{{person}}/tokens"

    def doc(answer: Any, operation: str, summary: str, **more: Any) -> calls.Doc:  # noqa: ANN401 - types as values
        return calls.Doc(answer=answer, summary=summary, tag="access", operation=prefix + operation, **more)

    return [
        calls.endpoint(
            "GET",
            many,
            doc(rest.Page[shapes.Token], "list_tokens", "Somebody's tokens, without their secrets.", query=rest.PageQuery),
        )(lambda call: tokens.page(call.plane, call.caller, call.names, call.query(rest.PageQuery))),
        calls.endpoint(
            "POST",
            many,
            doc(shapes.IssuedToken, "issue_token", "A new token, shown this once.", body=shapes.NewToken, status=201),
        )(lambda call: tokens.issue(call.plane, call.caller, call.names, call.read(shapes.NewToken))),
        calls.endpoint(
            "POST",
            f"{many}/{{token}}/rotate",
            doc(
                shapes.IssuedToken,
                "rotate_token",
                "A new token like this one, which ends after an overlap.",
                body=shapes.Rotate,
                status=201,
            ),
        )(lambda call: tokens.rotate(call.plane, call.caller, call.names, call.path["token"], call.read(shapes.Rotate))),
        calls.endpoint("DELETE", f"{many}/{{token}}", doc(rest.Deleted, "revoke_token", "End a token at once."))(
            lambda call: tokens.revoke(call.plane, call.caller, call.names, call.path["token"])
        ),
    ]
