"""The events that entries of an agent's journal become: `occurred_at` by the agent's clock, `time` by the plane's."""

import re

import msgspec

from plane.domain import access
from plane.domain.auditing import agent_details, audit, details
from plane.domain.timing import moments
from plane.server import claim, context, record
from plane.store.attending import reports
from plane.store.delivering import facts
from plane.wire import agent, journal

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class About(msgspec.Struct, frozen=True):
    """Whose journal it is."""

    plane: context.Plane
    who: claim.AgentIdentity
    cluster: str
    name: str

    @property
    def platform(self) -> access.Scope:
        """Where what belongs to no tenant is told."""
        return self.who.scope(access.PLATFORM_TENANT)

    def place(self, one: journal.Entry) -> details.JournalPlace:
        """As events name it."""
        return details.JournalPlace(journal=self.name, seq=one.seq, up_s=round(one.up_s, 3))


def app_of(one: journal.Entry) -> str:
    """The id of the app that it is about, empty when it is about the agent itself."""
    return str(getattr(one.fact, "app", ""))


def is_id(text: str) -> bool:
    """Whether a text from outside may stand where an id is compared."""
    return bool(_ID.fullmatch(text))


def is_news(one: journal.Entry) -> bool:
    """Whether `of_app` may have something to say of it: what began, and drift that the plane heard of itself, is in the log already."""
    return isinstance(one.fact, journal.Healed | journal.TaskEnded) or (isinstance(one.fact, journal.Drifted) and one.fact.away)


def of_app(about: About, scope: access.Scope, one: journal.Entry, names: reports.Names, ended: frozenset[str]) -> audit.Event | None:
    """Of what happened to an app; None for what the log knows otherwise. `ended`: tasks whose end it knows."""
    match one.fact:
        case journal.Healed() as told:
            return healed(about.plane, scope, told.one, names, Heal(told.release, told.away, about.place(one)))
        case journal.Drifted(away=True) as seen:
            return _drifted(about, scope, one, seen, names)
        case journal.TaskEnded() as end if end.task not in ended:
            return _recovered(about, scope, one, end, names)
    return None


def of_agent(about: About, one: journal.Entry) -> audit.Event | None:
    """Of what happened to the agent itself, and to apps that are not on its cluster any more."""
    who, place = about.who.id, about.place(one)
    match one.fact:
        case journal.Started(version=version, clean=clean):
            message = "" if clean else "it had not been stopped before: killed, or its machine was lost"
            return _event(
                about, "agent.started", one, message, agent_details.AgentStarted(agent=who, version=version, clean=clean, journal=place)
            )
        case journal.Stopped():
            return _event(about, "agent.stopped", one, "", agent_details.AgentStopped(agent=who, journal=place))
        case journal.PlaneLost(since=since, reason=reason):
            return _event(about, "agent.plane.lost", one, reason, agent_details.PlaneLost(agent=who, since=_at(since), journal=place))
        case journal.PlaneFound(away_s=away_s):
            message = f"it was away for {away_s:.0f} seconds"
            return _event(about, "agent.plane.found", one, message, agent_details.PlaneFound(agent=who, away_s=away_s, journal=place))
        case journal.Missed(count=count, reason=reason):
            return broken(about, f"{count} entries could not be kept: {reason}")
        case journal.TaskEnded(work="remove"):
            return None  # the app is gone from the plane, which is how the plane knows
        case _:
            return of_app(about, about.platform, one, nameless(about, one), frozenset()) if app_of(one) else None


def nameless(about: About, one: journal.Entry) -> reports.Names:
    """For an app that the plane does not know any more: its id has to do."""
    return reports.Names("", "", app_of(one), about.cluster, "")


def begun(about: About, one: journal.Entry, told: journal.Begun, known: int) -> audit.Event:
    """A new journal. `known`: how far the plane has the one that it says went before."""
    good = not told.reason and known <= told.last
    made = agent_details.JournalBegun(
        agent=about.who.id, disk=told.disk, before=told.before, last=told.last, known=known, journal=about.place(one)
    )
    message = told.reason or ("on a new disk" if not told.before else "")
    return _event(about, "agent.journal.begun", one, message, made, outcome="success" if good else "failure")


