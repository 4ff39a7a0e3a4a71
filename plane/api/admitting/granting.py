"""Who may do what; break-glass roles."""

from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from plane.api import calls
from plane.server.asking import approvals, permissions
from plane.server.keeping import glass
from plane.wire import granting, rest


def handlers() -> list[HTTPRouteHandler]:
    """In tenants, and of the platform."""
    return [*_at("/tenants/{tenant}", ""), *_at("", "platform_"), *_approvals()]


def _approvals() -> list[HTTPRouteHandler]:
    many = "/tenants/{tenant}/approvals"
    listed = calls.Doc(
        answer=rest.Page[granting.Approval], summary="What waits for a second person.", tag="access", operation="list_approvals"
    )
    given = calls.Doc(answer=granting.Approval, summary="Allow what somebody else asked for.", tag="access", operation="give_approval")
    return [
        calls.endpoint("GET", many, listed)(lambda call: rest.Page(items=approvals.page(call.plane, call.caller, call.names))),
        calls.endpoint("POST", f"{many}/{{approval}}", given)(
            lambda call: approvals.give(call.plane, call.caller, call.names, call.path["approval"])
        ),
    ]


def _at(above: str, prefix: str) -> list[HTTPRouteHandler]:
    def doc(answer: Any, operation: str, summary: str, **more: Any) -> calls.Doc:  # noqa: ANN401 - types as values
        return calls.Doc(answer=answer, summary=summary, tag="access", operation=prefix + operation, **more)

    def can_i(call: calls.Call) -> granting.Ruling:
        found = permissions.can_i(call.plane, call.caller, call.names, call.query(granting.WishOf))
        return msgspec.convert(found, granting.Ruling, from_attributes=True)

    def explain(call: calls.Call) -> granting.Explained:
        return permissions.can_i(call.plane, call.caller, call.names, call.query(granting.WishOf))

    def who_can(call: calls.Call) -> rest.Page[granting.Able]:
        return rest.Page(items=permissions.who_can(call.plane, call.caller, call.names, call.query(granting.Wish)))

    def taken(call: calls.Call) -> rest.Page[granting.Glass]:
        return rest.Page(items=glass.taken(call.plane, call.caller, call.names))

    one = f"{above}/rolebindings/{{rolebinding}}/glass"
    return [
        calls.endpoint("GET", f"{above}/can-i", doc(granting.Ruling, "can_i", "Whether somebody may, and why.", query=granting.WishOf))(
            can_i
        ),
        calls.endpoint(
            "GET", f"{above}/explain-access", doc(granting.Explained, "explain_access", "All that speaks for it.", query=granting.WishOf)
        )(explain),
        calls.endpoint("GET", f"{above}/who-can", doc(rest.Page[granting.Able], "who_can", "Who may do it.", query=granting.Wish))(who_can),
        calls.endpoint("GET", f"{above}/glass", doc(rest.Page[granting.Glass], "list_glass", "Break-glass roles that people took."))(taken),
        calls.endpoint("POST", one, doc(granting.Glass, "take_glass", "Take a break-glass role.", body=granting.Break, status=201))(
            lambda call: glass.take(call.plane, call.caller, call.names, call.read(granting.Break))
        ),
        calls.endpoint("DELETE", one, doc(rest.Deleted, "return_glass", "Give it back."))(
            lambda call: glass.give_back(call.plane, call.caller, call.names)
        ),
    ]
