"""What a token's owner holds: by hand and by documents, in the places where it counts."""

import datetime as dt
from concurrent import futures
from typing import Any

import pytest
import sqlalchemy as sa

from plane.domain import access, errors
from plane.store import engine
from plane.store.layout import tables
from plane.store.people import bindings, tokens

OURS, THEIRS = "11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"
ADA, TOKEN = "aaaaaaaa-1111-7111-8111-111111111111", "bbbbbbbb-1111-7111-8111-111111111111"
SECRET = b"hash"


def rows(home: str) -> list[tuple[sa.Table, dict[str, Any]]]:
    """Ada of `home`, editor and viewer by documents of two tenants, viewer by hand as well."""
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    token = {"id": TOKEN, "principal_id": ADA, "name": "cli", "prefix": "x", "hash": SECRET, "expires_at": later}
    made: list[tuple[sa.Table, dict[str, Any]]] = [(tables.tenants, {"id": tenant, "name": f"t-{tenant[0]}"}) for tenant in (OURS, THEIRS)]
    made += [
        (tables.principals, {"tenant_id": home, "id": ADA, "name": "ada"}),
        (tables.tokens, {"tenant_id": home, **token}),
        (tables.role_bindings, {"tenant_id": OURS, "id": OURS, "principal_id": ADA, "role": "viewer"}),
        (tables.bindings, {"tenant_id": OURS, "id": OURS, "name": "one", "role": "editor"}),
        (tables.bindings, {"tenant_id": THEIRS, "id": THEIRS, "name": "one", "role": "editor"}),
        (tables.bindings, {"tenant_id": OURS, "id": ADA, "name": "two", "role": "viewer"}),
        (tables.binding_subjects, {"tenant_id": OURS, "binding_id": OURS, "principal_id": ADA}),
        (tables.binding_subjects, {"tenant_id": THEIRS, "binding_id": THEIRS, "principal_id": ADA}),
        (tables.binding_subjects, {"tenant_id": OURS, "binding_id": ADA, "principal_id": ADA}),
    ]
    return made


@pytest.mark.parametrize(
    ("home", "expected"),
    [
        (OURS, {access.Grant("viewer", OURS), access.Grant("editor", OURS)}),
        (tables.NIL, {access.Grant("viewer", OURS), access.Grant("editor", OURS), access.Grant("editor", THEIRS)}),
    ],
    ids=["a tenant's own", "the platform's"],
)
def test_roles_count_in_ones_own_tenant_and_for_the_platforms_people_in_all(
    database: engine.Engine, owner: sa.Engine, home: str, expected: set[access.Grant]
) -> None:
    with owner.begin() as tx:
        for table, row in rows(home):
            tx.execute(sa.insert(table).values(row))
    with engine.dispatch(database) as tx:
        found = tokens.bearer(tx, SECRET)
    assert found
    assert (set(found.grants), len(found.grants)) == (expected, len(expected))


def test_two_admins_cannot_remove_each_other(database: engine.Engine, owner: sa.Engine) -> None:
    """The one who comes second waits for the first, and then sees that nobody else is left."""
    platform = access.Scope(tables.NIL, access.SYSTEM)

    def is_left(without: str) -> bool:
        with engine.begin(database, platform) as tx:
            return bindings.an_admin_is_left(tx, without=without)

    with owner.begin() as tx:
        for identity in (OURS, THEIRS):
            tx.execute(sa.insert(tables.principals).values(tenant_id=tables.NIL, id=identity, name=f"a-{identity[0]}"))
            row = {"tenant_id": tables.NIL, "id": identity, "principal_id": identity, "role": "platform-admin"}
            tx.execute(sa.insert(tables.role_bindings).values(row))
    with futures.ThreadPoolExecutor(1) as pool:
        with engine.begin(database, platform) as tx:
            assert bindings.an_admin_is_left(tx, without=OURS)
            second = pool.submit(is_left, THEIRS)
            tx.execute(sa.delete(tables.principals).where(tables.principals.c.id == OURS))
        assert second.result() is False


def test_a_subject_that_went_meanwhile_is_a_conflict(database: engine.Engine, owner: sa.Engine) -> None:
    with owner.begin() as tx:
        for table, row in rows(OURS):
            tx.execute(sa.insert(table).values(row))
    with pytest.raises(errors.Conflict, match="was deleted meanwhile"), engine.begin(database, access.Scope(OURS, access.SYSTEM)) as tx:
        bindings.give(tx, OURS, OURS, [ADA, TOKEN])
