"""Syslog, RFC 5424, in frames over TLS, RFC 5425."""

import socket
import ssl
import tempfile
from collections.abc import Mapping

from plane.adapters import reach
from plane.domain import errors
from plane.domain.auditing import audit, audit_formats, sinks
from plane.domain.rendering import secrets

FACILITY = 13  # log audit
SEVERITY = {"success": 6, "failure": 4, "denied": 4}
SD_ID = "gitops-plane@32473"  # the number that RFC 5612 keeps for documentation; ours to have when there is one


class SyslogSink:
    """One connection per batch."""

    def __init__(self, way: reach.Reach) -> None:
        self._way = way

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> None:
        """Every event, then the orderly end of the TLS connection, which the far end answers once it has read all before it."""
        assert spec.syslog  # noqa: S101 - this sink was chosen by it
        host, port = spec.syslog.host, spec.syslog.port
        pinned = self._way.address(host, port)
        text = b"".join(frame(row, batch.origin) for row in batch.rows if row.body)
        if not text:
            return
        try:
            trusted = _certified(reach.trust(spec.syslog.ca_pem), data)
            with (
                socket.create_connection((pinned, port), timeout=reach.CONNECT_S) as plain,
                trusted.wrap_socket(plain, server_hostname=host) as secured,
            ):
                secured.settimeout(reach.TIMEOUT_S)
                secured.sendall(text)
                secured.unwrap()
        except (OSError, ValueError) as e:  # ssl's errors are OSErrors
            raise errors.BackendDown("sink", f"{host}:{port} did not take it: {e}") from e


def frame(row: audit.Placed, origin: str) -> bytes:
    """One message with its length in front (octet counting)."""
    shown = audit_formats.show(row)
    read = shown.read
    priority = FACILITY * 8 + SEVERITY[read.outcome]
    told = {"seq": str(row.seq), "id": read.id, "log": origin, "outcome": read.outcome, "leaf": row.leaf.hex()}
    structured = " ".join(f'{name}="{_escaped(value)}"' for name, value in told.items())
    kind = read.type[:32]  # MSGID's bound
    head = f"<{priority}>1 {read.time} {_word(origin.partition('/')[0])} gitops-plane - {kind} [{SD_ID} {structured}] "
    message = head.encode() + b"\xef\xbb\xbf" + shown.text
    return b"%d %b" % (len(message), message)


def _word(text: str) -> str:
    """A header field: visible ASCII, at most 255 characters, `-` for nothing."""
    return "".join(char for char in text if "!" <= char <= "~")[:255] or "-"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _certified(context: ssl.SSLContext, data: Mapping[str, secrets.Secret]) -> ssl.SSLContext:
    """With the client's certificate, when there is one; ssl takes it from a file alone, which is gone when this returns."""
    if "clientCertificate" not in data:
        return context
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(data[name].reveal() for name in ("clientCertificate", "clientKey") if name in data))
        file.flush()
        context.load_cert_chain(file.name)
    return context
