"""Nothing begun in a cluster stays without an end in the log: what the plane ended itself it says, what nobody ended is a finding."""

import datetime as dt

from plane.domain import access
from plane.domain.auditing import audit, details
from plane.server import context, record
from plane.store import engine
from plane.store.auditing import audit_gaps
from plane.store.people import tenants

DEADLINE = dt.timedelta(hours=1)  # the longest a change may take before its end is missed: hooks and slow rollouts are told of meanwhile
BACK = dt.timedelta(days=30)  # how far back is looked; older intents were looked at before
LIMIT = 500


def look(plane: context.Plane) -> int:
    """One look at every tenant's log; returns how many findings there were, resolved ones too."""
    with engine.dispatch(plane.engine) as tx:
        everyone = tenants.ids(tx)
    return sum(_tenant(plane, access.Scope(tenant, access.SYSTEM)) for tenant in everyone)


def _tenant(plane: context.Plane, scope: access.Scope) -> int:
    now = plane.clock.now()
    with engine.begin(plane.engine, scope) as tx:
        if not audit_gaps.alone(tx, scope.tenant):
            return 0
        unended = audit_gaps.unended(tx, scope.tenant, since=now - BACK, before=now - DEADLINE, limit=LIMIT)
        late = audit_gaps.late(tx, scope.tenant, since=now - BACK, limit=LIMIT)
        for one in unended:
            _say(plane, tx, scope, one, *_found(one))
        for one in late:
            _say(plane, tx, scope, one, "audit.gap.resolved", "success", "the agent told the end after all")
    return len(unended) + len(late)


def _found(one: audit_gaps.Open) -> tuple[str, audit.Outcome, str]:
    """Type, outcome and sentence."""
    if one.state == "done" and one.outcome not in ("succeeded", "failed"):
        return "app.sync.abandoned", "failure", f"the plane ended it ({one.outcome}): {one.message}"
    if one.state == "leased":
        return "audit.gap", "failure", "the agent took it and has not told its end; compare the cluster with Git"
    return "audit.gap", "failure", "its task is gone and no end was ever told; compare the cluster with Git"


def _say(plane: context.Plane, tx: engine.Tx, scope: access.Scope, one: audit_gaps.Open, *told: *tuple[str, audit.Outcome, str]) -> None:
    kind, outcome, message = told
    about = record.Facts(target=one.target, cluster=one.cluster, correlation=one.task, outcome=outcome, message=message, stage="outcome")
    record.append(plane, tx, scope, kind, project_id=one.project_id, details=details.Gap(intent=one.seq), **about)
