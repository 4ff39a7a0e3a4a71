"""Step 1 and 2 of the flow: look at due repositories, fetch once when something moved, and make due only the apps a push can touch."""

import datetime as dt
import random
from collections.abc import Mapping

import structlog

from plane import ports
from plane.domain import access, errors
from plane.domain.auditing import sync_details
from plane.domain.deciding import decide
from plane.domain.judging import artifacts
from plane.domain.permitting import quotas
from plane.domain.rendering import sources
from plane.server import context, keys, record, stinting
from plane.server.delivering import policy_artifacts, policy_commits, policy_sync
from plane.store import engine
from plane.store.delivering import facts, keyring, leases, polls

log = structlog.get_logger()

JITTER = 0.2  # keeps repositories that were added together from being looked at together for ever
BACKOFF_S = (15, 30, 60, 120, 300)  # after consecutive failures


def poll(plane: context.Plane, leased: leases.Leased) -> int:
    """Look at one leased repository; returns how many apps became due. Nothing is written once the lease is another's."""
    try:
        return _poll(plane, access.Scope(leased.tenant, access.SYSTEM), leased)
    except errors.LeaseLost as e:
        log.warning("lease.lost", repository=leased.id, reason=str(e))
        return 0


def _poll(plane: context.Plane, scope: access.Scope, leased: leases.Leased) -> int:
    with engine.begin(plane.engine, scope) as tx:
        known = polls.load(tx, leased.tenant, leased.id)
        wrapped = keyring.load(tx, leased.tenant, [leased.project])
    try:
        remote = keys.remote(known.repository, keys.unlock(plane, leased.tenant, wrapped))
        look = _looked(plane, scope, leased, remote, known)
    except errors.PlaneError as e:
        return _failed(plane, scope, leased, known, e)
    now = plane.clock.now()
    with engine.begin(plane.engine, scope) as tx:
        due = polls.touched(tx, leased.tenant, leased.id, look.moved)
        polls.wake(tx, leased.tenant, due, now)
        _tell(plane, tx, scope, known, look)
        polls.done(tx, leased, known, look=look, now=now, again=_again(plane, known.interval_s))
    return len(due)


def _looked(plane: context.Plane, scope: access.Scope, leased: leases.Leased, remote: ports.GitRemote, known: polls.Known) -> polls.Look:
    """A look with all that policy sets have of it. Apps come from Git alone."""
    if artifacts.is_registry(remote.url):
        source = policy_artifacts.opened(plane, scope, leased, remote)
        policy_sync.sync(plane, scope, leased, remote.url, source)
        return polls.Look(source.refs, {}, known.mirror_bytes)
    look = _look(plane, remote, known)
    policy_sync.sync(plane, scope, leased, remote.url, policy_commits.Commits(plane, remote, look.refs))
    return look


def _tell(plane: context.Plane, tx: engine.Tx, scope: access.Scope, known: polls.Known, look: polls.Look) -> None:
    """One event for each commit that somebody pushed; where none was known before, nobody did."""
    moves: dict[tuple[str, str], list[str]] = {}
    for revision, to in sorted(look.moved.items()):
        if to.commit and (before := sources.commit_of(known.refs, revision)):
            moves.setdefault((before, to.commit), []).append(revision)
    for (before, after), revisions in moves.items():
        told = sync_details.Moved(revisions=tuple(revisions), before=before, looked_at=facts.stamp(known.looked_at))
        about = record.Facts(project=known.project, target=f"repository/{known.repository.name}", commit=after)
        record.append(plane, tx, scope, "repository.moved", project_id=known.project_id, details=told, **about)


def _look(plane: context.Plane, remote: ports.GitRemote, known: polls.Known) -> polls.Look:
    """The refs now, and where every revision that apps follow moved."""
    refs = plane.git.refs(remote)
    if dict(refs) == known.refs and not known.repository.problem:
        return polls.Look(refs, {}, known.mirror_bytes)
    refs = plane.git.fetch(remote)
    moved = {revision: _to(plane, remote, known.refs, refs, revision) for revision in known.revisions if _moved(known.refs, refs, revision)}
    return polls.Look(refs, moved, plane.git.size(remote))


def _moved(old: Mapping[str, str], new: Mapping[str, str], revision: str) -> bool:
    """Whether a revision means something else now; one that is no ref (a sha) moves only while it was unknown."""
    before, after = sources.commit_of(old, revision), sources.commit_of(new, revision)
    return before != after or not before


def _to(plane: context.Plane, remote: ports.GitRemote, old: Mapping[str, str], new: Mapping[str, str], revision: str) -> polls.Moved:
    before, after = sources.commit_of(old, revision), sources.commit_of(new, revision)
    return polls.Moved(after, plane.git.changed(remote, before, after) if before and after else None)


def _failed(plane: context.Plane, scope: access.Scope, leased: leases.Leased, known: polls.Known, error: errors.PlaneError) -> int:
    """Keep what is known, say why and since when, and try again later; apps hear of it so that `explain` can tell."""
    now = plane.clock.now()
    before = known.repository.problem
    same = before is not None and before.sentence == str(error)
    problem = before if before and same else decide.Problem(error.code, str(error), facts.stamp(now))
    policy_sync.failed(plane, scope, leased, known.repository.url, problem)
    wait_s = BACKOFF_S[min(known.failures, len(BACKOFF_S) - 1)]
    with engine.begin(plane.engine, scope) as tx:
        due = () if same else polls.touched(tx, leased.tenant, leased.id, dict.fromkeys(known.revisions, polls.Moved()))
        polls.wake(tx, leased.tenant, due, now)
        polls.failed(tx, leased, problem=problem, again=_again(plane, wait_s))
        if isinstance(error, quotas.Reached):
            stinting.tell(plane, tx, scope, error)
    return len(due)


def _again(plane: context.Plane, seconds: float) -> dt.datetime:
    spread = 1 + random.uniform(-JITTER, JITTER)  # noqa: S311 - spreads load, guards nothing
    return plane.clock.now() + dt.timedelta(seconds=seconds * spread)
