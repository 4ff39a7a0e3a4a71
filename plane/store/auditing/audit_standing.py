"""How things stood at a time, from the log: the last event of some types before it, for each of many subjects by an index of its own."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from plane.domain.auditing import audit
from plane.store.engine import Tx
from plane.store.layout import health_tables, tables

APPS, PROJECTS, BLOBS, HEALTH = tables.apps, tables.projects, tables.blobs, health_tables.health_changes


class Subject(msgspec.Struct, frozen=True, order=True):
    """An app, or with its project's name the project itself: `app/web`, in the project of this id. `app`: its id while it is there."""

    project_id: str
    target: str
    app: str = ""


def apps(tx: Tx, tenant: str, *, project_id: str, target: str, since: dt.datetime) -> tuple[Subject, ...]:
    """Apps that there may have been at a time: those that are there, and those that were removed since."""
    values = {"tenant": tenant, "project": project_id or None, "target": target, "since": since}
    rows = tx.execute(_APPS, values)
    return tuple(sorted(Subject(str(row.project_id), row.target, str(row.id or "")) for row in rows))


_APPS = sa.text("""
    SELECT DISTINCT ON (project_id, target) project_id, target, id FROM (
        SELECT project_id, 'app/' || name AS target, id FROM apps WHERE tenant_id = :tenant
        UNION ALL
        SELECT project_id, target, NULL FROM audit_leaves WHERE tenant_id = :tenant AND type = 'app.removed' AND at >= :since
    ) AS found
    WHERE project_id IS NOT NULL AND (CAST(:project AS uuid) IS NULL OR project_id = :project) AND (:target = '' OR target = :target)
    ORDER BY project_id, target, id NULLS LAST
""")


class Asked(msgspec.Struct, frozen=True):
    """Events of these types and outcomes, up to a time."""

    types: tuple[str, ...]
    until: dt.datetime
    outcomes: tuple[str, ...] = ("success",)


def latest(tx: Tx, tenant: str, subjects: Sequence[Subject], asked: Asked) -> dict[tuple[str, str], audit.Sealed]:
    """The last event of each subject that has one, by project and target."""
    values = {
        "tenant": tenant,
        "projects": [one.project_id for one in subjects],
        "targets": [one.target for one in subjects],
        "types": list(asked.types),
        "outcomes": list(asked.outcomes),
        "until": asked.until,
    }
    found = {}
    for row in tx.execute(_LATEST, values):
        event = audit.together(bytes(row.body), bytes(row.personal or b""))
        found[str(row.project_id), row.target] = audit.Sealed(row.seq, bytes(row.leaf).hex(), event)
    return found


_LATEST = sa.text(r"""
    SELECT s.project_id, s.target, l.seq, l.leaf, l.body, p.body AS personal
    FROM unnest(CAST(:projects AS uuid[]), CAST(:targets AS text[])) AS s(project_id, target)
    CROSS JOIN LATERAL (
        SELECT seq, leaf, event_id, e.body FROM audit_leaves JOIN audit_events e ON e.tenant_id = :tenant AND e.id = event_id
        WHERE audit_leaves.tenant_id = :tenant AND audit_leaves.target = s.target AND audit_leaves.project_id = s.project_id
        AND audit_leaves.type = ANY(CAST(:types AS text[])) AND outcome = ANY(CAST(:outcomes AS text[])) AND audit_leaves.at <= :until
        AND seq <= (SELECT max(last) FROM audit_hours WHERE tenant_id = :tenant AND hour <= :until)
        AND position('"partial"\:true'\:\:bytea IN e.body) = 0
        AND (audit_leaves.type <> 'app.task.recovered' OR position('"work"\:"apply"'\:\:bytea IN e.body) > 0)
        ORDER BY seq DESC LIMIT 1
    ) AS l
    LEFT JOIN audit_personal p ON p.tenant_id = :tenant AND p.event_id = l.event_id
""")


class Health(msgspec.Struct, frozen=True):
    """What an app's health had become, and when."""

    status: str
    at: dt.datetime


def health(tx: Tx, tenant: str, apps: Sequence[str], until: dt.datetime) -> dict[str, Health]:
    """By app id, as far as it is still known."""
    rows = tx.execute(_HEALTH, {"tenant": tenant, "apps": list(apps), "until": until})
    return {str(row.app_id): Health(row.after, row.at) for row in rows}


_HEALTH = sa.text("""
    SELECT a.id AS app_id, h.after, h.at FROM unnest(CAST(:apps AS uuid[])) AS a(id) CROSS JOIN LATERAL (
        SELECT after, at FROM health_changes WHERE tenant_id = :tenant AND app_id = a.id AND kind = '' AND at <= :until
        ORDER BY number DESC LIMIT 1
    ) AS h
""")


def bodies(tx: Tx, tenant: str, digests: Sequence[str]) -> dict[str, bytes]:
    """Releases that are still kept, packed, by digest."""
    query = sa.select(BLOBS.c.digest, BLOBS.c.body).where(BLOBS.c.tenant_id == tenant, BLOBS.c.digest.in_(digests))
    return {row.digest: bytes(row.body) for row in tx.execute(query)}


def project_names(tx: Tx, tenant: str, ids: Sequence[str]) -> dict[str, str]:
    """By id, of those that are there."""
    query = sa.select(PROJECTS.c.id, PROJECTS.c.name).where(PROJECTS.c.tenant_id == tenant, PROJECTS.c.id.in_(ids))
    return {str(row.id): row.name for row in tx.execute(query)}
