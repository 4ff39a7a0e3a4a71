"""How the health of apps and of their objects changed: written with the report that says so, read newest first."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.domain.health import health
from plane.store import batches
from plane.store.engine import Row, Tx
from plane.store.layout import health_tables
from plane.wire import agent

CHANGES = health_tables.health_changes
MOST = 20  # objects of one report: the worst of them; a cluster that falls ill at once is told by its apps
MESSAGE = 1_000  # letters

Known = Mapping[agent.Key, agent.ObjectState]
_OWN = agent.Key("", "", "", "")  # of the app itself
_REFINE = sa.text("""
    UPDATE health_changes h SET message = g.message FROM unnest(
        CAST(:app AS uuid[]), CAST(:group AS text[]), CAST(:kind AS text[]), CAST(:namespace AS text[]), CAST(:name AS text[]),
        CAST(:message AS text[])
    ) AS g(app, "group", kind, namespace, name, message)
    WHERE h.tenant_id = :tenant AND h.app_id = g.app AND h.number = (
        SELECT max(l.number) FROM health_changes l WHERE l.tenant_id = :tenant AND l.app_id = g.app
        AND l."group" = g."group" AND l.kind = g.kind AND l.namespace = g.namespace AND l.name = g.name
    )
""")
_RANKS: dict[str, int] = {status: rank for rank, status in enumerate(health.ORDER)}


class Turn(msgspec.Struct, frozen=True):
    """A change of an object's health, or of the app's own without a key. `before` empty: new; `after` empty: gone."""

    key: agent.Key | None
    before: str
    after: str
    message: str = ""


def turns(before: Turn, known: Known, told: agent.AppState) -> tuple[Turn, ...]:
    """What a report changes of an app's health and of its objects as they were: the app first, then the worst objects, bounded."""
    own = (Turn(None, before.after, told.health, told.message),) if before.after != told.health else ()
    moved = [turn for turn in _moved(known, told) if turn.before != turn.after]
    return own + tuple(sorted(moved, key=lambda turn: (-_RANKS.get(turn.after, -1), str(turn.key)))[:MOST])


def _moved(known: Known, told: agent.AppState) -> Iterable[Turn]:
    """A new object that is well is no news, and neither is one that was well and is gone."""
    for one in told.objects:
        old = known.get(one.key)
        yield Turn(one.key, old.health if old else "" if one.health != "Healthy" else "Healthy", one.health, one.message)
    gone = known.keys() - {one.key for one in told.objects} if told.full else set(told.gone)
    for key in gone & known.keys():
        if known[key].health != "Healthy":
            yield Turn(key, known[key].health, "")


def refinements(before: Turn, known: Known, told: agent.AppState) -> tuple[Turn, ...]:
    """Messages that say more of the same than before, as when an unhealthy workload's pods were asked why."""
    olds = {one.key: Turn(one.key, "", one.health, one.message) for one in known.values()} | {None: before}
    news = [Turn(None, "", told.health, told.message), *(Turn(one.key, "", one.health, one.message) for one in told.objects)]
    return tuple(new for new in news if new.key in olds and _says_more(new, olds[new.key]))[:MOST]


def _says_more(new: Turn, old: Turn) -> bool:
    return (
        new.after == old.after != "Healthy"
        and bool(old.message)
        and len(new.message) > len(old.message)
        and new.message.startswith(old.message)
    )


def refine(tx: Tx, tenant: str, found: Sequence[tuple[str, Turn]]) -> None:
    """Put fuller messages into the last changes they belong to."""
    if found:
        rows = [{"app": app, "message": turn.message[:MESSAGE], **msgspec.structs.asdict(turn.key or _OWN)} for app, turn in found]
        tx.execute(_REFINE, {"tenant": tenant, **{name: [row[name] for row in rows] for name in rows[0]}})


def add(tx: Tx, tenant: str, found: Iterable[tuple[str, Turn]], now: dt.datetime) -> None:
    """Keep changes, by app; one statement for any number."""
    batches.add(tx, CHANGES, [_row(tenant, app, turn, now) for app, turn in found])


class Asked(msgspec.Struct, frozen=True):
    """`where`: columns of the object; `before`: a number."""

    where: Mapping[str, str]
    since: dt.datetime | None
    before: int
    limit: int


def page(tx: Tx, tenant: str, app: str, asked: Asked) -> Sequence[Row]:
    """Changes, newest first."""
    narrow = [CHANGES.c[name] == text for name, text in asked.where.items()] + ([CHANGES.c.at >= asked.since] if asked.since else [])
    query = sa.select(CHANGES).where(CHANGES.c.tenant_id == tenant, CHANGES.c.app_id == app, CHANGES.c.number < asked.before, *narrow)
    return tx.execute(query.order_by(CHANGES.c.number.desc()).limit(asked.limit)).all()


def since(tx: Tx, tenant: str, app: str, status: str) -> dt.datetime | None:
    """Since when the app has had a health; None when nobody wrote down how it came to it."""
    query = sa.select(CHANGES.c.at, CHANGES.c.after).where(CHANGES.c.tenant_id == tenant, CHANGES.c.app_id == app, CHANGES.c.kind == "")
    last = tx.execute(query.order_by(CHANGES.c.number.desc()).limit(1)).one_or_none()
    return last.at if last and last.after == status else None


def _row(tenant: str, app: str, turn: Turn, now: dt.datetime) -> dict[str, Any]:
    key = turn.key or _OWN
    said = {"before": turn.before, "after": turn.after, "message": turn.message[:MESSAGE]}
    return {"tenant_id": tenant, "app_id": app, "at": now, **msgspec.structs.asdict(key), **said}
