"""Checks proofs that a plane gives of its log; shares no code with the side that makes them."""

from collections.abc import Iterable, Iterator

from plane.domain.auditing import audit


def included(leaf: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2); ValueError: the proof has another length."""
    found = leaf
    for left, hashed in _steps(index, size - 1, path):
        found = audit.node(hashed, found) if left else audit.node(found, hashed)
    return found


def continues(old: tuple[int, bytes], new: tuple[int, bytes], path: list[bytes]) -> bool:
    """Whether a consistency proof holds between (size, root) and (size, root) (RFC 9162 section 2.1.4.2)."""
    if old[0] == new[0]:
        return old[1] == new[1] and not path
    index, last = old[0] - 1, new[0] - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    path = path if index else [old[1], *path]
    if not path:
        return False
    before = after = path[0]
    try:
        for left, hashed in _steps(index, last, path[1:]):
            before, after = (audit.node(hashed, before), audit.node(hashed, after)) if left else (before, audit.node(after, hashed))
    except ValueError:
        return False
    return (before, after) == (old[1], new[1])


def _steps(index: int, last: int, path: Iterable[bytes]) -> Iterator[tuple[bool, bytes]]:
    """The hashes of a proof from leaf `index` of 0 to `last` upwards, and whether each stands on the left."""
    for hashed in path:
        if last == 0:
            raise ValueError("the proof is too long")
        left = bool(index & 1) or index == last
        yield left, hashed
        while left and not index & 1 and index:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
