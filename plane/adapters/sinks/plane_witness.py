"""Another plane as a witness: it is given what it lacks, with the proof that the log continues what it has."""

from collections.abc import Mapping
from typing import Any
from urllib import parse

import msgspec

from plane.adapters import reach
from plane.domain import errors
from plane.domain.auditing import audit, sinks
from plane.domain.rendering import secrets


class PlaneSink:
    """Two requests: what it holds, and what comes behind it."""

    def __init__(self, way: reach.Reach) -> None:
        self._way = way

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> None:
        """The batch's last state. BackendDown also when the witness holds a later one, or another."""
        assert spec.plane  # noqa: S101 - this sink was chosen by it
        assert batch.prove  # noqa: S101 - a witness's batch has it
        headers = {"Authorization": f"Bearer {data['bearer'].reveal().decode()}", "Content-Type": "application/json"}
        above = f"/tenants/{parse.quote(spec.plane.tenant, safe='')}" if spec.plane.tenant else ""
        url = f"{spec.plane.url.rstrip('/')}/api/v1{above}/audit/witness"
        size = _size(self._way.post(url, b"", headers, ca_pem=spec.plane.ca_pem, method="GET").content, batch.origin)
        if size > batch.end.size:
            raise errors.BackendDown("witness", f"it holds a state of {size} events, the log has {batch.end.size}: it was cut or put back")
        key = audit.verifier_key(batch.origin, audit.unb64(batch.end.key))
        proof = [one.hex() for one in batch.prove(size)] if 0 < size < batch.end.size else []
        body = {"key": key, "note": batch.end.note(), "old": size, "proof": proof}
        self._way.post(url, msgspec.json.encode(body), headers, ca_pem=spec.plane.ca_pem)


def _size(answer: bytes, origin: str) -> int:
    try:
        items = msgspec.json.decode(answer, type=dict[str, Any])["items"]
        return next((int(item["size"]) for item in items if item["origin"] == origin), 0)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as e:
        raise errors.BackendDown("witness", "the answer is not a plane's") from e
