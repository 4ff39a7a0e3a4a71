"""Where the audit log is sent, event by event, for as long as the document is there."""

import base64
import re
from collections.abc import Callable
from typing import Annotated

import msgspec

from plane.domain import errors
from plane.domain.auditing import audit, audit_types

HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"[A-Za-z0-9_./=-]{0,200}")
Text = Annotated[str, msgspec.Meta(max_length=400)]
Pem = Annotated[str, msgspec.Meta(max_length=100_000)]
Every = Annotated[int, msgspec.Meta(ge=5, le=86_400)]
Day = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
SECRETS: dict[str, tuple[frozenset[str], frozenset[str]]] = {  # by place: what its data must hold, and what it may
    "webhook": (frozenset({"hmacKey"}), frozenset({"bearer", "header"})),
    "otlp": (frozenset(), frozenset({"bearer", "header"})),
    "syslog": (frozenset(), frozenset({"clientCertificate", "clientKey"})),
    "s3": (frozenset({"accessKeyId", "secretAccessKey"}), frozenset({"sessionToken"})),
    "file": (frozenset(), frozenset()),
    "plane": (frozenset({"bearer"}), frozenset()),
    "git": (frozenset(), frozenset({"username", "password", "sshKey", "knownHosts"})),
    "timestamp": (frozenset(), frozenset({"bearer"})),
}
HEADER = re.compile(r"([A-Za-z0-9-]{1,64}): *([!-~]([ -~]*[!-~])?)")
OURS = ("content-", "webhook-", "host", "connection", "transfer-encoding")  # beginnings of headers that every request has of its own
MIN_KEY = 16  # bytes of an HMAC key: below that it is guessed


class Spec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """How all of them are written."""


class Webhook(Spec, frozen=True):
    """CloudEvents in batches, signed: `Webhook-Signature` is HMAC-SHA256 over id, time and body (standardwebhooks.com)."""

    url: Text
    ca_pem: Pem = ""


class Otlp(Spec, frozen=True):
    """OpenTelemetry logs as JSON over HTTP; `url` without /v1/logs."""

    url: Text
    ca_pem: Pem = ""


class Syslog(Spec, frozen=True):
    """RFC 5424 over TLS (RFC 5425). One connection per batch: its orderly end is the only receipt that syslog knows."""

    host: Text
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 6514
    ca_pem: Pem = ""


class S3(Spec, frozen=True):
    """Objects that prove themselves, named by day and places. `lockDays`: kept unchangeable so long, where the bucket offers it."""

    endpoint: Text
    bucket: Text
    region: Text = "us-east-1"
    prefix: Text = ""
    lock_days: Day = 0
    ca_pem: Pem = ""


class File(Spec, frozen=True):
    """A file beside the plane's state, for the platform alone; a full one is put aside, and the oldest of more than `keep` goes."""

    rotate_bytes: Annotated[int, msgspec.Meta(ge=4096)] = 100_000_000
    keep: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 30


class Git(Spec, frozen=True):
    """A repository that gets signed states alone, no event: a witness. `everySeconds`: no more often than that."""

    url: Text
    branch: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")] = "audit"
    every_seconds: Every = 300
    ca_pem: Pem = ""


class Plane(Spec, frozen=True):
    """Another plane as a witness: it gets signed states alone, looks that each continues the last, and signs it. `tenant`: of its own."""

    url: Text
    tenant: Text = ""
    every_seconds: Every = 60
    ca_pem: Pem = ""


class Timestamp(Spec, frozen=True):
    """A time-stamping authority (RFC 3161) as a witness: it says when a signed state was there. `authorityPem`: who vouches for it."""

    url: Text
    authority_pem: Pem
    every_seconds: Every = 3600
    ca_pem: Pem = ""


class SinkSpec(Spec, frozen=True):
    """One place, and what is sent there: `types` as in searches, empty for all; files and objects always get all.

    mandatory: when it is behind by more than `blockEvents` events or `blockSeconds` seconds, changes are refused rather than lost
    from sight. `fromStart`: begin with the log's first event instead of the next one.
    """

    webhook: Webhook | None = None
    otlp: Otlp | None = None
    syslog: Syslog | None = None
    s3: S3 | None = None
    file: File | None = None
    git: Git | None = None
    plane: Plane | None = None
    timestamp: Timestamp | None = None
    types: Annotated[tuple[Text, ...], msgspec.Meta(max_length=50)] = ()
    paused: bool = False
    mandatory: bool = False
    block_events: Annotated[int, msgspec.Meta(ge=1)] = 100_000
    block_seconds: Annotated[int, msgspec.Meta(ge=60)] = 86_400
    from_start: bool = False

    def place(self) -> str:
        """Which of the places it is; empty when it is none or several."""
        given = [name for name in SECRETS if getattr(self, name)]
        return given[0] if len(given) == 1 else ""

    def pause_s(self) -> int:
        """How long it is left alone after a batch."""
        witness = self.git or self.plane or self.timestamp
        return witness.every_seconds if witness else 0


