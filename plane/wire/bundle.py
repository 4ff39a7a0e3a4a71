"""How a release's objects travel: packed once by the plane, verified and unpacked by the agent, never parsed in between."""

import zlib

import msgspec

from plane.domain import errors, objects
from plane.wire import agent

LEVEL = 6
MAX_BODY_BYTES = 64 * 1024 * 1024  # unpacked; a render's own bound (50 MiB) is below it


class BundleBroken(errors.PlaneError):
    """Bytes that do not have the digest they are named by."""

    code = "bundle-broken"


def pack(documents: tuple[bytes, ...]) -> tuple[str, bytes]:
    """Digest and compressed body of canonical JSON documents in apply order."""
    body = msgspec.msgpack.encode(documents)
    return objects.digest(body), zlib.compress(body, LEVEL)


def unpack(digest: str, body: bytes) -> tuple[bytes, ...]:
    """The documents; BundleBroken when the digest is another or the size is beyond the bound."""
    plain = zlib.decompressobj().decompress(body, MAX_BODY_BYTES)
    if objects.digest(plain) != digest:
        message = f"release {digest[:19]}… arrived with other content"
        raise BundleBroken(message)
    return msgspec.msgpack.decode(plain, type=tuple[bytes, ...])


def sealed_digest(sealed: tuple[agent.SealedValue, ...]) -> str:
    """What the signed task says about its sealed values; empty when there are none."""
    return objects.digest(msgspec.msgpack.encode(sealed)) if sealed else ""
