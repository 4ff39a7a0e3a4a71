"""How an app's health changed: read only."""

from plane.server import authorise, context
from plane.server import documents as generic
from plane.server.auditing import audit_log
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store.attending import health_history
from plane.store.delivering import facts
from plane.wire import health, rest


def changes(
    plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: health.HealthQuery
) -> rest.Page[health.HealthChange]:
    """Of the app and its objects, newest first."""
    before, since = rest.after_number(query, first=2**62), audit_log.moment(query.since, "since")
    asked = {"group": query.group, "kind": query.kind, "namespace": query.namespace, "name": query.name}
    where = {name: text for name, text in asked.items() if text}
    wanted = health_history.Asked(where, since, before=before, limit=query.limit + 1)
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
        found = health_history.page(place.tx, place.scope.tenant, row.id, wanted)
    return rest.page([_change(each) for each in found], query.limit, key=lambda each: each.number)


def _change(row: rows.Row) -> health.HealthChange:
    said = {name: getattr(row, name) for name in ("number", "before", "after", "message", "group", "kind", "namespace", "name")}
    return health.HealthChange(at=facts.stamp(row.at), **said)
