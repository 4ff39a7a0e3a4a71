"""How fast an audit file is checked: writes one as an export is, and runs the verifier on it as an auditor does.

python benchmarks/verifying.py [--events 500000] [--runs 3] [--verifier plane/cli/auditing/verifier.py ...] [--json]

Several verifiers run in turn, so that what else the machine does meets all of them.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator

import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from plane.domain import objects
from plane.domain.auditing import audit, audit_formats
from plane.server.auditing import exports
from plane.wire import audit as wire

ROOT = pathlib.Path(__file__).parent.parent
OWN = "plane audit verify"  # by several processes, without the start of the command line; a standalone verifier takes one
PARALLEL = "import sys; from plane.cli.auditing import audit_parallel as p,verifier as v;print(v.Verifier().take(p.parts_of(sys.argv[1])))"
BATCH = 1000  # events between two signed states, as the sealer makes them when much happens
TYPES = ("app.sync.started", "app.sync.completed", "app.updated", "app.health.changed", "access.refused")


def event(number: int) -> audit.Event:
    """As most of them are; every second one is a person's."""
    person = number % 2 == 0
    name = {"name": f"person-{number % 97}", "ip": "192.0.2.7", "user_agent": "plane/1.0"} if person else {"name": "system"}
    return audit.Event(
        id=str(uuid.UUID(int=(0x0190 << 112) | (7 << 76) | number)),
        time="2026-01-01T10:00:00.000000Z",
        type=TYPES[number % len(TYPES)],
        actor=audit.By(str(uuid.UUID(int=number % 97)), kind="user" if person else "system", **name),
        tenant=str(uuid.UUID(int=7)),
        project=f"team-{number % 20}",
        target=f"app/app-{number % 500}",
        cluster=f"cluster-{number % 10}",
        commit=f"{number % 1000:040x}",
        correlation=str(uuid.UUID(int=number // 2)),
        request=f"r{number}",
        details={"generation": number, "counts": {"changed": 3, "unchanged": 17}},
    )


def file(count: int, key: ed25519.Ed25519PrivateKey) -> Iterator[bytes]:
    """A whole log as an export, with its manifest."""
    public = audit.b64(key.public_key().public_bytes_raw())
    peaks: tuple[bytes, ...] = ()
    point = audit.Checkpoint("plane/log", 0, "", "")
    for start in range(0, count, BATCH):
        rows, facets = [], []
        for number in range(start, min(count, start + BATCH)):
            salt = number.to_bytes(16, "big")
            told, personal = audit.apart(event(number), salt)
            body = objects.canonical(told)
            rows.append(audit.Placed(number, audit.leaf_of(body), body, salt if personal else b"", personal))
            facets.append(audit.Facets(told.time, told.type, told.actor.id, told.project, told.target, told.cluster))
        peaks = audit.extend(peaks, start, [row.leaf for row in rows])
        point = audit.Checkpoint(
            "plane/log", start + len(rows), audit.fold(peaks).hex(), "2026-01-01T10:00:00.000000Z",
            key=public, counts=msgspec.json.decode(objects.canonical(audit.tally(facets))), peaks=tuple(peak.hex() for peak in peaks),
        )  # fmt: skip
        point = msgspec.structs.replace(point, signature=audit.b64(key.sign(point.text())))
        yield b"".join(map(audit_formats.event_line, rows)) + audit_formats.checkpoint_line(point)
    manifest = wire.Manifest(
        origin="plane/log", first=0, end=count, events=count, root=point.root, filters={}, checkpoint=point.note(), key=public
    )
    unsigned = {name: value for name, value in msgspec.to_builtins(manifest).items() if name != "signature"}
    signed = msgspec.structs.replace(manifest, signature=audit.b64(key.sign(exports.MANIFEST_CONTEXT + objects.canonical(unsigned))))
    yield b'{"manifest":%b}\n' % msgspec.json.encode(signed)


def run(verifier: str, path: str) -> tuple[float, float, str]:
    """Seconds, CPU seconds and what was said."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    program = ["-c", PARALLEL] if verifier == OWN else ["-I", verifier]
    done = subprocess.run([sys.executable, *program, path], capture_output=True, text=True, check=False, cwd=ROOT)
    took, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout + done.stderr


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--verifier", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    verifiers = options.verifier or [OWN]
    results: dict[str, list[tuple[float, float]]] = {one: [] for one in verifiers}
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as made:
        for part in file(options.events, ed25519.Ed25519PrivateKey.generate()):
            made.write(part)
        made.flush()
        for _ in range(options.runs):
            for one in verifiers:
                took, cpu, said = run(one, made.name)
                if "nothing is wrong" not in said:
                    raise SystemExit(said[:2000])
                results[one].append((took, cpu))
    table = {
        one: {
            "events/s": round(options.events / statistics.median(took for took, _ in runs)),
            "CPU µs/event": round(statistics.median(cpu for _, cpu in runs) / options.events * 1e6, 2),
        }
        for one, runs in results.items()
    }
    print(json.dumps(table) if options.json else "\n".join(f"{one}: {row}" for one, row in table.items()))


if __name__ == "__main__":
    main()
