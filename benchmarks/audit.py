"""A long audit log: how fast it is searched and exported, how fast a sink catches up, and in how much memory.

python benchmarks/audit.py [--events 1000000] [--backlog 200000] [--folder FOLDER] [--json]
"""

import argparse
import contextlib
import datetime as dt
import http.server
import json
import logging
import pathlib
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import httpx
import msgspec
import sqlalchemy as sa
import structlog

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from benchmarks import audit_load, audit_log, lists, meters
from plane.adapters import reach
from plane.adapters.secrets import envelope
from plane.adapters.sinks import files
from plane.adapters.sinks import http as webhooks
from plane.domain.rendering import secrets
from plane.run import certificates
from plane.server import authorise, bootstrap
from plane.server import documents as generic
from plane.server.auditing import send
from plane.server.keeping import sinks
from plane.wire import documents, reading

EXPORTED = 300_000  # events of one export: the newest of the log
REQUESTS = 40  # of each question
FORMS = (("jsonl", "none"), ("jsonl", "gzip"), ("jsonl", "zstd"), ("csv", "none"), ("ocsf", "none"), ("cloudevents", "none"))
DRAW = """import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
with urllib.request.urlopen(request) as answer:
    print(sum(map(len, iter(lambda: answer.read(1 << 20), b""))), answer.headers["Audit-Events"])
"""
# `{n}` is another number each time
QUESTIONS = {
    "newest": "order=newest&since=2000-01-01",
    "a day, a year ago": "since={day}&until={next}",
    "of a day, newest": "order=newest&since={day}&until={next}",
    "app": "order=newest&since=2000-01-01&app=app-{n}",
    "person": "order=newest&since=2000-01-01&actor=00000000-0000-7000-b000-{hex}",
    "commit": "order=newest&since=2000-01-01&commit={sha}",
    "failures": "order=newest&since=2000-01-01&outcome=failure",
    "of a cluster": "order=newest&since=2000-01-01&cluster=cluster-{few}",
    "type": "order=newest&since=2000-01-01&type=app.drift.healed",
    "types of a day": "order=newest&since={day}&until={next}&type=access.*,app.drift.*",
    "types that never came": "order=newest&since=2000-01-01&type=token.*",
    "person and type": "order=newest&since=2000-01-01&actor=00000000-0000-7000-b000-{hex}&type=app.sync.asked",
    "app, a month": "since={day}&app=app-{n}&type=app.sync.*",
}


