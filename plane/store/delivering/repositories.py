"""Which apps follow a repository."""

import datetime as dt

import sqlalchemy as sa

from plane.domain import tenancy
from plane.store import wake
from plane.store.delivering import duties, further_sources
from plane.store.engine import Tx
from plane.store.layout import tables

APPS, REPOS = tables.apps, tables.repositories
FIRST_URL = sa.func.coalesce(APPS.c.spec["source"], APPS.c.spec["sources"][0]).op("->>")("repoURL")
# As tenancy.normal_url, near enough to find candidates; the exact comparison is made here, in Python.
LIKELY = sa.func.regexp_replace(sa.func.lower(FIRST_URL), r"(\.git)?/*$", "")


def adopt(tx: Tx, tenant: str, project: str, *, repository: str, url: str, now: dt.datetime) -> int:
    """Tie the project's apps that name the (normal) URL to the repository, untie those that no longer do; returns how many follow it."""
    mine = (APPS.c.tenant_id == tenant, APPS.c.project_id == project)
    same = LIKELY.op("=")(url.lower())
    likely = sa.or_(same, APPS.c.repository_id == repository)
    rows = tx.execute(sa.select(APPS.c.id, APPS.c.repository_id, FIRST_URL.label("url")).where(*mine, likely)).all()
    here = [row.id for row in rows if tenancy.normal_url(row.url) == url]
    gone = [row.id for row in rows if row.repository_id == repository and row.id not in set(here)]
    for found, value in ((here, repository), (gone, None)):
        if found:
            tx.execute(sa.update(APPS).where(*mine, APPS.c.id.in_(found)).values(repository_id=value, due_at=now))
    duties.some(tx, tenant, further_sources.adopt(tx, {"tenant_id": tenant, "project_id": project}, repository=repository, url=url), now)
    wake.notify(tx, "plane_due")
    return len(here)


def look_now(tx: Tx, tenant: str, repository: str, now: dt.datetime) -> None:
    """Plan a look at the repository for this moment."""
    tx.execute(sa.update(REPOS).where(REPOS.c.tenant_id == tenant, REPOS.c.id == repository).values(poll_at=now))
    wake.notify(tx, "plane_due")


def ids(tx: Tx) -> frozenset[str]:
    """Of all tenants; a dispatch transaction."""
    return frozenset(str(found) for found in tx.execute(sa.select(REPOS.c.id)).scalars())


def by_url(tx: Tx, tenant: str, project: str, url: str) -> str | None:
    """The id of the project's repository with this normal URL."""
    where = (REPOS.c.tenant_id == tenant, REPOS.c.project_id == project, REPOS.c.url == url)
    return tx.execute(sa.select(REPOS.c.id).where(*where)).scalar_one_or_none()


def look_again(tx: Tx, tenant: str, project: str, credential: str, now: dt.datetime) -> None:
    """A credential changed: look at the repositories that name it."""
    where = (REPOS.c.tenant_id == tenant, REPOS.c.project_id == project, REPOS.c.spec["credential"].astext == credential)
    tx.execute(sa.update(REPOS).where(*where).values(poll_at=now))
    wake.notify(tx, "plane_due")


def naming(tx: Tx, tenant: str, project: str, credential: str) -> tuple[str, ...]:
    """Names of the repositories that use a credential."""
    where = (REPOS.c.tenant_id == tenant, REPOS.c.project_id == project, REPOS.c.spec["credential"].astext == credential)
    return tuple(tx.execute(sa.select(REPOS.c.name).where(*where).order_by(REPOS.c.name)).scalars())