def hole(about: About, first: int, last: int) -> audit.Event:
    """Entries that were never told."""
    return broken(about, f"entries {first} to {last} were never told", first=first, last=last)


def broken(about: About, sentence: str, *, first: int = 0, last: int = 0) -> audit.Event:
    """What is wrong with a journal."""
    made = agent_details.JournalBroken(agent=about.who.id, name=about.name, first=first, last=last)
    return _event(about, "agent.journal.broken", None, sentence, made, outcome="failure")


class Heal(msgspec.Struct, frozen=True):
    """What goes with a repair: the release in force, and where it stands in a journal, if it does."""

    release: str
    away: bool = False
    place: details.JournalPlace | None = None


def healed(plane: context.Plane, scope: access.Scope, heal: agent.Healed, names: reports.Names, more: Heal) -> audit.Event:
    """A repair that nobody ordered."""
    return record.event(
        plane,
        scope,
        "app.drift.healed",
        stage="outcome",
        outcome="failure" if heal.failed else "success",
        project=names.project,
        target=f"app/{names.app}",
        cluster=names.cluster,
        release=more.release,
        message=_repaired(heal),
        occurred_at=_at(heal.at),
        details=details.Heal(
            object=named(heal.key),
            fields=heal.fields,
            manager=heal.manager,
            action=heal.action,
            agent_time=_at(heal.at),
            away=more.away,
            journal=more.place,
        ),
    )


def named(key: agent.Key) -> str:
    """An object as people name it."""
    kind = f"{key.group}/{key.kind}" if key.group else key.kind
    return f"{kind} {key.namespace}/{key.name}" if key.namespace else f"{kind} {key.name}"


def _drifted(about: About, scope: access.Scope, one: journal.Entry, seen: journal.Drifted, names: reports.Names) -> audit.Event:
    who = f" was changed by {seen.manager}" if seen.manager else " differs from Git"
    return record.event(
        about.plane,
        scope,
        "app.drift.seen",
        project=names.project,
        target=f"app/{names.app}",
        cluster=names.cluster,
        release=seen.release,
        message=f"{named(seen.key)}{who} while the plane was away",
        occurred_at=_at(one.at),
        details=details.DriftSeen(object=named(seen.key), fields=seen.fields, manager=seen.manager, journal=about.place(one)),
    )


def _recovered(about: About, scope: access.Scope, one: journal.Entry, end: journal.TaskEnded, names: reports.Names) -> audit.Event:
    failed = [one for one in end.objects if one.result != "Pruned"]
    return record.event(
        about.plane,
        scope,
        "app.task.recovered",
        stage="outcome",
        outcome="success" if end.outcome == "succeeded" else "failure",
        project=names.project,
        target=f"app/{names.app}",
        cluster=names.cluster,
        release=end.release,
        correlation=end.task if is_id(end.task) else "",
        message=end.message,
        occurred_at=_at(one.at),
        details=agent_details.TaskRecovered(
            work=end.work,
            generation=end.generation,
            result=end.outcome,
            counts=end.counts,
            failed=tuple(details.FailedObject(object=named(each.key), message=each.message) for each in failed),
            pruned=tuple(named(each.key) for each in end.objects if each.result == "Pruned"),
            journal=about.place(one),
        ),
    )


def _event(
    about: About,
    kind: str,
    one: journal.Entry | None,
    message: str,
    made: details.Details,
    *,
    outcome: audit.Outcome = "success",
) -> audit.Event:
    when = _at(one.at) if one else ""
    where = record.Facts(target=f"cluster/{about.cluster}", cluster=about.cluster, occurred_at=when, message=message, outcome=outcome)
    return record.event(about.plane, about.platform, kind, details=made, **where)


def _repaired(heal: agent.Healed) -> str:
    """What became of it, as a sentence."""
    who = f" changed by {heal.manager}" if heal.manager else ""
    what = {"update": "put back", "create": "created again", "delete": "deleted"}[heal.action]
    subject = f"{named(heal.key)}{who}"
    if heal.extra:
        subject, what = f"what {heal.manager} added to {named(heal.key)}", "removed"
    return f"{subject} could not be {what}: {heal.failed}" if heal.failed else f"{subject} was {what}"


def _at(seconds: float) -> str:
    return facts.stamp(moments.of_clock(seconds))
