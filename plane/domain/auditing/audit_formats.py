"""One event in the forms that others read: CSV, OCSF, CloudEvents. Each keeps the event's id and place, so that nothing is taken twice."""

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from plane.domain import objects
from plane.domain.auditing import audit, sinks

COLUMNS = (
    "seq", "time", "type", "stage", "outcome", "actor", "actor_id", "actor_kind", "ip", "tenant", "project", "target", "cluster",
    "commit", "release", "correlation", "request", "message", "details", "id", "leaf",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what makes a spreadsheet calculate a cell (OWASP, CSV injection)
QUOTE = '"'
QUOTED = (QUOTE, "\r", "\n")  # and a comma
DETAILS = COLUMNS.index("details")  # the one cell that always needs quotes
OCSF_VERSION = "1.3.0"
_VERBS = {"created": 1, "issued": 1, "granted": 1, "read": 2, "exported": 2, "updated": 3, "rotated": 3, "deleted": 4, "removed": 4}
_USERS = {"user": 1, "service": 3, "system": 3, "agent": 3}
_OTHER = 99
_PRODUCT = {"name": "gitops-plane", "vendor_name": "gitops-plane"}


class Read(msgspec.Struct, frozen=True):
    """What is read of an event's text; the rest stays bytes."""

    id: str
    time: str
    type: str
    actor: msgspec.Raw
    tenant: str = ""
    stage: str = "fact"
    outcome: str = "success"
    project: str = ""
    target: str = ""
    cluster: str = ""
    commit: str = ""
    release: str = ""
    decision: str = ""
    correlation: str = ""
    request: str = ""
    message: str = ""
    details: msgspec.Raw = msgspec.Raw(b"")


class _Cloud(msgspec.Struct, frozen=True):
    id: str
    source: str
    type: str
    time: str
    subject: str
    sequence: str
    data: msgspec.Raw
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


_READ, _BY, _TOLD = msgspec.json.Decoder(Read), msgspec.json.Decoder(audit.By), msgspec.json.Decoder(dict[str, Any])
_WHO = frozenset(audit.PERSONAL)
_JSON = msgspec.json.Encoder()


class Shown(msgspec.Struct, frozen=True):
    """An event for others: what is read of it, who did it, and its text, with what is personal in all three."""

    read: Read
    actor: audit.By
    text: bytes


def show(row: audit.Placed) -> Shown:
    """The row, with what is personal in it as far as it is still there."""
    read, by, text = _whole(row)
    return Shown(read, by, text.replace(bytes(read.actor), _JSON.encode(by), 1) if row.personal else text)


def _whole(row: audit.Placed) -> tuple[Read, audit.By, bytes]:
    """What is read, who did it, and the text; that is read and written again only where more is personal than who did it."""
    told = _TOLD.decode(row.personal) if row.personal else {}
    if told.keys() <= _WHO:
        read = _READ.decode(row.body)
        return read, msgspec.structs.replace(_BY.decode(read.actor), **told), row.body
    text = objects.canonical(audit.together(row.body, row.personal))
    read = _READ.decode(text)
    return read, _BY.decode(read.actor), text


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
    return f"{_joined(COLUMNS)}\r\n".encode()


def csv_lines(rows: Iterable[audit.Placed]) -> bytes:
    """RFC 4180; a cell that a spreadsheet would calculate begins with an apostrophe."""
    return "".join([_record(_cells(row)) for row in rows]).encode()


def _record(cells: Sequence[str]) -> str:
    return f"{_joined(cells[:DETAILS])},{_quoted(cells[DETAILS])},{_joined(cells[DETAILS + 1 :])}\r\n"


def _joined(cells: Sequence[str]) -> str:
    """Looked at together, since few need quotes; letter by letter, as the library's writer does it, takes four times as long."""
    text = ",".join(cells)
    return ",".join(map(_quoted, cells)) if text.count(",") >= len(cells) or any(one in text for one in QUOTED) else text


def _quoted(cell: str) -> str:
    return f'"{cell.replace(QUOTE, QUOTE * 2)}"' if "," in cell or any(one in cell for one in QUOTED) else cell


def _cells(row: audit.Placed) -> list[str]:
    """In the order of COLUMNS."""
    read, by, _ = _whole(row)
    details = bytes(read.details).decode()
    said = (
        by.name,
        by.ip,
        read.project,
        read.target,
        read.cluster,
        read.commit,
        read.release,
        read.correlation,
        read.request,
        read.message,
    )
    name, ip, *about = [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in said]
    head = (str(row.seq), read.time, read.type, read.stage, read.outcome, name, by.id, by.kind, ip, read.tenant)
    return [*head, *about, details, read.id, row.leaf.hex()]


def cloudevent(row: audit.Placed, *, origin: str) -> bytes:
    """CloudEvents 1.0, structured JSON."""
    shown = show(row)
    read, sealed = shown.read, b'{"seq":%d,"leaf":"%b","event":%b}' % (row.seq, row.leaf.hex().encode(), shown.text)
    kind, subject = f"io.gitops-plane.{read.type}", read.target or read.type
    return _JSON.encode(_Cloud(read.id, f"/{origin}", kind, read.time, subject, str(row.seq), msgspec.Raw(sealed)))


def ocsf(row: audit.Placed) -> bytes:
    """An event of the Open Cybersecurity Schema Framework; what its classes have no place for is `unmapped`."""
    read, actor, _ = _whole(row)
    good, subject = read.outcome == "success", read.target.partition("/")
    known = {
        **_classified(read.type),
        "time": int(dt.datetime.fromisoformat(read.time).timestamp() * 1000),
        "severity_id": 1 if good else 3,
        "status_id": 1 if good else 2,
        "status": "Success" if good else "Failure",
        "message": read.message or read.type,
        "metadata": {
            "version": OCSF_VERSION,
            "uid": read.id,
            "sequence": row.seq,
            "tenant_uid": read.tenant,
            "correlation_uid": read.correlation,
            "event_code": read.type,
            "product": _PRODUCT,
        },
        "actor": {"user": {"uid": actor.id, "name": actor.name, "type_id": _USERS.get(actor.kind, _OTHER)}},
        "src_endpoint": {"ip": actor.ip or "0.0.0.0"},  # noqa: S104 - OCSF demands an address, and this one says that none is known
        "http_request": {"user_agent": actor.user_agent},
        "api": {"operation": read.type, "request": {"uid": read.request}},
        "resources": [{"type": subject[0], "name": subject[2]}] if read.target else [],
        "unmapped": _unmapped(read, row.leaf.hex()),
    }
    return _JSON.encode(known)


def _unmapped(read: Read, leaf: str) -> dict[str, Any]:
    names = ("cluster", "commit", "decision", "project", "release", "stage")
    found: dict[str, Any] = {name: value for name in names if (value := getattr(read, name))}
    return found | ({"details": read.details} if bytes(read.details) else {}) | {"leaf": leaf}


@functools.cache  # as many as there are types
def _classified(kind: str) -> dict[str, object]:
    number, name = _class(kind)
    activity = _VERBS.get(kind.rpartition(".")[2], _OTHER)
    uids = {"category_uid": number // 1000, "class_uid": number, "class_name": name, "type_uid": number * 100 + activity}
    return {"activity_id": activity, **uids}


def _class(kind: str) -> tuple[int, str]:
    if kind.startswith(("access.role", "rolebinding")):
        return 3005, "User Access Management"
    if kind.startswith(("access.person", "access.token", "token.", "user.")):
        return 3001, "Account Change"
    if kind.rpartition(".")[2] in {"created", "updated", "deleted"}:
        return 3004, "Entity Management"
    return 6003, "API Activity"
