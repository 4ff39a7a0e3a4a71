"""Stopping apps and projects for now, and letting them go on."""

from litestar.handlers import HTTPRouteHandler

from plane.api import calls
from plane.server import documents as generic
from plane.server.keeping import apps, holds, projects
from plane.wire import rest

PLACES = (("/tenants/{tenant}/projects/{project}/hold", projects.KIND), ("/tenants/{tenant}/projects/{project}/apps/{app}/hold", apps.KIND))


def handlers() -> list[HTTPRouteHandler]:
    """Both verbs of both places."""
    return [handler for path, kind in PLACES for handler in (_hold(path, kind), _release(path, kind))]


def _hold(path: str, kind: generic.Kind) -> HTTPRouteHandler:
    summary = f"Stop all syncs of the {kind.noun}{'' if kind.noun == 'app' else chr(39) + 's apps'}, for a reason."
    doc = calls.Doc(answer=kind.type, summary=summary, body=rest.NewHold, tag=kind.plural, operation=f"hold_{kind.noun}")
    return calls.endpoint("PUT", path, doc)(lambda call: holds.hold(call.plane, call.caller, kind, call.names, call.read(rest.NewHold)))


def _release(path: str, kind: generic.Kind) -> HTTPRouteHandler:
    doc = calls.Doc(answer=kind.type, summary="Let its syncs go on.", tag=kind.plural, operation=f"unhold_{kind.noun}")
    return calls.endpoint("DELETE", path, doc)(lambda call: holds.release(call.plane, call.caller, kind, call.names))
