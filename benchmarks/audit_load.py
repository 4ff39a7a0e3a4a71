"""Events of a year as the sealer leaves them, by COPY: places, leaves, tree and signed states are made here as `seal_log` makes them.

1,000 apps in 20 projects on 5 clusters: a sync (intent, outcome) in 4 of 10 events, drift and heals in 2, people's changes in 4.
"""

import contextlib
import datetime as dt
import hashlib
import uuid
from collections.abc import Iterator
from concurrent import futures

import msgspec
import psycopg
import sqlalchemy as sa

from plane.domain import objects
from plane.domain.auditing import audit
from plane.server import context
from plane.server.auditing import seal_log
from plane.store.auditing import audit as log
from plane.store.delivering import facts

SPAN_DAYS = 400
BY_AGENT = 6  # of ten types, those that agents cause
WORKERS = 4
CHUNK = 50_000  # rows of one transaction, a multiple of the sealer's batch
TYPES = ("app.sync.started", "app.sync.completed", "app.drift.detected", "app.drift.healed", "app.sync.started", "app.sync.completed",
         "app.updated", "app.sync.asked", "access.role.granted", "app.logs.read")  # fmt: skip
TABLES = {
    "events": "audit_events (tenant_id, id, at, type, project_id, target, correlation, body)",
    "personal": "audit_personal (tenant_id, event_id, actor, salt, body)",
    "leaves": "audit_leaves (tenant_id, seq, event_id, leaf, at, type, project_id, actor, target, cluster, commit, correlation, outcome)",
    "nodes": "audit_nodes (tenant_id, height, index, hash)",
}
Texts = dict[str, list[bytes]]  # rows by table, in COPY's text form: nothing in them needs an escape


class Piece(msgspec.Struct, frozen=True):
    """What lies between two signed states: rows as COPY takes them, leaves, and what the events are."""

    texts: dict[str, bytes]
    hashes: list[bytes]
    counts: dict[str, dict[str, int]]


def load(plane: context.Plane, owner: sa.Engine, tenant: str, events: int) -> None:
    """Fill an empty log; what is searched by is indexed at the end."""
    head = log.Head(0, (), 0, f"01900000-0000-7000-8000-{max(0, events - 1):012x}")
    url = owner.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with _unindexed(owner), contextlib.ExitStack() as stack:
        pool = stack.enter_context(futures.ProcessPoolExecutor(WORKERS))
        threads = stack.enter_context(futures.ThreadPoolExecutor(len(TABLES)))
        ways = {name: stack.enter_context(psycopg.connect(url, autocommit=True)) for name in (*TABLES, "checkpoints")}
        for pieces in _made(pool, tenant, plane.clock.now(), events):
            points, nodes = [], []
            for piece in pieces:
                peaks, full = audit.grow(head.peaks, head.size, piece.hashes)
                nodes += [b"%b\t%d\t%d\t\\\\x%b\n" % (tenant.encode(), *at, one.hex().encode()) for at, one in full.items()]
                head = log.Head(head.size + len(piece.hashes), peaks, 0, head.last_event)
                points.append(_point(plane, tenant, head, piece.counts))
            texts = {name: b"".join(piece.texts[name] for piece in pieces) for name in TABLES if name != "nodes"} | {
                "nodes": b"".join(nodes)
            }
            copies = [threads.submit(_copy, ways[name], name, text) for name, text in texts.items()]
            _signed(ways["checkpoints"], tenant, points)
            for copy in copies:
                copy.result()
        _headed(ways["events"], tenant, head)


def _made(pool: futures.Executor, tenant: str, now: dt.datetime, events: int) -> Iterator[list[Piece]]:
    """The pieces of one transaction each; the next ones are made meanwhile."""
    ahead: list[list[futures.Future[Piece]]] = []
    for first in range(0, events, CHUNK):
        starts = range(first, min(events, first + CHUNK), seal_log.BATCH)
        ahead.append([pool.submit(_piece, tenant, now, start, events) for start in starts])
        if len(ahead) > 1:
            yield [made.result() for made in ahead.pop(0)]
    for last in ahead:
        yield [made.result() for made in last]


def _piece(tenant: str, now: dt.datetime, start: int, events: int) -> Piece:
    texts: Texts = {name: [] for name in TABLES}
    leaves = [_written(texts, tenant, number, _time(now, number, events)) for number in range(start, min(events, start + seal_log.BATCH))]
    joined = {name: b"".join(rows) for name, rows in texts.items()}
    return Piece(joined, [leaf.hash for leaf in leaves], audit.tally(leaf.facets for leaf in leaves))


def _point(plane: context.Plane, tenant: str, head: log.Head, counts: dict[str, dict[str, int]]) -> audit.Checkpoint:
    key, peaks = plane.log_signer.keys()[0], tuple(peak.hex() for peak in head.peaks)
    time = facts.stamp(plane.clock.now())
    point = audit.Checkpoint(
        f"{plane.plane_id}/{tenant}", head.size, audit.fold(head.peaks).hex(), time, key=audit.b64(key), counts=counts, peaks=peaks
    )
    return msgspec.structs.replace(point, signature=audit.b64(plane.log_signer.sign(key, point.text())))


