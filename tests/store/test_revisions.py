import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from plane.store import engine, revisions


def test_files_are_named_for_their_revisions() -> None:
    known = ScriptDirectory(str(revisions.scripts()))
    assert {one.revision for one in known.walk_revisions()} == {file.name[:4] for file in (revisions.scripts() / "versions").glob("*.py")}
    assert known.get_current_head() == revisions.head()


def test_a_database_at_this_revision_is_taken(database: engine.Engine) -> None:
    revisions.require(database)


def test_a_database_that_was_never_migrated_says_what_to_do(postgres: str) -> None:
    bare = sa.create_engine(sa.make_url(postgres).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with pytest.raises(
        revisions.SchemaMismatch, match=f"is at revision none, this version needs {revisions.head()}; run `plane db migrate`"
    ):
        revisions.require(bare)
