"""The five endpoints of every kind of document, made from its `Kind`."""

from collections.abc import Callable
from typing import Any

from litestar.handlers import HTTPRouteHandler

from plane.api import calls
from plane.server import documents as generic
from plane.server.keeping import (
    apps,
    clusters,
    credentials,
    health_checks,
    identity_providers,
    policies,
    policy_bindings,
    projects,
    repositories,
    resource_rules,
    role_bindings,
    roles,
    sinks,
    tenants,
    users,
    waivers,
    workload_trusts,
)
from plane.wire import rest

ABOVE = ("", "/tenants/{tenant}", "/tenants/{tenant}/projects/{project}")


def handlers() -> list[HTTPRouteHandler]:
    """All of them."""
    return [
        *_crud(tenants.KIND, page=lambda call: tenants.page(call.plane, call.caller, call.query(rest.PageQuery)), get=tenants.get),
        *_crud(
            projects.KIND,
            page=lambda call: projects.page(call.plane, call.caller, call.names, call.query(rest.PageQuery)),
            get=projects.get,
        ),
        *_crud(clusters.KIND),
        *_crud(
            clusters.OWN,
            page=lambda call: clusters.page_for(call.plane, call.caller, call.names, call.query(rest.PageQuery)),
            get=clusters.get_for,
            prefix="tenant_",
        ),
        *_crud(repositories.KIND),
        *_crud(credentials.KIND),
        *_crud(apps.KIND, delete=_delete_app),
        *_crud(policies.KIND),
        *_crud(policies.PLATFORM_KIND, prefix="platform_"),
        *_refresh(),
        *_crud(policy_bindings.KIND),
        *_crud(policy_bindings.PLATFORM_KIND, prefix="platform_"),
        *_crud(policy_bindings.PROJECT_KIND, prefix="project_"),
        *_crud(waivers.KIND),
        *_waiver("approve", "Agree to somebody else's waiver.", waivers.approve),
        *_waiver("revoke", "End a waiver now.", waivers.revoke),
        *_crud(health_checks.KIND),
        *_crud(health_checks.PLATFORM_KIND, prefix="platform_"),
        *_crud(health_checks.PROJECT_KIND, prefix="project_"),
        *_crud(resource_rules.KIND),
        *_crud(sinks.KIND),
        *_crud(sinks.PLATFORM_KIND, prefix="platform_"),
        *_crud(identity_providers.KIND),
        *_crud(
            identity_providers.PLATFORM_KIND,
            page=lambda call: identity_providers.page(call.plane, call.caller, call.names, call.query(rest.PageQuery)),
            get=identity_providers.get,
            prefix="platform_",
        ),
        *_crud(workload_trusts.KIND),
        *_crud(workload_trusts.PLATFORM_KIND, prefix="platform_"),
        *_crud(users.KIND),
        *_crud(users.PLATFORM_KIND, prefix="platform_"),
        *_crud(roles.KIND),
        *_crud(role_bindings.KIND),
        *_crud(role_bindings.PLATFORM_KIND, prefix="platform_"),
        *_crud(role_bindings.PROJECT_KIND, prefix="project_"),
    ]


def _crud(
    kind: generic.Kind,
    *,
    page: Callable[[calls.Call], Any] | None = None,
    get: Callable[..., Any] | None = None,
    delete: Callable[[calls.Call], Any] | None = None,
    prefix: str = "",
) -> list[HTTPRouteHandler]:
    """`page`, `get` and `delete` where a kind does it in its own way."""
    many = f"{ABOVE[kind.level]}/{kind.plural}"
    one = f"{many}/{{{kind.noun}}}"
    of, name = prefix + kind.plural, prefix + kind.noun

    def doc(answer: Any, summary: str, operation: str, **more: Any) -> calls.Doc:  # noqa: ANN401 - types as values
        return calls.Doc(answer=answer, summary=summary, operation=operation, tag=kind.plural, **more)

    return [
        calls.endpoint("GET", many, doc(rest.Page[kind.type], f"One page of {kind.plural} by name.", f"list_{of}", query=rest.PageQuery))(  # type: ignore[name-defined]  # a type as value
            page or (lambda call: generic.page(call.plane, call.caller, kind, call.names, call.query(rest.PageQuery)))
        ),
        calls.endpoint("POST", many, doc(kind.type, f"Create a {kind.noun}.", f"create_{name}", body=kind.type, status=201))(
            lambda call: generic.create(call.plane, call.caller, kind, _parent(call), call.read(kind.type))
        ),
        calls.endpoint("GET", one, doc(kind.type, f"One {kind.noun}.", f"get_{name}"))(
            (lambda call: get(call.plane, call.caller, call.names))
            if get
            else (lambda call: generic.get(call.plane, call.caller, kind, call.names))
        ),
        calls.endpoint("PUT", one, doc(kind.type, f"Make the {kind.noun} be as given, new or not.", f"put_{name}", body=kind.type))(
            lambda call: _put(call, kind)
        ),
        calls.endpoint("DELETE", one, doc(rest.Deleted, f"Delete the {kind.noun}.", f"delete_{name}", **_deleting(kind)))(
            delete or (lambda call: generic.delete(call.plane, call.caller, kind, call.names, version=call.version))
        ),
    ]


def _waiver(verb: str, summary: str, act: Callable[..., Any]) -> list[HTTPRouteHandler]:
    path = f"{ABOVE[2]}/waivers/{{waiver}}/{verb}"
    doc = calls.Doc(answer=waivers.KIND.type, summary=summary, tag="waivers", operation=f"{verb}_waiver")
    return [calls.endpoint("POST", path, doc)(lambda call: act(call.plane, call.caller, call.names))]


def _refresh() -> list[HTTPRouteHandler]:
    summary = "Look at the repository of a policy set now, also at a commit that was refused."
    doc = calls.Doc(answer=policies.KIND.type, summary=summary, tag="policies", operation="refresh_policy")
    return [
        calls.endpoint("POST", f"{ABOVE[1]}/policies/{{policy}}/refresh", doc)(
            lambda call: policies.refresh(call.plane, call.caller, call.names)
        )
    ]


def _parent(call: calls.Call) -> Any:  # noqa: ANN401 - authorise.Names
    """The place of a collection: its path ends with no name of the new document."""
    names = call.names
    return type(names)(names.tenant, names.project, "")


def _put(call: calls.Call, kind: generic.Kind) -> tuple[Any, int]:
    written = generic.replace(call.plane, call.caller, kind, call.names, call.read(kind.type), version=call.version)
    return written.document, 201 if written.created else 200


def _deleting(kind: generic.Kind) -> dict[str, Any]:
    return {"status": 202, "query": rest.DeleteApp} if kind is apps.KIND else {}


def _delete_app(call: calls.Call) -> rest.Deleted:
    cascade = call.query(rest.DeleteApp).cascade
    return apps.delete(call.plane, call.caller, call.names, cascade=cascade, version=call.version)
