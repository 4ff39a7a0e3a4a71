"""Webhooks with CloudEvents, and OpenTelemetry logs, over HTTP."""

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from plane import ports
from plane.adapters import reach
from plane.domain import errors
from plane.domain.auditing import audit, audit_formats, sinks
from plane.domain.rendering import secrets

SEVERITY = {"success": (9, "INFO"), "failure": (17, "ERROR"), "denied": (13, "WARN")}  # OpenTelemetry, logs data model


class WebhookSink:
    """Signed batches; the id of a batch is its places, so that one that comes twice is known by it."""

    def __init__(self, way: reach.Reach, clock: ports.Clock) -> None:
        self._way, self._clock = way, clock

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> None:
        """All of it in one request."""
        assert spec.webhook  # noqa: S101 - this sink was chosen by it
        told = [audit_formats.cloudevent(row, origin=batch.origin) for row in batch.rows if row.body]
        body = b"[%b]" % b",".join((*told, msgspec.json.encode(audit_formats.checkpoint_event(batch.end))))
        number = f"{batch.origin}/{_places(batch)}"
        stamp = str(int(self._clock.now().timestamp()))
        headers = {"Content-Type": "application/cloudevents-batch+json", "Webhook-Id": number, "Webhook-Timestamp": stamp}
        headers["Webhook-Signature"] = f"v1,{signature(_key(data), number, stamp, body)}"
        self._way.post(spec.webhook.url, body, headers | _admission(data), ca_pem=spec.webhook.ca_pem)


def _places(batch: sinks.Batch) -> str:
    """From where to where: of the rows that there are, since a batch that was refused comes again in parts, and each is another message."""
    if batch.rows:
        return f"{batch.rows[0].seq}-{batch.rows[-1].seq + 1}"
    return f"{batch.end.size}-{batch.end.size}"


def signature(key: bytes, number: str, stamp: str, body: bytes) -> str:
    """Over id, time and body, so that a body cannot be sent again as another or later (https://www.standardwebhooks.com)."""
    return base64.b64encode(hmac.digest(key, b".".join((number.encode(), stamp.encode(), body)), hashlib.sha256)).decode()


class OtlpSink:
    """One log record per event."""

    def __init__(self, way: reach.Reach) -> None:
        self._way = way

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> None:
        """All of it in one request; Refused when the collector drops records."""
        assert spec.otlp  # noqa: S101 - this sink was chosen by it
        records = [_record(row) for row in batch.rows if row.body]
        if not records:
            return
        resource = {"attributes": _attributes({"service.name": "gitops-plane", "service.instance.id": batch.origin})}
        body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": "gitops-plane.audit"}, "logRecords": records}]}]}
        headers = {"Content-Type": "application/json"} | _admission(data)
        url = f"{spec.otlp.url.rstrip('/')}/v1/logs"
        answer = self._way.post(url, msgspec.json.encode(body), headers, ca_pem=spec.otlp.ca_pem)
        dropped = _dropped(answer.content)
        if dropped:
            raise sinks.Refused(f"the collector dropped {dropped} of {len(records)} records")


def _dropped(answer: bytes) -> int:
    try:
        said = msgspec.json.decode(answer or b"{}", type=dict[str, Any])
        return int(said.get("partialSuccess", {}).get("rejectedLogRecords", 0))
    except (msgspec.DecodeError, AttributeError, ValueError) as e:
        raise errors.BackendDown("sink", "the answer is not a collector's") from e


def _record(row: audit.Placed) -> dict[str, Any]:
    shown = audit_formats.show(row)
    read, actor = shown.read, shown.actor
    number, text = SEVERITY[read.outcome]
    nanos = str(int(dt.datetime.fromisoformat(read.time).timestamp() * 1_000_000) * 1000)
    known = {
        "audit.id": read.id, "audit.seq": str(row.seq), "audit.leaf": row.leaf.hex(), "audit.outcome": read.outcome,
        "user.id": actor.id, "user.name": actor.name, "client.address": actor.ip, "audit.target": read.target,
        "audit.project": read.project, "k8s.cluster.name": read.cluster, "vcs.ref.head.revision": read.commit,
    }  # fmt: skip
    return {
        "timeUnixNano": nanos,
        "observedTimeUnixNano": nanos,
        "severityNumber": number,
        "severityText": text,
        "eventName": read.type,
        "body": {"stringValue": shown.text.decode()},
        "attributes": _attributes({name: value for name, value in known.items() if value}),
    }


def _attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in values.items()]


def _key(data: Mapping[str, secrets.Secret]) -> bytes:
    written = data["hmacKey"].reveal()
    return sinks.key(written.decode()) or written


def _admission(data: Mapping[str, secrets.Secret]) -> dict[str, str]:
    """What the far end knows us by."""
    admitted = {"Authorization": f"Bearer {data['bearer'].reveal().decode()}"} if "bearer" in data else {}
    if "header" in data and (found := sinks.HEADER.fullmatch(data["header"].reveal().decode())):
        admitted[found[1]] = found[2]
    return admitted
