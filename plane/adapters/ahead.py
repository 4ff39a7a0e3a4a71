"""One step ahead: the next piece of a stream is made in a thread of its own while the last one travels."""

import concurrent.futures
from collections.abc import Iterator
from typing import TypeVar

Piece = TypeVar("Piece")
_END = object()


def ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces; two of them exist at a time. Whoever stops reading waits for nothing: the piece being made is the last."""
    thread = concurrent.futures.ThreadPoolExecutor(1, "ahead")
    try:
        coming = thread.submit(next, pieces, _END)
        while (piece := coming.result()) is not _END:
            coming = thread.submit(next, pieces, _END)
            yield piece  # type: ignore[misc]  # not the end
    finally:
        thread.shutdown(wait=False, cancel_futures=True)
