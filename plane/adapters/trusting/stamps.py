"""Time stamps (RFC 3161): asking for one, and whether one holds."""

import datetime as dt

import rfc3161_client as tsp
from cryptography import x509

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class StampRefused(ValueError):
    """It does not hold, or is none; the text says why."""


def request(text: bytes) -> tuple[bytes, int | None]:
    """What an authority is asked for a stamp of the text, and the number that its answer must have."""
    made = tsp.TimestampRequestBuilder().data(text).hash_algorithm(tsp.HashAlgorithm.SHA256).build()
    return made.as_bytes(), made.nonce


def verify(answer: bytes, text: bytes, authorities: str, *, nonce: int | None = None) -> dt.datetime:
    """When the text was there, as somebody says for whom the authorities vouch (certificates in PEM); their certificates held then.

    Raises:
        StampRefused
    """
    try:
        roots = x509.load_pem_x509_certificates(authorities.encode())
        stamp = tsp.decode_timestamp_response(answer)
        tsp.VerifierBuilder(roots=roots, nonce=nonce).build().verify_message(stamp, text)
    except (ValueError, tsp.VerificationError) as e:
        raise StampRefused(str(e)) from e
    return stamp.tst_info.gen_time
