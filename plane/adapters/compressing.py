"""Streams as they leave: gzip (RFC 1952), Zstandard (RFC 8878) or as they are. Pieces made one after another read as one file."""

import zlib
from collections.abc import Iterator
from typing import Literal

import zstandard

GZIP = 31  # zlib's window bits that mean a gzip member


def compressed(pieces: Iterator[bytes], form: Literal["none", "gzip", "zstd"]) -> Iterator[bytes]:
    """The same bytes, smaller."""
    if form == "none":
        yield from pieces
        return
    made = zlib.compressobj(wbits=GZIP) if form == "gzip" else zstandard.ZstdCompressor().compressobj()
    for piece in pieces:
        small = made.compress(piece)
        if small:
            yield small
    yield made.flush()
