"""A time-stamping authority as a witness: it is given the hash of a signed state alone."""

import base64
from collections.abc import Mapping

from plane.adapters import reach
from plane.adapters.trusting import stamps
from plane.domain import errors
from plane.domain.auditing import details, sinks
from plane.domain.rendering import secrets


class TimestampSink:
    """One request; what does not hold is no stamp."""

    def __init__(self, way: reach.Reach) -> None:
        self._way = way

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> details.Stamped:
        """The stamp of the batch's last state. BackendDown when the answer does not hold."""
        assert spec.timestamp  # noqa: S101 - this sink was chosen by it
        note, headers = batch.end.note(), {"Content-Type": stamps.QUERY, "Accept": stamps.REPLY}
        if "bearer" in data:
            headers["Authorization"] = f"Bearer {data['bearer'].reveal().decode()}"
        asked, nonce = stamps.request(note.encode())
        answer = self._way.post(spec.timestamp.url, asked, headers, ca_pem=spec.timestamp.ca_pem).content
        try:
            at = stamps.verify(answer, note.encode(), spec.timestamp.authority_pem, nonce=nonce)
        except stamps.StampRefused as e:
            raise errors.BackendDown("timestamp", f"the stamp does not hold: {e}") from e
        stamp = base64.b64encode(answer).decode()
        return details.Stamped(size=batch.end.size, note=note, stamp=stamp, stamped_at=at.isoformat().replace("+00:00", "Z"))
