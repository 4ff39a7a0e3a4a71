"""Why an app is where it is: the last decision, the task under way, and the agent that should be doing it."""

import datetime as dt
import itertools

from plane.domain import access, errors
from plane.domain.deciding import decide, explanation
from plane.domain.planning import advice
from plane.domain.timing import schedules, windows
from plane.server import abilities, context
from plane.store import engine
from plane.store.attending import health_history
from plane.store.delivering import facts, policy_sources
from plane.store.showing import explanations, history
from plane.wire import bundle

MOST_WARNINGS = 100


def explain(plane: context.Plane, scope: access.Scope, *, project_id: str, app: str) -> explanation.Explanation:
    """The answer for one app; NotFound when the project has no such app. The caller has checked `app:get`."""
    now = plane.clock.now()
    with engine.begin(plane.engine, scope) as tx:
        found = explanations.load(tx, scope.tenant, project_id, app)
        if found is None:
            raise errors.NotFound("app", app)
        release = history.release(tx, scope.tenant, found.id, found.release) if found.release else None
        fights = [one.fight for one in history.objects(tx, scope.tenant, found.id) if one.fight]
        stale = policy_sources.stale(tx, scope.tenant)
        turned = health_history.since(tx, scope.tenant, found.id, found.health)
    documents = bundle.unpack(release.digest, bytes(release.body)) if release else ()
    status, sentence, since = _said(found, now.timestamp())
    return explanation.Explanation(
        status=status,
        sentence=sentence,
        since=since,
        sync=found.sync,
        health=found.health,
        health_message=found.message,
        health_since=facts.stamp(turned),
        facts={**found.facts, **_openings(found, now)},
        violations=found.verdict.judged if found.verdict else (),
        warnings=(
            *_agents_age(found),
            *filter(None, [found.orphans]),
            *stale,
            *fights[:MOST_WARNINGS],
            *advice.of_app(found.spec),
            *itertools.islice(advice.of_documents(documents), MOST_WARNINGS),
        ),
    )


def _agents_age(found: explanations.Found) -> tuple[str, ...]:
    """What the agent is too old for."""
    if found.calendar == schedules.Calendar() or abilities.knows(found.capabilities, "pauses"):
        return ()
    told = abilities.sentence("pauses", cluster=found.destination.name, version=found.agent_version)
    return (f"{told}. Until then it heals drift while no sync may start",)


def _openings(found: explanations.Found, now: dt.datetime) -> dict[str, str]:
    """Whether a sync may start by itself, why, and when that changes."""
    if found.calendar == schedules.Calendar():
        return {}
    ruling = windows.decide(found.calendar, found.target, now=now)
    turn = windows.next_change(found.calendar, found.target, now=now)
    changes = f"syncs {'stop' if ruling.allowed else 'start again'}"
    told = {"sync windows": f"{'open' if ruling.allowed else 'closed'}: {ruling.reason}"}
    return {**told, changes: facts.stamp(turn)} if turn else told


def _said(found: explanations.Found, now: float) -> tuple[str, str, str]:
    decision = found.decision
    if decision is None:
        return "source-failed", "the app is new; the first look at its repository is on its way", found.created
    if isinstance(decision, decide.Wait):
        return decision.code, decision.sentence, decision.since or found.since
    away = explanation.agent_sentence(found.destination, now=now, seen=found.seen) if found.open_task else ""
    if away:
        return "agent-away", away, found.destination.last_seen
    if found.open_task and found.trouble:
        return "agent-troubled", f"the agent of cluster {found.destination.name} takes no tasks: {found.trouble}", found.task_since
    if found.open_task:
        return "syncing", f"{decision.sentence}; task {found.open_task}", found.task_since
    return decision.__struct_config__.tag, decision.sentence, found.since  # type: ignore[return-value]  # tags are text here
