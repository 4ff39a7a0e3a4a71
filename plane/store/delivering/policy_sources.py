"""Policy sets that lie elsewhere: which follow a repository, and what came of a look at it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.domain import tenancy
from plane.domain.deciding import decide
from plane.domain.judging import artifacts, origins, policy_sources
from plane.store.engine import Row, Tx
from plane.store.layout import tables

SETS = tables.policy_sets


class Following(msgspec.Struct, frozen=True):
    """A set before a look. `seen`: the last commit or artifact looked at; `version`: of its document, so that a change meanwhile shows."""

    id: str
    name: str
    spec: tenancy.PolicySetSpec
    source: policy_sources.Source
    digest: str
    seen: str
    version: int
    problem: decide.Problem | None = None


def following(tx: Tx, tenant: str, *, project: str, url: str) -> tuple[Following, ...]:
    """The sets that a (normal) URL of a project's repository is the source of, by name."""
    where = (SETS.c.tenant_id == tenant, SETS.c.project_id == project, SETS.c.source_url == url)
    return tuple(_following(row) for row in tx.execute(sa.select(SETS).where(*where).order_by(SETS.c.name)))


def hold(tx: Tx, tenant: str, one: Following) -> bool:
    """Lock it until the transaction ends; False when it is gone, or another than it was."""
    where = (SETS.c.tenant_id == tenant, SETS.c.id == one.id, SETS.c.version == one.version)
    return tx.execute(sa.select(SETS.c.id).where(*where).with_for_update()).first() is not None


def accepted(tx: Tx, tenant: str, one: Following, *, values: Mapping[str, Any], now: dt.datetime | None) -> None:
    """Put what was read in force. `now`: when its files changed, which makes a version of the document; None: they did not."""
    risen = {"version": SETS.c.version + 1, "updated_at": now} if now else {}
    tx.execute(sa.update(SETS).where(SETS.c.tenant_id == tenant, SETS.c.id == one.id).values(**values, **risen, problem=None))


def refused(tx: Tx, tenant: str, one: Following, *, seen: str, problem: decide.Problem) -> None:
    """Remember why; what was accepted before stays in force. `seen`: what need not be looked at again, or the empty string."""
    kept = msgspec.to_builtins(problem)
    tx.execute(sa.update(SETS).where(SETS.c.tenant_id == tenant, SETS.c.id == one.id).values(seen=seen, problem=kept))


def look_again(tx: Tx, tenant: str, set_id: str) -> None:
    """The next look reads it as if for the first time."""
    tx.execute(sa.update(SETS).where(SETS.c.tenant_id == tenant, SETS.c.id == set_id).values(seen=""))


def stale(tx: Tx, tenant: str) -> tuple[str, ...]:
    """Sentences on sets whose source is ahead of what is in force, or cannot be read."""
    rows = tx.execute(sa.select(SETS).where(SETS.c.tenant_id == tenant, SETS.c.problem.is_not(None)).order_by(SETS.c.name))
    return tuple(sentence(row) for row in rows if row.digest)


def sentence(row: Row) -> str:
    """Why a set is not what its source says, since when, and what holds instead."""
    if row.problem is None:
        return f"policy set {row.name} has not been read from its source yet; the first look at its repository is on its way"
    problem = msgspec.convert(row.problem, decide.Problem)
    what = f"{_named(row.seen)} is not in force" if row.seen else "its source cannot be read"
    since = msgspec.convert(row.origin, origins.Origin).at() if row.origin else ""
    kept = f"what was read before{f' ({_named(since)})' if since else ''} holds" if row.digest else "nothing was read before"
    return f"policy set {row.name}: {what} since {problem.since}: {problem.sentence}; {kept}"


def _named(at: str) -> str:
    return f"artifact {at[:19]}" if artifacts.DIGEST.fullmatch(at) else f"commit {at[:12]}"


def _following(row: Row) -> Following:
    spec = msgspec.convert(row.spec, tenancy.PolicySetSpec)
    assert spec.source is not None  # noqa: S101 - the row has its URL from there
    problem = msgspec.convert(row.problem, decide.Problem) if row.problem else None
    return Following(row.id, row.name, spec, spec.source, row.digest, row.seen, row.version, problem)
