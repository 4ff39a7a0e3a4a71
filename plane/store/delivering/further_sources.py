"""An app's sources after its first: each follows a repository and a revision of its own. The first lies in the app's own row."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.domain import apps, tenancy
from plane.store.engine import Row, Tx
from plane.store.layout import tables

SOURCES, REPOS = tables.app_sources, tables.repositories


class Looked(msgspec.Struct, frozen=True):
    """What a delivery saw of one source: the commit, and the paths whose change can change the app."""

    app_id: str
    number: int
    roots: tuple[str, ...]
    seen: str


def keep(tx: Tx, place: Mapping[str, str], app: str, sources: Sequence[apps.Source]) -> None:
    """Make these the app's further sources, numbered from 1. `place`: tenant_id and project_id."""
    tx.execute(sa.delete(SOURCES).where(SOURCES.c.tenant_id == place["tenant_id"], SOURCES.c.app_id == app))
    for number, source in enumerate(sources, 1):
        url = tenancy.normal_url(source.repo_url)
        named = sa.select(REPOS.c.id).where(*(REPOS.c[name] == value for name, value in place.items()), REPOS.c.url == url)
        row = {"app_id": app, "number": number, "url": url, "revision": source.target_revision}
        tx.execute(sa.insert(SOURCES).values(**place, **row, repository_id=named.scalar_subquery()))


def adopt(tx: Tx, place: Mapping[str, str], *, repository: str, url: str) -> list[str]:
    """Tie the project's sources with this (normal) URL to the repository and untie others; the apps whose ties changed."""
    here = [SOURCES.c[name] == value for name, value in place.items()]
    tied = sa.update(SOURCES).where(*here, SOURCES.c.url == url, SOURCES.c.repository_id.is_distinct_from(repository))
    gone = sa.update(SOURCES).where(*here, SOURCES.c.url != url, SOURCES.c.repository_id == repository)
    changes = ((tied, repository), (gone, None))
    return [
        app
        for change, value in changes
        for app in tx.execute(change.values(repository_id=value, seen="").returning(SOURCES.c.app_id)).scalars()
    ]


def following(tx: Tx, tenant: str, repository: str) -> Sequence[Row]:
    """app_id, revision, roots and seen of every further source that follows the repository."""
    columns = (SOURCES.c.app_id, SOURCES.c.revision, SOURCES.c.roots, SOURCES.c.seen)
    return tx.execute(sa.select(*columns).where(SOURCES.c.tenant_id == tenant, SOURCES.c.repository_id == repository)).all()


def repositories(tx: Tx, tenant: str, ids: Sequence[str]) -> dict[str, dict[int, str]]:
    """Of apps with further sources: repository id by the source's number, without those that are tied to none."""
    found: dict[str, dict[int, str]] = {}
    columns = (SOURCES.c.app_id, SOURCES.c.number, SOURCES.c.repository_id)
    where = (SOURCES.c.tenant_id == tenant, SOURCES.c.app_id.in_(ids), SOURCES.c.repository_id.is_not(None))
    for row in tx.execute(sa.select(*columns).where(*where)):
        found.setdefault(row.app_id, {})[row.number] = row.repository_id
    return found


def looked(tx: Tx, tenant: str, made: Sequence[Looked]) -> None:
    """Write what deliveries saw."""
    if not made:
        return
    where = (SOURCES.c.tenant_id == tenant, SOURCES.c.app_id == sa.bindparam("app"), SOURCES.c.number == sa.bindparam("at"))
    values: list[dict[str, Any]] = [{"app": one.app_id, "at": one.number, "paths": list(one.roots), "commit": one.seen} for one in made]
    tx.execute(sa.update(SOURCES).where(*where).values(roots=sa.bindparam("paths"), seen=sa.bindparam("commit")), values)
