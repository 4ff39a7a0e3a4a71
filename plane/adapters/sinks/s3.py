"""Objects in a bucket, S3's way. Each is a part of an export, begins and ends at a signed state, and proves itself."""

import base64
import datetime as dt
import gzip
import hashlib
import hmac
from collections.abc import Mapping
from urllib import parse

import msgspec

from plane import ports
from plane.adapters import reach
from plane.domain.auditing import audit_formats, sinks
from plane.domain.rendering import secrets

ALGORITHM = "AWS4-HMAC-SHA256"


class S3Sink:
    """One object per batch. Its name holds its places, so that a batch that comes twice overwrites itself with itself."""

    def __init__(self, way: reach.Reach, clock: ports.Clock) -> None:
        self._way, self._clock = way, clock

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> None:
        """PUT with a checksum that the far end verifies."""
        place = spec.s3
        assert place  # noqa: S101 - this sink was chosen by it
        now = self._clock.now()
        body = gzip.compress(b"".join(audit_formats.proof_lines(batch)), mtime=0)
        headers = {"content-type": "application/gzip", "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode()}
        if place.lock_days:
            until = (now + dt.timedelta(days=place.lock_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
            headers |= {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": until}
        url = f"{place.endpoint.rstrip('/')}/{place.bucket}/{parse.quote(name(place.prefix, batch))}"
        keys = Keys(
            data["accessKeyId"].reveal().decode(),
            data["secretAccessKey"].reveal(),
            place.region,
            data["sessionToken"].reveal().decode() if "sessionToken" in data else "",
        )
        self._way.post(url, body, signed("PUT", url, headers, body, keys=keys, now=now), ca_pem=place.ca_pem, method="PUT")


def name(prefix: str, batch: sinks.Batch) -> str:
    """`PREFIX/ORIGIN/2026/11/21/000000000000-000000000411.jsonl.gz`: by the day of the signed state it ends at."""
    day = batch.end.time[:10].replace("-", "/")
    first = batch.start.size if batch.start else 0
    return "/".join(part for part in (prefix.strip("/"), batch.origin, day, f"{first:012d}-{batch.end.size - 1:012d}.jsonl.gz") if part)


class Keys(msgspec.Struct, frozen=True):
    """Who signs, and for which region. No repr of it is ever made."""

    identity: str
    secret: bytes
    region: str
    session: str = ""


def signed(method: str, url: str, headers: Mapping[str, str], body: bytes, *, keys: Keys, now: dt.datetime) -> dict[str, str]:
    """The headers with AWS's Signature Version 4 over them and the body."""
    parts = parse.urlsplit(url)
    stamp, hashed = now.strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(body).hexdigest()
    sent = {name.lower(): value for name, value in headers.items()}
    sent |= {"host": parts.netloc, "x-amz-date": stamp, "x-amz-content-sha256": hashed}
    if keys.session:
        sent["x-amz-security-token"] = keys.session
    names = ";".join(sorted(sent))
    lines = "".join(f"{one}:{' '.join(sent[one].split())}\n" for one in sorted(sent))
    query = "&".join(
        sorted(
            f"{parse.quote(key, safe='')}={parse.quote(value, safe='')}"
            for key, value in parse.parse_qsl(parts.query, keep_blank_values=True)
        )
    )
    request = "\n".join((method, parts.path or "/", query, lines, names, hashed))
    scope = f"{stamp[:8]}/{keys.region}/s3/aws4_request"
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = b"AWS4" + keys.secret
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    signature = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    sent["authorization"] = f"{ALGORITHM} Credential={keys.identity}/{scope},SignedHeaders={names},Signature={signature}"
    return sent