def check(spec: SinkSpec, *, platform: bool) -> dict[str, str]:
    """What is wrong with a spec, by field."""
    place = spec.place()
    if not place:
        return {"spec": f"needs exactly one of {', '.join(SECRETS)}"}
    problems = _check_urls(spec)
    if unknown := audit_types.unknown(spec.types):
        problems["spec.types"] = unknown
    if spec.file and not platform:
        problems["spec.file"] = "is for the platform alone; send a tenant's log to an address"
    if spec.syslog and not HOST.fullmatch(spec.syslog.host):
        problems["spec.syslog.host"] = "must be a host name or an address, without a port"
    if spec.s3 and not BUCKET.fullmatch(spec.s3.bucket):
        problems["spec.s3.bucket"] = "must be a bucket's name: 3 to 63 lower-case letters, digits, dots and dashes"
    if spec.s3 and not PREFIX.fullmatch(spec.s3.prefix):
        problems["spec.s3.prefix"] = "may hold letters, digits and _ . / = - alone"
    return problems


def _check_urls(spec: SinkSpec) -> dict[str, str]:
    problems = {}
    for name in ("webhook", "otlp", "s3", "plane", "timestamp"):
        url = getattr(getattr(spec, name), "endpoint" if name == "s3" else "url", "https://")
        if not url.startswith("https://"):
            problems[f"spec.{name}.{'endpoint' if name == 's3' else 'url'}"] = "must begin with https://"
    if spec.git and not spec.git.url.startswith(("https://", "ssh://")):
        problems["spec.git.url"] = "must begin with https:// or ssh://"
    return problems


def check_secrets(spec: SinkSpec, given: dict[str, str]) -> dict[str, str]:
    """What is wrong with the secrets for a spec, by field; no value is named."""
    required, optional = SECRETS[spec.place()]
    problems = {f"data.{name}": "is required" for name in sorted(required - given.keys())}
    problems |= {f"data.{name}": f"is nothing that {spec.place()} takes" for name in sorted(given.keys() - required - optional)}
    if "hmacKey" in required & given.keys() and (problem := _check_key(given["hmacKey"])):
        problems["data.hmacKey"] = problem
    if "header" in given and (problem := _check_header(given)):
        problems["data.header"] = problem
    return problems


def _check_key(text: str) -> str:
    found = key(text)
    if found is None:
        return "begins with whsec_, and what follows is no base64"
    return f"is shorter than {MIN_KEY} bytes; make one with `openssl rand -base64 32`" if len(found) < MIN_KEY else ""


def _check_header(given: dict[str, str]) -> str:
    found = HEADER.fullmatch(given["header"])
    if not found:
        return "must be one header of a request, as `DD-API-KEY: …` or `Authorization: Splunk …`"
    name = found[1].lower()
    if name.startswith(OURS):
        return f"may not be {name}, which every request has of its own"
    return "is Authorization, and there is a bearer too; keep one" if name == "authorization" and "bearer" in given else ""


def key(text: str) -> bytes | None:
    """The bytes of an HMAC key: the text's, or behind `whsec_` what its base64 says, as Standard Webhooks write keys; None: it is none."""
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        return None


WITNESSES = frozenset({"git", "plane", "timestamp"})  # places that get signed states alone


class Batch(msgspec.Struct, frozen=True):
    """A stretch of a log that ends at a signed state: `start` is the state before it, None at the log's beginning.

    prove: a smaller size → the proof that the log at `end` continues it; for witnesses, which get no rows. news: whether anything but
    stamps came since; a stamp that only another stamp called for would call for the next one.
    """

    origin: str
    rows: tuple[audit.Placed, ...]
    start: audit.Checkpoint | None
    end: audit.Checkpoint
    prove: Callable[[int], tuple[bytes, ...]] | None = None
    news: bool = True


class Refused(errors.PlaneError):
    """The far end will not have these events, now or later; sending them again is no use. Smaller batches may be."""

    code = "sink-refused"
