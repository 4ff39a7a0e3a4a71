"""Wrapped credentials, as opening sources and secrets needs them."""

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.store import tables
from plane.store.engine import Tx

CREDENTIALS = tables.credentials


class Wrapped(msgspec.Struct, frozen=True):
    """A credential: `spec` is public, `wrapped` is a JSON object of texts under the master key."""

    project_id: str
    name: str
    spec: dict[str, Any]
    wrapped: bytes


def load(tx: Tx, tenant: str, projects: Collection[str]) -> tuple[Wrapped, ...]:
    """All credentials of some projects, by name."""
    columns = (CREDENTIALS.c.project_id, CREDENTIALS.c.name, CREDENTIALS.c.spec, CREDENTIALS.c.wrapped)
    rows = tx.execute(
        sa.select(*columns).where(CREDENTIALS.c.tenant_id == tenant, CREDENTIALS.c.project_id.in_(projects)).order_by(CREDENTIALS.c.name)
    )
    return tuple(Wrapped(row.project_id, row.name, row.spec, bytes(row.wrapped)) for row in rows)