def words(log: audit_log.Log, number: int) -> dict[str, str]:
    """What a question is about, another each time."""
    with log.owner.connect() as tx:
        query = "SELECT commit, at FROM audit_leaves WHERE tenant_id = :tenant AND seq >= :seq AND commit <> '' ORDER BY seq LIMIT 1"
        commit, at = tx.execute(sa.text(query), {"tenant": audit_log.TENANT, "seq": number * 7919 % (log.events * 9 // 10)}).one()
    day = at.date()
    following = type(day).fromordinal(day.toordinal() + 1)
    return {
        "n": str(number * 37 % 1000), "hex": f"{number * 13 % 200:012x}", "few": str(number % 5), "sha": commit[:10],
        "day": f"{day}T00:00:00Z", "next": f"{following}T00:00:00Z",
    }  # fmt: skip


def searched(log: audit_log.Log, client: httpx.Client) -> dict[str, dict[str, float]]:
    """Milliseconds of a page of 100 over REST: p50 and p95, of each question and of all."""
    taken: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for number in range(REQUESTS):
        about = words(log, number)
        for name, question in QUESTIONS.items():
            began = time.perf_counter()
            client.get(f"/api/v1/tenants/acme/audit?limit=100&{question.format(**about)}").raise_for_status()
            taken[name].append((time.perf_counter() - began) * 1000)
    every = [one for each in taken.values() for one in each]
    return {name: _quantiles(each) for name, each in [*taken.items(), ("all", every)]}


def _quantiles(taken: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(taken, n=20)
    return {"p50_ms": round(cuts[9], 1), "p95_ms": round(cuts[18], 1)}


def exported(log: audit_log.Log, address: str, token: str) -> dict[str, dict[str, float]]:
    """Events a second over HTTP to another process, what one costs this one and the database in CPU, and how much this one grew."""
    found = {}
    days = dt.timedelta(days=audit_load.SPAN_DAYS * min(1.0, EXPORTED / log.events))
    since = (log.plane.clock.now() - days).isoformat(timespec="seconds").replace("+00:00", "Z")
    for form, compression in FORMS:
        url = f"{address}/api/v1/tenants/acme/audit/export?since={since}&format={form}&compression={compression}"
        before, cpu = _peak(reset=True), _cpu(log)
        began = time.perf_counter()
        drawn = subprocess.run([sys.executable, "-c", DRAW, url, token], check=True, capture_output=True, text=True)
        took = time.perf_counter() - began
        size, events = map(int, drawn.stdout.split())
        found[f"{form} {compression}"] = {
            "events_s": round(events / took), "cpu_us_event": round((_cpu(log) - cpu) / events * 1e6, 1),
            "bytes_event": round(size / events), "grown_mb": round(max(0, _peak() - before) / 1e6),
        }  # fmt: skip
    return found


def _cpu(log: audit_log.Log) -> float:
    """Seconds of this process and of the database so far; a connection that ended takes its own with it, and the pool keeps them."""
    return time.process_time() + meters.usage(log.postgres).cpu_s


def _peak(*, reset: bool = False) -> int:
    """The most bytes this process has had resident (proc(5), VmHWM); from now on, after a reset."""
    if reset:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


class _Far(http.server.BaseHTTPRequestHandler):
    """Takes what comes."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read it, say yes."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silence."""


@contextlib.contextmanager
def far_end(folder: pathlib.Path, now: Any) -> Iterator[tuple[int, str]]:  # noqa: ANN401 - a time
    """An HTTPS server on this machine: its port and its authority."""
    authority = certificates.Authority("far end", now=now)
    authority.server("far", ["localhost"]).write(folder, "far")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(folder / "far.crt", folder / "far.key")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Far)
    server.socket = trust.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], authority.pair.certificate.decode()
    server.shutdown()
    thread.join()


def drained(log: audit_log.Log, folder: pathlib.Path, backlog: int) -> dict[str, int]:
    """Events a second of a sink that was away while so many were written."""
    clock, way = log.plane.clock, reach.Reach((ip_network("127.0.0.0/8"),))
    places = {"file": files.FileSink(folder / "audit"), "webhook": webhooks.WebhookSink(way, clock), "otlp": webhooks.OtlpSink(way)}
    plane = msgspec.structs.replace(log.plane, sinks=places, envelope=envelope.Local(secrets.Secret(b"k" * 32)))
    found = {}
    with log.owner.begin() as tx:
        tx.execute(sa.text("DELETE FROM sinks"))  # of an earlier run with this folder
    with far_end(folder, clock.now()) as (port, authority):
        url = {"url": f"https://localhost:{port}", "caPem": authority}
        for name, spec, data in (("file", {}, None), ("webhook", url, {"hmacKey": "k" * 32}), ("otlp", url, None)):
            owner = authorise.Names("acme")
            body = {"apiVersion": "gitops-plane.io/v1", "kind": "Sink", "metadata": {"name": name}, "spec": {name: spec}}
            if name == "file":  # a tenant may have none, so its row is made as the platform's would be
                body["spec"] = {"webhook": {"url": "https://localhost"}}
            wish = reading.convert(body | {"data": data or {"hmacKey": "k" * 32}} if name != "otlp" else body, documents.Sink)
            generic.create(plane, audit_log.ADMIN, sinks.KIND, owner, wish)
            with log.owner.begin() as tx:
                tx.execute(sa.text("UPDATE sinks SET paused = name <> :name"), {"name": name})
                moved = "UPDATE sinks SET position = :at, spec = CASE WHEN name = 'file' THEN '{\"file\"\\:{}}'\\:\\:jsonb ELSE spec END"
                tx.execute(sa.text(f"{moved} WHERE name = :name"), {"at": max(0, log.events - backlog), "name": name})
            began = time.perf_counter()
            while send.send(plane):
                pass
            found[name] = round(min(backlog, log.events) / (time.perf_counter() - began))
    return found


def run(folder: pathlib.Path, events: int, backlog: int) -> dict[str, Any]:
    """All of it on one log."""
    with audit_log.made(folder, events) as log:
        found: dict[str, Any] = {"events": log.events, "loaded_s": log.loaded_s}
        print(f"{events} events loaded in {log.loaded_s} s", file=sys.stderr, flush=True)
        token = bootstrap.admin(log.plane.engine, log.plane.clock)
        server, thread, address = lists.serve(log.plane, log.url)
        try:
            with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                found["search"] = searched(log, client)
            found["export"] = exported(log, address, token)
        finally:
            server.should_exit = True
            thread.join()
        found["drain"] = drained(log, folder, backlog)
    return found


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--backlog", type=int, default=200_000)
    parser.add_argument("--folder", help="keep the log there, and use the one that is there; as many events as then")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # a line for each request is no figure
    with contextlib.ExitStack() as stack:
        folder = asked.folder or stack.enter_context(tempfile.TemporaryDirectory())
        found = run(pathlib.Path(folder), asked.events, asked.backlog)
    if asked.json:
        print(json.dumps(found))
        return
    for name, each in found["search"].items():
        print(f"search {name:24} p50 {each['p50_ms']:8.1f} ms   p95 {each['p95_ms']:8.1f} ms")
    for name, each in found["export"].items():
        cost = f"{each['cpu_us_event']} µs of CPU and {each['bytes_event']} bytes each"
        print(f"export {name:24} {each['events_s']:8} events/s   {cost}   {each['grown_mb']} MB more memory")
    for name, each in found["drain"].items():
        print(f"sink   {name:24} {each:8} events/s")


if __name__ == "__main__":
    main()
