"""People, roles, and who am I."""

from typing import Any

from litestar.handlers import HTTPRouteHandler

from plane.api import calls
from plane.server.keeping import people
from plane.wire import people as shapes
from plane.wire import rest


def handlers() -> list[HTTPRouteHandler]:
    """The tenant's people, and the platform's."""
    return [_ME, *_at("/tenants/{tenant}", ""), *_at("", "platform_")]


_ME = calls.endpoint("GET", "/me", calls.Doc(answer=shapes.Me, summary="The caller and its roles.", tag="access", operation="me"))(
    lambda call: people.me(call.plane, call.caller)
)


def _at(above: str, prefix: str) -> list[HTTPRouteHandler]:
    many, one = f"{above}/people", f"{above}/people/{{person}}"

    def doc(answer: Any, operation: str, summary: str, **more: Any) -> calls.Doc:  # noqa: ANN401 - types as values
        return calls.Doc(answer=answer, summary=summary, tag="access", operation=prefix + operation, **more)

    def disable(call: calls.Call) -> rest.Deleted:
        return people.set_disabled(call.plane, call.caller, call.names, disabled=True)

    def enable(call: calls.Call) -> rest.Deleted:
        return people.set_disabled(call.plane, call.caller, call.names, disabled=False)

    def role(call: calls.Call) -> rest.Taken:
        return people.unbind(call.plane, call.caller, call.names, call.query(shapes.NewRole))

    return [
        calls.endpoint(
            "GET", many, doc(rest.Page[shapes.Person], "list_people", "People by name, with their roles.", query=rest.PageQuery)
        )(lambda call: people.page(call.plane, call.caller, call.names, call.query(rest.PageQuery))),
        calls.endpoint(
            "POST", many, doc(shapes.Person, "create_person", "Somebody new, without any role.", body=shapes.NewPerson, status=201)
        )(_create),
        calls.endpoint("POST", f"{one}/disable", doc(rest.Deleted, "disable_person", "Shut somebody out at once."))(disable),
        calls.endpoint("POST", f"{one}/enable", doc(rest.Deleted, "enable_person", "Let somebody in again."))(enable),
        calls.endpoint(
            "POST",
            f"{one}/roles",
            doc(shapes.NewRole, "give_role", "Give a role; nobody gives more than they hold.", body=shapes.NewRole, status=201),
        )(lambda call: people.bind(call.plane, call.caller, call.names, call.read(shapes.NewRole))),
        calls.endpoint("DELETE", f"{one}/roles", doc(rest.Taken, "take_role", "Take a role that was given by hand.", query=shapes.NewRole))(
            role
        ),
    ]


def _create(call: calls.Call) -> shapes.Person:
    return people.create(call.plane, call.caller, call.names, call.read(shapes.NewPerson))
