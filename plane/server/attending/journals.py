"""Agents' own journals: checked, and taken into the logs as far as those do not know it already."""

from collections.abc import Sequence

import msgspec

from plane.domain import access
from plane.domain.auditing import audit
from plane.server import claim, context, record
from plane.server.attending import chain, telling
from plane.store import engine
from plane.store.attending import reports
from plane.store.auditing import audit as log
from plane.store.auditing import journals
from plane.store.engine import Tx
from plane.wire import journal


def take(plane: context.Plane, who: claim.AgentIdentity, sent: journal.Journal) -> journal.Known:
    """Check and append; without frames only say how far the journal is known. What was taken before is not taken again."""
    sent = msgspec.structs.replace(sent, id=sent.id[:100].replace("\0", ""))
    platform = who.scope(access.PLATFORM_TENANT)
    with engine.begin(plane.engine, platform) as tx:
        known = journals.known(tx, who.id, sent.id)
    if not sent.frames:
        return journal.Known(seq=known.mark.seq, hash=known.mark.hash)
    found = chain.follow(known.mark, sent, chain.Signers(who.id, known.keys))
    about = telling.About(plane, who, known.cluster, sent.id)
    homes = _homes(plane, who, found.entries)
    for tenant in sorted(set(homes.values())):
        _tenant(about, tenant, [one for one in found.entries if homes.get(telling.app_of(one)) == tenant], found.end)
    _platform(about, found, [one for one in found.entries if telling.app_of(one) not in homes])
    return journal.Known(seq=found.end.seq, hash=found.end.hash, refused=found.fault)


def _homes(plane: context.Plane, who: claim.AgentIdentity, entries: Sequence[journal.Entry]) -> dict[str, str]:
    """Tenants by app, of apps on the agent's cluster: what it says of others' is the platform's to know."""
    apps = sorted({app for one in entries if (app := telling.app_of(one)) and telling.is_id(app)})
    if not apps:
        return {}
    with engine.dispatch(plane.engine) as tx:
        return reports.owners(tx, who.cluster_id, apps)


def _tenant(about: telling.About, tenant: str, entries: Sequence[journal.Entry], end: journals.Mark) -> None:
    """What the tenant's log does not know; mostly it knows all, and nothing is written: what is sent again is then known again."""
    news = [one for one in entries if telling.is_news(one)]
    if not news:
        return
    scope = about.who.scope(tenant)
    with engine.begin(about.plane.engine, scope) as tx:
        ends = [one.fact for one in news if isinstance(one.fact, journal.TaskEnded) and telling.is_id(one.fact.task)]
        known = journals.ended(tx, tenant, [(end.task, end.outcome) for end in ends]) if ends else frozenset()
        if all(isinstance(one.fact, journal.TaskEnded) and one.fact.task in known for one in news):
            return
        before = journals.lock(tx, tenant, about.who.id, about.name)
        fresh = [one for one in news if one.seq > before.seq]
        names = reports.names(tx, tenant, sorted({telling.app_of(one) for one in fresh}))
        made: list[tuple[audit.Event, str]] = []
        for one in fresh:
            of = names.get(telling.app_of(one)) or telling.nameless(about, one)  # an app that was removed a moment ago
            event = telling.of_app(about, scope, one, of, known)
            made += [(event, of.project_id)] if event else []
        events = record.in_order([event for event, _ in made])
        log.append(tx, events, project_ids={event.id: project for event, (_, project) in zip(events, made, strict=True) if project})
        journals.advance(tx, tenant, about.who.id, about.name, journals.Mark(max(before.seq, end.seq)))


def _platform(about: telling.About, found: chain.Followed, entries: Sequence[journal.Entry]) -> None:
    """What belongs to no tenant, what is wrong with the journal, and how far it is known now."""
    scope = about.platform
    with engine.begin(about.plane.engine, scope) as tx:
        before = journals.lock(tx, scope.tenant, about.who.id, about.name)
        fresh = [one for one in entries if one.seq > before.seq]
        made = [event for one in fresh if (event := _of_agent(about, tx, one))]
        holes = [hole for hole in found.holes if hole[1] > before.seq]
        made += [telling.hole(about, *hole) for hole in holes]
        if found.fault and found.fault != before.broken:
            made.append(telling.broken(about, found.fault))
        log.append(tx, record.in_order(made))
        after = found.end if found.end.seq > before.seq else before
        journals.advance(tx, scope.tenant, about.who.id, about.name, journals.Mark(after.seq, after.hash, found.fault or before.broken))


def _of_agent(about: telling.About, tx: Tx, one: journal.Entry) -> audit.Event | None:
    if isinstance(one.fact, journal.Begun):
        known = journals.mark(tx, about.platform.tenant, about.who.id, one.fact.before).seq
        return telling.begun(about, one, one.fact, known)
    return telling.of_agent(about, one)
