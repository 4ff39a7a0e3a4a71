"""Whether a sink's objects arrive in a real S3-compatible server over TLS, prove themselves there, and cannot be taken away while locked.

python tools/build.py --need versitygw && python benchmarks/s3.py [--events 20000] [--json]

Not part of `make bench` and `make test`: the server (versitygw) takes minutes to build. Exits 1 when something does not hold.
"""

import argparse
import contextlib
import datetime as dt
import gzip
import ipaddress
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from urllib import parse
from xml.etree import ElementTree as ET

import httpx
import msgspec
import sqlalchemy as sa

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from benchmarks import audit_log
from plane import config
from plane.adapters import reach
from plane.adapters.secrets import envelope
from plane.adapters.sinks import s3
from plane.cli.auditing import verifier
from plane.domain.rendering import secrets
from plane.run import certificates
from plane.server import authorise
from plane.server import documents as generic
from plane.server.auditing import send
from plane.server.keeping import sinks
from plane.wire import documents, reading

KEYS = s3.Keys("plane", b"made-up-secret", "us-east-1")
BUCKET = "audit"
START_S = 20.0
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Server(msgspec.Struct, frozen=True):
    """Where it listens, and who signed its certificate."""

    endpoint: str
    ca_pem: str
    client: httpx.Client

    def call(self, method: str, path: str, *, query: str = "", headers: Mapping[str, str] = {}) -> httpx.Response:
        """A signed request."""
        url = f"{self.endpoint}/{parse.quote(path)}" + (f"?{query}" if query else "")
        sent = s3.signed(method, url, headers, b"", keys=KEYS, now=dt.datetime.now(dt.UTC))
        return self.client.request(method, url, headers=sent)


@contextlib.contextmanager
def server(folder: pathlib.Path) -> Iterator[Server]:
    """An S3 server on a folder, with versions, on a free port of the loopback."""
    authority = certificates.Authority("far end", now=dt.datetime.now(dt.UTC))
    authority.server("far", ["localhost", "127.0.0.1"]).write(folder, "far")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("objects", "versions"):
        (folder / name).mkdir()
    command = [
        config.program("versitygw"), "--port", f"127.0.0.1:{port}", "--access", KEYS.identity, "--secret", KEYS.secret.decode(),
        "--cert", str(folder / "far.crt"), "--key", str(folder / "far.key"), "--quiet",
        "posix", "--versioning-dir", str(folder / "versions"), str(folder / "objects"),
    ]  # fmt: skip
    ca_pem = authority.pair.certificate.decode()
    with httpx.Client(verify=reach.trust(ca_pem), trust_env=False, timeout=30) as client:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            made = Server(f"https://localhost:{port}", ca_pem, client)
            _ready(made, process)
            yield made
        finally:
            process.terminate()
            process.wait()


def _ready(made: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if made.call("GET", "").is_success:
                return
        time.sleep(0.1)
    raise SystemExit("the S3 server did not start")


def sent(log: audit_log.Log, to: Server) -> float:
    """All of the log goes to the bucket; returns seconds."""
    way = reach.Reach((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")))
    parts = {"sinks": {"s3": s3.S3Sink(way, log.plane.clock)}, "envelope": envelope.Local(secrets.Secret(b"k" * 32))}
    plane = msgspec.structs.replace(log.plane, **parts)
    place = {"endpoint": to.endpoint, "bucket": BUCKET, "prefix": "plane", "lockDays": 400, "caPem": to.ca_pem}
    wish = {
        "apiVersion": "gitops-plane.io/v1", "kind": "Sink", "metadata": {"name": "s3"}, "spec": {"s3": place, "fromStart": True},
        "data": {"accessKeyId": KEYS.identity, "secretAccessKey": KEYS.secret.decode()},
    }  # fmt: skip
    generic.create(plane, audit_log.ADMIN, sinks.KIND, authorise.Names("acme"), reading.convert(wish, documents.Sink))
    began = time.perf_counter()
    while send.send(plane):
        pass
    took = time.perf_counter() - began
    with log.owner.connect() as tx:
        problem, position = tx.execute(sa.text("SELECT problem, position FROM sinks")).one()
    if problem or position < log.events:
        message = f"the sink stopped at {position}: {problem}"
        raise SystemExit(message)
    return took


def looked_at(to: Server) -> dict[str, int]:
    """What lies in the bucket: verified object by object, and tried to be taken away."""
    listed = ET.fromstring(to.call("GET", BUCKET, query="list-type=2&max-keys=1000").raise_for_status().text)  # noqa: S314 - as above
    names = [str(one.text) for one in listed.iter(f"{NAMESPACE}Key")]
    found = {"objects": len(names), "events": 0, "findings": 0, "taken": 0}
    for name in names:
        got = to.call("GET", f"{BUCKET}/{name}").raise_for_status()
        checked = verifier.Verifier(part=True).take(verifier.parts([gzip.decompress(got.content)]))
        found["events"] += checked.events
        found["findings"] += len(checked.findings)
        version = got.headers.get("x-amz-version-id", "")
        gone = to.call("DELETE", f"{BUCKET}/{name}", query=f"versionId={parse.quote(version, safe='')}")
        found["taken"] += gone.is_success
    return found


def _deletable(to: Server) -> None:
    """An object without a lock can be deleted by whoever asks here, so that a refusal says something."""
    name = f"{BUCKET}/unlocked"
    version = to.call("PUT", name).raise_for_status().headers.get("x-amz-version-id", "")
    to.call("DELETE", name, query=f"versionId={parse.quote(version, safe='')}").raise_for_status()


def run(folder: pathlib.Path, events: int) -> dict[str, float]:
    """A log of its own and a bucket of its own."""
    with audit_log.made(folder, events) as log, server(folder) as far:
        far.call("PUT", BUCKET, headers={"x-amz-bucket-object-lock-enabled": "true"}).raise_for_status()
        _deletable(far)
        took = sent(log, far)
        return {**looked_at(far), "written": events, "events_s": round(events / took)}


def main() -> None:
    """Print a line, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(pathlib.Path(folder), asked.events)
    told = (
        "{written} events as {objects} objects, {events_s} events/s; {events} verified there, {findings} findings; {taken} could be deleted"
    )
    print(json.dumps(found) if asked.json else told.format(**found))
    sys.exit(bool(found["findings"] or found["taken"] or found["events"] < found["written"]))


if __name__ == "__main__":
    main()
