"""Wrapped credentials, as opening sources and secrets needs them."""

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.store.engine import Tx
from plane.store.layout import audit_tables, tables

CREDENTIALS, PROJECTS, TOKENS, LOGS = tables.credentials, tables.projects, tables.tokens, audit_tables.fingerprint_keys
OF_TENANTS = {"sink": tables.SINKS, "identityprovider": tables.PROVIDERS}  # documents above projects; their names are `sink/NAME`
RENEWAL = "renewal/"  # and a token's id: what its provider is asked again with
OWN = ""  # where a credential has its name: the own fingerprint key of the project, or of the log


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


def everything(tx: Tx, tenant: str) -> Iterator[tuple[str, str, bytes]]:
    """Project id (none: above projects), name (OWN for a fingerprint key) and wrapped value of all under the master key; locked."""
    credentials = sa.select(CREDENTIALS.c.project_id, CREDENTIALS.c.name, CREDENTIALS.c.wrapped).where(CREDENTIALS.c.tenant_id == tenant)
    projects = sa.select(PROJECTS.c.id, sa.literal(OWN), PROJECTS.c.fingerprint_key).where(PROJECTS.c.tenant_id == tenant)
    above = (
        sa.select(sa.literal(""), sa.literal(f"{noun}/") + table.c.name, table.c.wrapped).where(
            table.c.tenant_id == tenant, table.c.wrapped.is_not(None)
        )
        for noun, table in OF_TENANTS.items()
    )
    logs = sa.select(sa.literal(""), sa.literal(OWN), LOGS.c.wrapped).where(LOGS.c.tenant_id == tenant)
    renewals = sa.select(sa.literal(""), sa.literal(RENEWAL) + sa.cast(TOKENS.c.id, sa.Text), TOKENS.c.renewal)
    mine = renewals.where(TOKENS.c.tenant_id == tenant, TOKENS.c.renewal.is_not(None))
    for query in (projects, credentials, *above, logs, mine):
        for row in tx.execute(query.with_for_update()):
            yield str(row[0]), str(row[1]), bytes(row[2])


def replace(tx: Tx, tenant: str, project_id: str, name: str, wrapped: bytes) -> None:
    """Put the same value, wrapped anew, where `everything` found it; its document does not change."""
    if not project_id and name == OWN:
        tx.execute(sa.update(LOGS).where(LOGS.c.tenant_id == tenant).values(wrapped=wrapped))
    elif name.startswith(RENEWAL):
        mine = sa.update(TOKENS).where(TOKENS.c.tenant_id == tenant, TOKENS.c.id == name.removeprefix(RENEWAL))
        tx.execute(mine.values(renewal=wrapped))
    elif not project_id:
        noun, _, called = name.partition("/")
        table = OF_TENANTS[noun]
        tx.execute(sa.update(table).where(table.c.tenant_id == tenant, table.c.name == called).values(wrapped=wrapped))
    elif name == OWN:
        mine = sa.update(PROJECTS).where(PROJECTS.c.tenant_id == tenant, PROJECTS.c.id == project_id)
        tx.execute(mine.values(fingerprint_key=wrapped))
    else:
        named = (CREDENTIALS.c.project_id == project_id, CREDENTIALS.c.name == name)
        tx.execute(sa.update(CREDENTIALS).where(CREDENTIALS.c.tenant_id == tenant, *named).values(wrapped=wrapped))
