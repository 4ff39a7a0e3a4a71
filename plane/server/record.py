"""Making audit events: who, from the scope; when and under which id, from the clock."""

from typing import Any

from plane.domain import access
from plane.domain.auditing import audit
from plane.server import context
from plane.store.auditing import audit as log
from plane.store.engine import Tx


def by(actor: access.Actor) -> audit.By:
    """The actor as the log names it."""
    return audit.By(id=actor.id, name=actor.name, kind=actor.kind, token=actor.token, ip=actor.ip, user_agent=actor.user_agent)


def event(plane: context.Plane, scope: access.Scope, kind: str, **facts: Any) -> audit.Event:  # noqa: ANN401 - fields of Event, checked by it
    """An event of this scope; `facts` are fields of domain.audit.Event."""
    now = plane.clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
    return audit.Event(id=plane.clock.id(), time=now, type=kind, actor=by(scope.actor), tenant=scope.tenant, request=scope.request, **facts)


def append(plane: context.Plane, tx: Tx, scope: access.Scope, kind: str, *, project_id: str = "", **facts: Any) -> None:  # noqa: ANN401 - fields of Event
    """Write one event in the transaction of its fact."""
    made = event(plane, scope, kind, **facts)
    log.append(tx, [made], project_ids={made.id: project_id} if project_id else None)