def _time(now: dt.datetime, number: int, events: int) -> bytes:
    at = now - dt.timedelta(days=SPAN_DAYS) * ((events - number) / events)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()


def _written(texts: Texts, tenant: str, number: int, at: bytes) -> log.Leaf:
    """Put an event, who did it and its leaf behind the others."""
    kind, app, by_agent = TYPES[number % 10], number // 10 % 1000, number % 10 < BY_AGENT
    identity, project = f"01900000-0000-7000-8000-{number:012x}", f"00000000-0000-7000-8000-{app % 20:012x}"
    commit = hashlib.sha1(b"%d" % (number // 500), usedforsecurity=False).hexdigest() if by_agent else ""
    correlation, target = f"01900000-0000-7000-9000-{number // 10:012x}", f"app/app-{app}"
    event = audit.Event(
        id=identity, time=at.decode(), type=kind, actor=_actor(number, app, by_agent=by_agent), tenant=tenant,
        stage=("intent", "outcome", "fact", "outcome", "intent", "outcome", "fact", "fact", "fact", "fact")[number % 10],
        outcome="failure" if number % 200 == 1 else "success", project=f"project-{app % 20}", target=target, cluster=f"cluster-{app % 5}",
        commit=commit, release=f"sha256:{commit}{commit[:24]}" if commit else "", correlation=correlation, request=identity,
        message="4 objects of 4 are in place and healthy" if by_agent else "",
        details={"after": {"counts": {"Synced": 4}, "duration_s": 1.25}, "generation": number // 1000, "trigger": "git"},
    )  # fmt: skip
    salt = hashlib.sha256(b"%d" % number).digest()[:16]
    told, personal = audit.apart(event, salt)
    body = objects.canonical(told)
    facets = audit.Facets(event.time, kind, event.actor.id, event.project, target, event.cluster, commit, event.outcome, correlation)
    leaf = log.Leaf(identity, audit.leaf_of(body), facets, project)
    of, one = tenant.encode(), identity.encode()
    texts["events"].append(b"\t".join((of, one, at, kind.encode(), project.encode(), target.encode(), correlation.encode(), body)) + b"\n")
    if personal:
        texts["personal"].append(b"\t".join((of, one, event.actor.id.encode(), b"\\\\x" + salt.hex().encode(), personal)) + b"\n")
    found = (at.decode(), kind, project, facets.actor, target, facets.cluster, commit, correlation, event.outcome)
    texts["leaves"].append("\t".join((tenant, str(number), identity, f"\\\\x{leaf.hash.hex()}", *found)).encode() + b"\n")
    return leaf


def _actor(number: int, app: int, *, by_agent: bool) -> audit.By:
    if by_agent:
        return audit.By(f"00000000-0000-7000-a000-{app % 5:012x}", name=f"cluster-{app % 5}", kind="agent")
    person = number % 200
    return audit.By(
        str(uuid.UUID(int=(0x7000B000 << 48) | person)),
        name=f"person-{person}",
        kind="user",
        ip=f"192.0.2.{person}",
        user_agent="plane/1.0",
    )


def _copy(way: psycopg.Connection, name: str, text: bytes) -> None:
    with way.cursor() as cursor, cursor.copy(f"COPY {TABLES[name]} FROM STDIN") as sink:
        sink.write(text)


def _signed(way: psycopg.Connection, tenant: str, points: list[audit.Checkpoint]) -> None:
    columns = ("size", "origin", "root", "time", "signature", "key", "counts", "peaks")
    with way.cursor() as cursor, cursor.copy(f"COPY audit_checkpoints (tenant_id, {', '.join(columns)}) FROM STDIN") as sink:
        for one in points:
            row = (getattr(one, name) for name in columns[:-2])
            sink.write_row((tenant, *row, objects.canonical(one.counts), bytes.fromhex("".join(one.peaks))))


def _headed(way: psycopg.Connection, tenant: str, head: log.Head) -> None:
    insert = "INSERT INTO audit_heads (tenant_id, size, peaks, last_event, last_xid) SELECT %s, %s, %s, %s, coalesce(max(xid), 0)"
    way.execute(f"{insert} FROM audit_events WHERE tenant_id = %s", (tenant, head.size, b"".join(head.peaks), head.last_event, tenant))


@contextlib.contextmanager
def _unindexed(owner: sa.Engine) -> Iterator[None]:
    """Without what places are searched by: made at once at the end, it takes a third of the time. A log that grows has it always."""
    query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'audit_leaves' AND indexname LIKE 'ix_%'"
    with owner.begin() as tx:
        found = tx.execute(sa.text(query)).all()
        for name, _ in found:
            tx.execute(sa.text(f"DROP INDEX {name}"))
    yield
    with owner.begin() as tx:
        tx.execute(sa.text("SET LOCAL maintenance_work_mem = '512MB'"))
        for _, definition in found:
            tx.execute(sa.text(definition.replace(":", r"\:").replace(r"\:\:", "::")))  # colons are no parameters
