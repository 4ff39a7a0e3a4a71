"""A large file of the record for `plane audit verify`: read by as many processes as there are cores, block by block."""

import concurrent.futures
import gc
import itertools
import pathlib
from collections.abc import Iterator

from plane.cli.auditing import verifier


def parts_of(path: str) -> Iterator[verifier.Part]:
    """As `verifier.parts_of`; a small file, one that is compressed and a pipe are read by this process."""
    place, size = pathlib.Path(path), 0
    if place.is_file() and not path.endswith(".gz"):
        size = place.stat().st_size
    if size <= 2 * verifier.BLOCK:
        yield from verifier.parts_of(path)
        return
    with concurrent.futures.ProcessPoolExecutor() as pool:
        yield from itertools.chain.from_iterable(pool.map(_span, itertools.repeat(place), range(0, size, verifier.BLOCK)))


def _span(path: pathlib.Path, start: int) -> list[verifier.Part]:
    """The lines that begin within one block of a file."""
    gc.disable()  # nothing here lies in a circle, and looking for that takes a fifth of the time
    with path.open("rb") as file:
        file.seek(max(0, start - 1))
        skipped = len(file.readline()) - 1 if start else 0
        return verifier.read(file.read(verifier.BLOCK - skipped) + file.readline()) if skipped < verifier.BLOCK else []
