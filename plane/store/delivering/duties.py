"""Making apps due."""

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from plane.store import wake
from plane.store.engine import Tx
from plane.store.layout import tables

APPS = tables.apps


def some(tx: Tx, tenant: str, ids: Sequence[str], now: dt.datetime) -> None:
    """These apps."""
    if ids:
        tx.execute(sa.update(APPS).where(APPS.c.tenant_id == tenant, APPS.c.id.in_(ids)).values(due_at=now))
        wake.notify(tx, "plane_due")


def at(tx: Tx, tenant: str, moments: Mapping[str, dt.datetime]) -> None:
    """Each of these apps at its moment, unless it is due before."""
    for app, moment in moments.items():
        sooner = sa.func.least(sa.func.coalesce(APPS.c.due_at, moment), moment)
        tx.execute(sa.update(APPS).where(APPS.c.tenant_id == tenant, APPS.c.id == app).values(due_at=sooner))
    if moments:
        wake.notify(tx, "plane_due")


def all_of_cluster(tx: Tx, tenant: str, cluster_id: str, now: dt.datetime) -> None:
    """The tenant's apps on a cluster."""
    tx.execute(sa.update(APPS).where(APPS.c.tenant_id == tenant, APPS.c.cluster_id == cluster_id).values(due_at=now))
    wake.notify(tx, "plane_due")


def all_of_tenant(tx: Tx, tenant: str, now: dt.datetime) -> None:
    """Every app of a tenant: after a change of its policies or grants."""
    tx.execute(sa.update(APPS).where(APPS.c.tenant_id == tenant).values(due_at=now))
    wake.notify(tx, "plane_due")


def all_of_project(tx: Tx, tenant: str, project_id: str, now: dt.datetime) -> None:
    """The apps of a project: after a change of its rules."""
    tx.execute(sa.update(APPS).where(APPS.c.tenant_id == tenant, APPS.c.project_id == project_id).values(due_at=now))
    wake.notify(tx, "plane_due")


def everywhere(tx: Tx, now: dt.datetime) -> None:
    """Every app of every tenant: after a change of the platform's policies; a dispatch transaction."""
    tx.execute(sa.update(APPS).values(due_at=now))
    wake.notify(tx, "plane_due")
