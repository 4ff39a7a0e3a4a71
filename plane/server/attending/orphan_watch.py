"""Orphans of projects that want to be warned: looked for now and then without anybody's asking, and remembered by their number."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import msgspec

from plane.domain import access, errors
from plane.domain import orphans as domain
from plane.server import authorise, context
from plane.server.asking import orphans as use
from plane.server.asking import questions
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store import engine
from plane.store.attending import reports
from plane.store.delivering import facts, tasks
from plane.store.delivering import resource_rules as rules
from plane.store.people import tenants
from plane.store.showing import orphans
from plane.wire import agent
from plane.wire import orphans as wire

EVERY = dt.timedelta(hours=1)  # a look costs its cluster one list of metadata per kind and namespace
MOST = 100  # projects of one tenant at a time; the others come at the next look
QUESTION = "orphans"


def look(plane: context.Plane) -> int:
    """Ask the agents about every project that is due; returns how many questions were put. Answers come as reports."""
    with engine.dispatch(plane.engine) as tx:
        everyone = tenants.ids(tx)
    return sum(_tenant(plane, access.Scope(tenant, access.SYSTEM)) for tenant in everyone)


def keep(tx: engine.Tx, scope: access.Scope, ended: Sequence[tuple[tasks.Closed, agent.Final]], *, now: dt.datetime) -> None:
    """Take in what agents found, whoever asked."""
    if not ended:
        return
    names = reports.names(tx, scope.tenant, sorted({task.app_id for task, _ in ended}))
    excluded = rules.load(tx)
    for task, final in ended:
        of, found = names.get(task.app_id), _read(final.live)
        if of and found:
            watch = orphans.watch(tx, scope.tenant, task.project_id) or domain.Watch()
            counts = Counter(one.key.namespace for one in use.counted(found.items, watch, excluded, cluster=of.cluster))
            orphans.keep(tx, scope.tenant, task.project_id, of.cluster, dict(counts), at=facts.stamp(now))


def _tenant(plane: context.Plane, scope: access.Scope) -> int:
    now, put = plane.clock.now(), 0
    with engine.begin(plane.engine, scope) as tx:
        for project in orphans.due(tx, scope.tenant, before=facts.stamp(now - EVERY), now=facts.stamp(now), limit=MOST):
            there = orphans.places(tx, scope.tenant, project.id)
            orphans.forget(tx, scope.tenant, project.id, but=[one.cluster for one in there])
            for one in there:
                names = authorise.Names(project.tenant, project.name, one.app)
                place = authorise.Place(tx, scope, names, project.id)
                put += _ask(plane, place, one)
    return put


def _ask(plane: context.Plane, place: authorise.Place, one: orphans.Place) -> int:
    row = rows.find(place.tx, apps.KIND.shelf, place.where(), one.app)
    try:
        if row:
            questions.put(plane, place, row, questions.Question(QUESTION, terms=wire.Where(namespaces=one.namespaces)))
    except errors.BackendDown:
        return 0  # an agent that is away is told of everywhere else
    return int(row is not None)


def _read(live: bytes) -> wire.Found | None:
    try:
        return msgspec.json.decode(live, type=wire.Found)
    except msgspec.MsgspecError:
        return None
