"""What explaining one app needs."""

import msgspec
import sqlalchemy as sa

from plane.domain import apps as domain
from plane.domain import orphans, tenancy
from plane.domain.deciding import decide
from plane.domain.judging import policy
from plane.domain.timing import schedules
from plane.store.delivering import facts, states
from plane.store.engine import Row, Tx
from plane.store.layout import decision_tables, tables

APPS, STATES, TASKS, RELEASES = tables.apps, tables.app_states, tables.tasks, tables.releases
DECISIONS = decision_tables.decisions


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One app's decision and what stands around it. Times are RFC 3339; `seen` is Unix seconds."""

    id: str
    spec: domain.AppSpec
    release: str
    decision: decide.Decision | None
    destination: decide.Destination
    seen: float | None
    sync: str
    health: str
    message: str
    created: str
    since: str  # how long the decision has had this reason
    open_task: str  # "queued", "with the agent" and what it waits for there, or empty
    trouble: str  # why the agent takes no tasks
    capabilities: bytes  # msgpack of wire.agent.Capabilities, or nothing
    agent_version: str
    task_since: str
    verdict: policy.Verdict | None
    facts: dict[str, str]
    orphans: str  # a sentence on objects beside the app's that belong to none, or empty
    calendar: schedules.Calendar
    target: schedules.Target


def load(tx: Tx, tenant: str, project_id: str, name: str) -> Found | None:
    """The app by name, or None."""
    row = tx.execute(_QUERY.where(APPS.c.tenant_id == tenant, APPS.c.project_id == project_id, APPS.c.name == name)).one_or_none()
    if row is None:
        return None
    place = facts.clusters(tx, tenant, {row.cluster_id}).get(row.cluster_id) if row.cluster_id else None
    task = tx.execute(_OPEN.where(TASKS.c.tenant_id == tenant, TASKS.c.app_id == row.id)).first()
    above = tx.execute(sa.select(tables.tenants.c.spec).where(tables.tenants.c.id == tenant)).scalar_one()
    return _found(row, place, task, states.calendar(row, msgspec.convert(above, tenancy.TenantSpec)))


_QUERY = sa.select(
    APPS,
    STATES.c.decision,
    STATES.c.sync,
    STATES.c.health,
    STATES.c.message,
    sa.func.coalesce(STATES.c.since, STATES.c.updated_at).label("since"),
    STATES.c.digest,
    STATES.c.commit,
    STATES.c.attempt,
    STATES.c.reported_at,
    RELEASES.c.verdict,
    DECISIONS.c.id.label("decided"),
    *states.ABOVE,
    tables.projects.c.name.label("project"),
    tables.projects.c.orphans,
    tables.projects.c.spec["orphanedResources"].label("watched"),
).select_from(
    APPS.join(tables.projects, states.IN_PROJECT)
    .outerjoin(STATES, sa.and_(STATES.c.tenant_id == APPS.c.tenant_id, STATES.c.app_id == APPS.c.id))
    .outerjoin(RELEASES, sa.and_(RELEASES.c.tenant_id == STATES.c.tenant_id, RELEASES.c.id == STATES.c.release_id))
    .outerjoin(DECISIONS, sa.and_(DECISIONS.c.tenant_id == RELEASES.c.tenant_id, DECISIONS.c.id == RELEASES.c.id))
)
_OPEN = (
    sa.select(TASKS.c.state, TASKS.c.created_at, TASKS.c.phase, TASKS.c.message)
    .where(TASKS.c.state != "done", TASKS.c.kind.in_(["apply", "remove"]))
    .order_by(TASKS.c.generation.desc())
    .limit(1)
)


def _found(row: Row, place: facts.Cluster | None, task: Row | None, calendar: schedules.Calendar) -> Found:
    spec = msgspec.convert(row.spec, domain.AppSpec)
    name = spec.destination.cluster
    attempt = decide.full(row.attempt and msgspec.convert(row.attempt, decide.Attempt))
    told = {
        "release": row.digest,
        "commit": row.commit,
        "policy decision": row.decided or "",
        "deployed": attempt.digest if attempt and attempt.outcome == "succeeded" else "",
        "cluster": name,
        "agent last seen": place.last_seen if place else "",
        "state reported": facts.stamp(row.reported_at),
        "generation": str(row.generation),
    }
    return Found(
        id=row.id,
        spec=spec,
        release=row.digest or "",
        decision=row.decision and msgspec.convert(row.decision, decide.Decision),
        destination=decide.Destination(name, joined=place.joined, revoked=place.revoked, last_seen=place.last_seen)
        if place
        else decide.Destination(name, known=False),
        seen=place.seen if place else None,
        sync=row.sync or "Unknown",
        health=row.health or "Unknown",
        message=row.message or "",
        created=facts.stamp(row.created_at),
        since=facts.stamp(row.since),
        open_task=_shown(task) if task else "",
        trouble=place.trouble if place else "",
        capabilities=place.capabilities if place else b"",
        agent_version=place.agent_version if place else "",
        task_since=facts.stamp(task.created_at) if task else "",
        verdict=msgspec.convert(row.verdict, policy.Verdict) if row.verdict else None,
        facts={key: value for key, value in told.items() if value},
        orphans=_orphans(row, f"{name}/{spec.destination.namespace}"),
        calendar=calendar,
        target=schedules.Target(row.name, spec.destination.namespace, name),
    )


def _shown(task: Row) -> str:
    """Where an open task is."""
    if task.state == "queued":
        return "queued"
    phase = f", in {task.phase.partition('/')[0]}, wave {task.phase.partition('/')[2]}" if task.phase else ""
    return f"with the agent{phase}{f': {task.message}' if task.message else ''}"


def _orphans(row: Row, place: str) -> str:
    """What was found beside the app by the last look, where the project wants to be warned."""
    watch, kept = row.watched and msgspec.convert(row.watched, orphans.Watch), row.orphans or {}
    return orphans.sentence(watch, (kept.get("found") or {}).get(place, 0), at=kept.get("at", ""), project=row.project)
