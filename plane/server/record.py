"""Making audit events: who, from the scope; when and under which id, from the clock."""

from collections.abc import Sequence
from typing import Any

import msgspec

from plane.domain import access
from plane.domain.auditing import audit
from plane.server import context
from plane.store.auditing import audit as log
from plane.store.engine import Tx


def by(actor: access.Actor) -> audit.By:
    """The actor as the log names it."""
    return audit.By(id=actor.id, name=actor.name, kind=actor.kind, token=actor.token, ip=actor.ip, user_agent=actor.user_agent)


def event(
    plane: context.Plane,
    scope: access.Scope,
    kind: str,
    *,
    details: Any = None,  # noqa: ANN401 - of domain.auditing.details, or plain
    **facts: Any,  # noqa: ANN401 - fields of Event
) -> audit.Event:
    """An event of this scope."""
    now = plane.clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
    more = msgspec.to_builtins(details) if details else {}
    return audit.Event(
        id=plane.clock.id(), time=now, type=kind, actor=by(scope.actor), tenant=scope.tenant, request=scope.request, details=more, **facts
    )


def append(
    plane: context.Plane,
    tx: Tx,
    scope: access.Scope,
    kind: str,
    *,
    project_id: str = "",
    details: Any = None,  # noqa: ANN401 - of domain.auditing.details, or plain
    **facts: Any,  # noqa: ANN401 - fields of Event
) -> None:
    """Write one event in the transaction of its fact."""
    made = event(plane, scope, kind, details=details, **facts)
    log.append(tx, [made], project_ids={made.id: project_id} if project_id else None)


def in_order(events: Sequence[audit.Event]) -> list[audit.Event]:
    """The same with ids that rise, which the log keeps to within one transaction: those of one millisecond need not."""
    return [msgspec.structs.replace(one, id=id_) for one, id_ in zip(events, sorted(one.id for one in events), strict=True)]
