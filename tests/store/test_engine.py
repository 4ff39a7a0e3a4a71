"""What a connection of the application's may keep others waiting for, and for how long."""

import pytest
import sqlalchemy as sa

from plane.domain import access, errors
from plane.store import engine

OURS = access.Scope("11111111-1111-7111-8111-111111111111", access.SYSTEM)
LOCK = sa.text("SELECT pg_advisory_xact_lock(4711)")


def test_a_transaction_that_stands_still_ends_in_half_a_minute(database: engine.Engine) -> None:
    with engine.begin(database, OURS) as tx:
        assert tx.execute(sa.text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "30s"


def test_what_a_frozen_transaction_held_is_free_and_it_hears_that_it_lost(database: engine.Engine) -> None:
    with pytest.raises(errors.BackendDown, match="the database"), engine.begin(database, OURS) as frozen:  # noqa: PT012 - two sessions
        frozen.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 200"))
        frozen.execute(LOCK)
        with engine.begin(database, OURS) as other:
            other.execute(LOCK)  # waits for it, 5 s at most
        frozen.execute(LOCK)
    with engine.begin(database, OURS) as again:
        again.execute(LOCK)


def test_a_connection_that_the_server_ended_in_the_pool_is_not_used(database: engine.Engine, owner: sa.Engine) -> None:
    with engine.begin(database, OURS) as one, engine.begin(database, OURS) as other:
        ended = [tx.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() for tx in (one, other)]
    with owner.begin() as tx:
        assert all(tx.execute(sa.text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid}).scalar_one() for pid in ended)
    with engine.begin(database, OURS) as one, engine.begin(database, OURS) as other:
        found = [tx.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() for tx in (one, other)]
    assert not set(found) & set(ended)
