"""Plans that people kept of an app, the newest ones."""

import datetime as dt
import re
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.store.engine import Tx
from plane.store.layout import plan_tables

PLANS = plan_tables.app_plans
MOST = 20  # of one app; an older plan is out of date anyway
_SLIM = [column for column in PLANS.c if column.name != "body"]
_NUMBER = re.compile(r"[0-9]{1,18}")  # what the column takes
Row = sa.Row[*tuple[Any, ...]]


class New(msgspec.Struct, frozen=True):
    """One plan as it is kept. `body`: compressed."""

    name: str
    actor: str
    release: str
    commit: str
    digest: str
    request: dict[str, Any]
    body: bytes


def add(tx: Tx, tenant: str, app: str, new: New, *, now: dt.datetime) -> int:
    """Keep a plan and forget the oldest; its number. Whoever calls holds the app's row."""
    here = (PLANS.c.tenant_id == tenant, PLANS.c.app_id == app)
    last = tx.execute(sa.select(sa.func.coalesce(sa.func.max(PLANS.c.number), 0)).where(*here)).scalar_one()
    number = int(last) + 1
    values = {"tenant_id": tenant, "app_id": app, "number": number, "made_at": now, **msgspec.structs.asdict(new)}
    tx.execute(sa.insert(PLANS).values(values))
    tx.execute(sa.delete(PLANS).where(*here, PLANS.c.number <= number - MOST))
    return number


def entries(tx: Tx, tenant: str, app: str) -> list[Row]:
    """All of an app, newest first, without what they say."""
    where = (PLANS.c.tenant_id == tenant, PLANS.c.app_id == app)
    return list(tx.execute(sa.select(*_SLIM).where(*where).order_by(PLANS.c.number.desc())))


def find(tx: Tx, tenant: str, app: str, plan: str) -> Row | None:
    """A plan by its number, or the newest by its name."""
    named = PLANS.c.number == int(plan) if _NUMBER.fullmatch(plan) else PLANS.c.name == plan
    query = sa.select(PLANS).where(PLANS.c.tenant_id == tenant, PLANS.c.app_id == app, named)
    return tx.execute(query.order_by(PLANS.c.number.desc()).limit(1)).one_or_none()
