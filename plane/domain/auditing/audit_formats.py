"""One event in the forms that others read: CSV, OCSF, CloudEvents. Each keeps the event's id and place, so that nothing is taken twice."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import msgspec

from plane.domain import objects
from plane.domain.auditing import audit, sinks

COLUMNS = (
    "seq", "time", "type", "stage", "outcome", "actor", "actor_id", "actor_kind", "ip", "tenant", "project", "target", "cluster",
    "commit", "release", "correlation", "request", "message", "details", "id", "leaf",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet calculate a cell (OWASP, CSV injection)
OCSF_VERSION = "1.3.0"
_VERBS = {"created": 1, "issued": 1, "granted": 1, "read": 2, "exported": 2, "updated": 3, "rotated": 3, "deleted": 4, "removed": 4}
_USERS = {"user": 1, "service": 3, "system": 3, "agent": 3}
_OTHER = 99


def decode(row: audit.Placed) -> audit.Sealed:
    """The row as an event."""
    return audit.Sealed(row.seq, row.leaf.hex(), audit.together(row.body, row.personal))


def event_line(row: audit.Placed) -> bytes:
    """The event's bytes as they are kept: its leaf is over them, so nothing reads and writes them again."""
    personal = b',"personal":{"salt":"%b","of":%b}' % (row.salt.hex().encode(), row.personal) if row.personal else b""
    return b'{"event":{"seq":%d,"leaf":"%b"%b,"event":%b}}\n' % (row.seq, row.leaf.hex().encode(), personal, row.body or b"null")


def checkpoint_line(point: audit.Checkpoint) -> bytes:
    """A signed state among the events."""
    return b'{"checkpoint":%b}\n' % msgspec.json.encode(point)


def proof_lines(batch: sinks.Batch) -> Iterator[bytes]:
    """A batch as a part of an export, without a manifest."""
    if batch.start:
        yield checkpoint_line(batch.start)
    yield from map(event_line, batch.rows)
    yield checkpoint_line(batch.end)


def checkpoint_event(point: audit.Checkpoint) -> dict[str, Any]:
    """A signed state as a CloudEvent: whoever keeps it can tell later whether the log was rewritten."""
    return {
        "specversion": "1.0",
        "id": f"{point.origin}/{point.size}",
        "source": f"/{point.origin}",
        "type": "io.gitops-plane.audit.checkpoint",
        "time": point.time,
        "datacontenttype": "text/plain",
        "data": point.note(),
    }


def csv_head() -> bytes:
    """The first line."""
    return _line(COLUMNS)


def csv_line(one: audit.Sealed) -> bytes:
    """RFC 4180; a cell that a spreadsheet would calculate begins with an apostrophe."""
    event = one.event
    cells: dict[str, object] = {
        **{name: getattr(event, name) for name in COLUMNS if name in audit.Event.__struct_fields__},
        "seq": one.seq,
        "leaf": one.leaf,
        "actor": event.actor.name,
        "actor_id": event.actor.id,
        "actor_kind": event.actor.kind,
        "ip": event.actor.ip,
        "details": objects.canonical(event.details).decode() if event.details else "",
    }
    return _line(tuple(_safe(str(cells[name])) for name in COLUMNS))


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _line(cells: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def cloudevent(one: audit.Sealed, *, origin: str) -> dict[str, Any]:
    """CloudEvents 1.0, structured JSON."""
    event = one.event
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/{origin}",
        "type": f"io.gitops-plane.{event.type}",
        "time": event.time,
        "subject": event.target or event.type,
        "datacontenttype": "application/json",
        "sequence": str(one.seq),
        "data": msgspec.to_builtins(one),
    }


def ocsf(one: audit.Sealed) -> dict[str, Any]:
    """An event of the Open Cybersecurity Schema Framework; what its classes have no place for is `unmapped`."""
    event = one.event
    number, name = _class(event.type)
    activity = _VERBS.get(event.type.rpartition(".")[2], _OTHER)
    good = event.outcome == "success"
    known = {
        "activity_id": activity,
        "category_uid": number // 1000,
        "class_uid": number,
        "class_name": name,
        "type_uid": number * 100 + activity,
        "time": int(dt.datetime.fromisoformat(event.time).timestamp() * 1000),
        "severity_id": 1 if good else 3,
        "status_id": 1 if good else 2,
        "status": "Success" if good else "Failure",
        "message": event.message or event.type,
        "metadata": {
            "version": OCSF_VERSION,
            "uid": event.id,
            "sequence": one.seq,
            "tenant_uid": event.tenant,
            "correlation_uid": event.correlation,
            "event_code": event.type,
            "product": {"name": "gitops-plane", "vendor_name": "gitops-plane"},
        },
        "actor": {"user": {"uid": event.actor.id, "name": event.actor.name, "type_id": _USERS.get(event.actor.kind, _OTHER)}},
        "src_endpoint": {"ip": event.actor.ip or "0.0.0.0"},  # noqa: S104 - OCSF demands an address, and this one says that none is known
        "http_request": {"user_agent": event.actor.user_agent},
        "api": {"operation": event.type, "request": {"uid": event.request}},
        "resources": [{"type": event.target.partition("/")[0], "name": event.target.partition("/")[2]}] if event.target else [],
    }
    rest = {"stage", "project", "cluster", "commit", "release", "decision", "details"}
    unmapped = {field: value for field in sorted(rest) if (value := getattr(event, field))} | {"leaf": one.leaf}
    return known | {"unmapped": unmapped}


def _class(kind: str) -> tuple[int, str]:
    if kind.startswith(("access.role", "rolebinding")):
        return 3005, "User Access Management"
    if kind.startswith(("access.person", "access.token", "token.", "user.")):
        return 3001, "Account Change"
    if kind.rpartition(".")[2] in {"created", "updated", "deleted"}:
        return 3004, "Entity Management"
    return 6003, "API Activity"
