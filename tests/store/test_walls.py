"""Row-level security alone, as if every query had forgotten its tenant: each table is read and written as the application's role."""

# ruff: noqa: S608 - table and column names come from our own metadata

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from plane.domain import access
from plane.store import engine
from plane.store.layout import tables

TENANT_TABLES = [table.name for table in tables.METADATA.sorted_tables if "tenant_id" in table.c]
OURS, THEIRS = "11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"


@pytest.fixture
def two(database: engine.Engine, owner: sa.Engine) -> engine.Engine:
    """A row of each of two tenants in every table, foreign keys aside."""
    with owner.begin() as tx:
        tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for tenant in (OURS, THEIRS):
            for table in tables.METADATA.sorted_tables:
                tx.execute(sa.insert(table).values({column.name: value(column, tenant) for column in table.c if not column.nullable}))
    return database


def value(column: sa.Column[object], tenant: str) -> object:
    if column.name == "tenant_id" or (column.table.name == "tenants" and column.name == "id"):
        return tenant
    kinds = {
        sa.Boolean: False,
        sa.BigInteger: 1,
        sa.Float: 1.0,
        sa.LargeBinary: tenant.encode(),
        sa.DateTime: sa.func.now(),
        sa.ARRAY: [],
        sa.JSON: {},
        sa.Uuid: tenant,
    }
    return next((made for kind, made in kinds.items() if isinstance(column.type, kind)), f"x{tenant}")


def scope(tenant: str) -> access.Scope:
    return access.Scope(tenant, access.SYSTEM)


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_a_query_that_forgot_its_tenant_sees_only_its_own_rows(two: engine.Engine, table: str) -> None:
    with engine.begin(two, scope(OURS)) as tx:
        assert {str(found) for found in tx.execute(sa.text(f"SELECT tenant_id FROM {table}")).scalars()} <= {OURS, access.PLATFORM_TENANT}


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_no_row_of_another_tenant_is_changed_or_removed(two: engine.Engine, table: str, owner: sa.Engine) -> None:
    for statement in (f"UPDATE {table} SET tenant_id = tenant_id", f"DELETE FROM {table}"):
        try:
            with engine.begin(two, scope(OURS)) as tx:
                tx.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))
                tx.execute(sa.text(statement))
        except exc.DBAPIError:
            continue  # append-only tables refuse outright, others their foreign keys
    with owner.begin() as tx:
        assert tx.execute(sa.text(f"SELECT count(*) FROM {table} WHERE tenant_id = '{THEIRS}'")).scalar_one() == 1


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_no_row_is_written_for_another_tenant(two: engine.Engine, table: str) -> None:
    found = tables.METADATA.tables[table]
    row = {column.name: value(column, THEIRS) for column in found.c if not column.nullable} | ({"id": OURS} if "id" in found.c else {})
    with pytest.raises(exc.DBAPIError, match=r"row-level security|permission denied"), engine.begin(two, scope(OURS)) as tx:
        tx.execute(sa.insert(found).values(row))


@pytest.mark.parametrize(("claims", "refusal"), [(tables.NIL, "row-level security"), (OURS, "foreign key")])
def test_a_tenant_grants_itself_no_cluster_of_anybody_elses(database: engine.Engine, owner: sa.Engine, claims: str, refusal: str) -> None:
    """Not by its right to write grants of its own clusters, and not by saying that the platform's is its own."""
    with owner.begin() as tx:
        tx.execute(sa.insert(tables.tenants).values(id=OURS, name="ours", spec={}))
        tx.execute(sa.insert(tables.clusters).values(id=THEIRS, name="shared", spec={}))
    row = {"tenant_id": OURS, "cluster_id": THEIRS, "owner_id": claims, "namespaces": ["*"], "cluster_kinds": ["*"]}
    with pytest.raises(exc.DBAPIError, match=refusal), engine.begin(database, scope(OURS)) as tx:
        tx.execute(sa.insert(tables.cluster_grants).values(row))


@pytest.mark.parametrize("table", [table.name for table in tables.METADATA.sorted_tables])
def test_without_a_tenant_there_is_nothing(two: engine.Engine, table: str) -> None:
    with engine.begin(two, scope(OURS)):
        pass  # a connection that was used before has an empty setting, not none
    with engine.begin(two, scope("")) as tx:
        seen = tx.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
    assert seen == 0


@pytest.mark.parametrize("table", [table.name for table in tables.METADATA.sorted_tables])
def test_the_login_itself_reads_nothing(two: engine.Engine, table: str) -> None:
    with pytest.raises(exc.ProgrammingError, match="permission denied"), two.begin() as tx:
        tx.execute(sa.text(f"SELECT 1 FROM {table}"))


def test_dispatch_sees_no_document_and_no_blob(two: engine.Engine) -> None:
    hidden = {"spec", "body", "wrapped", "fingerprint_key", "objects", "live", "results", "payload", "files", "capabilities"}
    for table in tables.METADATA.sorted_tables:
        for column in hidden & set(table.c.keys()):
            with pytest.raises(exc.ProgrammingError, match="permission denied"), engine.dispatch(two) as tx:
                tx.execute(sa.text(f"SELECT {column} FROM {table.name}"))
