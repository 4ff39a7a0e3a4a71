"""Making audit events: who, from the scope; when and under which id, from the clock."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

import msgspec

from plane.domain import access
from plane.domain.auditing import audit, audit_types
from plane.domain.auditing import details as shapes
from plane.server import context
from plane.store.auditing import audit as log
from plane.store.engine import Tx


class Facts(TypedDict, total=False):
    """Fields of domain.auditing.audit.Event."""

    stage: audit.Stage
    outcome: audit.Outcome
    project: str
    target: str
    cluster: str
    commit: str
    release: str
    decision: str
    correlation: str
    message: str
    occurred_at: str


def by(actor: access.Actor) -> audit.By:
    """The actor as the log names it."""
    told = {name: getattr(actor, name) for name in ("id", "name", "kind", "token", "ip", "user_agent", "on_behalf_of")}
    return audit.By(**told)


def event(
    plane: context.Plane, scope: access.Scope, kind: str, *, details: shapes.Details | None = None, **facts: Unpack[Facts]
) -> audit.Event:
    """An event of this scope; TypeError when its details are another type's."""
    if type(details) is not audit_types.DETAILS.get(kind, type(None)) and details is not None:
        message = f"events of type {kind} have other details than {type(details).__name__}; see domain.auditing.audit_types.DETAILS"
        raise TypeError(message)
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
    details: shapes.Details | None = None,
    **facts: Unpack[Facts],
) -> str:
    """Write one event in the transaction of its fact; returns its id."""
    made = event(plane, scope, kind, details=details, **facts)
    log.append(tx, [made], project_ids={made.id: project_id} if project_id else None)
    return made.id


def in_order(events: Sequence[audit.Event]) -> list[audit.Event]:
    """The same with ids that rise, which the log keeps to within one transaction: those of one millisecond need not."""
    return [msgspec.structs.replace(one, id=id_) for one, id_ in zip(events, sorted(one.id for one in events), strict=True)]
