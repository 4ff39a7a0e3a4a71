"""Repositories as polling sees them: last refs, who follows which revision, and which apps a change touches."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.domain import errors
from plane.domain.deciding import decide
from plane.domain.rendering import sources
from plane.store import wake as wake_up
from plane.store.delivering import duties, facts, further_sources, leases, states, usage
from plane.store.engine import Row, Tx
from plane.store.layout import tables

REPOS, APPS, STATES, PROJECTS = tables.repositories, tables.apps, tables.app_states, tables.projects


class Moved(msgspec.Struct, frozen=True):
    """Where a revision moved: the commit (empty: not a ref, or unknown) and the paths that differ; None when anything may."""

    commit: str = ""
    changed: frozenset[str] | None = None


class Look(msgspec.Struct, frozen=True):
    """What a look found: the refs, where revisions moved, and how large the mirror is."""

    refs: Mapping[str, str]
    moved: Mapping[str, Moved]
    mirror_bytes: int


class Known(msgspec.Struct, frozen=True):
    """A repository before a look."""

    repository: facts.Repository
    refs: dict[str, str]
    revisions: frozenset[str]  # what its apps follow
    interval_s: int
    failures: int
    mirror_bytes: int
    project_id: str
    project: str  # its name
    looked_at: dt.datetime | None  # when the refs were these


def load(tx: Tx, tenant: str, repository_id: str) -> Known:
    """The repository and the revisions its apps follow; LeaseLost when it is gone."""
    row = tx.execute(sa.select(REPOS).where(REPOS.c.tenant_id == tenant, REPOS.c.id == repository_id)).one_or_none()
    if row is None:
        message = f"repository {repository_id} was deleted"
        raise errors.LeaseLost(message)
    first = sa.select(_REVISION).where(APPS.c.tenant_id == tenant, APPS.c.repository_id == repository_id).distinct()
    revisions = {*tx.execute(first).scalars(), *(each.revision for each in further_sources.following(tx, tenant, repository_id))}
    repository = facts.repository(row, usage.above(tx, tenant).quotas)
    project = tx.execute(sa.select(PROJECTS.c.name).where(PROJECTS.c.tenant_id == tenant, PROJECTS.c.id == row.project_id)).scalar_one()
    every = row.spec.get("pollInterval", 180)
    return Known(repository, row.refs, frozenset(revisions), every, row.failures, row.mirror_bytes, row.project_id, project, row.refs_at)


_FIRST = sa.func.coalesce(APPS.c.spec["source"], APPS.c.spec["sources"][0])
_REVISION = sa.func.coalesce(_FIRST.op("->>")("targetRevision"), "HEAD").label("revision")


def touched(tx: Tx, tenant: str, repository_id: str, moved: Mapping[str, Moved]) -> tuple[str, ...]:
    """Apps of the repository that asked for a refresh, or follow a moved revision, have not seen it yet and can be changed by it."""
    query = sa.select(APPS.c.id, APPS.c.roots, APPS.c.refresh, STATES.c.seen, _REVISION).select_from(APPS.outerjoin(STATES, _SAME_APP))
    rows = tx.execute(query.where(APPS.c.tenant_id == tenant, APPS.c.repository_id == repository_id))
    hit = [row.id for row in rows if row.refresh or _hit(row, moved)]
    hit += [row.app_id for row in further_sources.following(tx, tenant, repository_id) if _hit(row, moved)]
    return tuple(dict.fromkeys(hit))


_SAME_APP = sa.and_(STATES.c.tenant_id == APPS.c.tenant_id, STATES.c.app_id == APPS.c.id)


def _hit(row: Row, moved: Mapping[str, Moved]) -> bool:
    if row.revision not in moved:
        return False
    to = moved[row.revision]
    if to.commit and row.seen == to.commit:
        return False
    return to.changed is None or not row.roots or sources.touches(row.roots, to.changed)


def wake(tx: Tx, tenant: str, due: Sequence[str], now: dt.datetime) -> None:
    """Make apps due. Whoever writes apps and their repository in one transaction takes the apps first, so that nobody waits in a ring."""
    if due:
        states.lock(tx, tenant, due)
        duties.some(tx, tenant, due, now)


def saw(tx: Tx, tenant: str, commits: Mapping[tuple[str, str], str], now: dt.datetime) -> None:
    """Keep what the mirrors said, by repository and revision, where they were ahead of the last look, and look again now.

    Otherwise a branch that comes and goes between two looks would never have been there, and what was made from it would stay.
    """
    ahead = [
        {"tenant": tenant, "repository": repository, "revision": revision, "commit": commit, "now": now}
        for (repository, revision), commit in sorted(commits.items())
        if not commit.startswith(revision)  # a commit's own name moves nowhere
    ]
    if ahead and tx.execute(_SAW, ahead).rowcount:
        wake_up.notify(tx, "plane_due")


_SAW = sa.text("""
    UPDATE repositories SET refs = refs || jsonb_build_object(CAST(:revision AS text), CAST(:commit AS text)), poll_at = :now
    WHERE tenant_id = :tenant AND id = :repository AND CAST(:commit AS text) IS DISTINCT FROM coalesce(
        refs ->> CAST(:revision AS text), refs ->> ('refs/heads/' || :revision),
        refs ->> ('refs/tags/' || :revision || '^{}'), refs ->> ('refs/tags/' || :revision)
    )
""")  # names in the order of sources.commit_of


def done(tx: Tx, one: leases.Leased, known: Known, *, look: Look, now: dt.datetime, again: dt.datetime) -> None:
    """Keep the refs and plan the next look; LeaseLost. What was asked for or seen meanwhile stays for the next."""
    kept = sa.case((REPOS.c.poll_at == one.due, again), else_=REPOS.c.poll_at)
    same = REPOS.c.refs == sa.literal(known.refs, REPOS.c.refs.type)
    found = sa.case((same, sa.literal(dict(look.refs), REPOS.c.refs.type)), else_=REPOS.c.refs)
    _give_back(tx, one, refs=found, refs_at=now, problem=None, failures=0, mirror_bytes=look.mirror_bytes, poll_at=kept)


def failed(tx: Tx, one: leases.Leased, *, problem: decide.Problem, again: dt.datetime) -> None:
    """Keep the refs as they were, remember why, plan the next try; LeaseLost."""
    _give_back(tx, one, problem=msgspec.to_builtins(problem), failures=REPOS.c.failures + 1, poll_at=again)


def _give_back(tx: Tx, one: leases.Leased, **values: Any) -> None:  # noqa: ANN401 - a column takes what its type takes
    where = (REPOS.c.tenant_id == one.tenant, REPOS.c.id == one.id, REPOS.c.lease == one.lease)
    freed = sa.update(REPOS).where(*where).values(**values, leased_until=None, lease=None).returning(REPOS.c.id)
    if tx.execute(freed).first() is None:
        message = f"repository {one.id} was deleted, or is being looked at by another worker"
        raise errors.LeaseLost(message)
