"""Proofs over the tree (RFC 6962 §2.1.1 and §2.1.2): an event is in a log; a log continues an older one."""

from collections.abc import Callable, Iterator

from plane.domain.auditing import audit

Nodes = Callable[[int, int], bytes]  # (height, index) → root of that full subtree; height 0 are the leaves


def tree(nodes: Nodes, start: int, end: int) -> bytes:
    """The hash of the leaves from `start` up to `end`, a range that the standard's recursion meets."""
    count = end - start
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return nodes(height, start >> height)
    middle = start + _split(count)
    return audit.node(tree(nodes, start, middle), tree(nodes, middle, end))


def inclusion(nodes: Nodes, index: int, size: int) -> tuple[bytes, ...]:
    """The audit path of leaf `index` in a log of `size`, from the leaf upwards."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(tree(nodes, middle, end))
            end = middle
        else:
            path.append(tree(nodes, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency(nodes: Nodes, old: int, size: int) -> tuple[bytes, ...]:
    """That a log of `size` begins with the one of `old`; 0 < old <= size."""
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(tree(nodes, middle, end))
            end = middle
        else:
            path.append(tree(nodes, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(tree(nodes, start, end))
    return tuple(reversed(path))


def cover(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The fewest full subtrees, in order, that stand for the leaves from `start` up to `end`: what a gap in an export is filled with."""
    while start < end:
        aligned = (start & -start).bit_length() - 1 if start else 62
        height = min(aligned, (end - start).bit_length() - 1)
        yield height, start >> height
        start += 1 << height


def peaks(nodes: Nodes, size: int) -> tuple[bytes, ...]:
    """As audit.extend keeps them."""
    return tuple(nodes(height, index) for height, index in cover(0, size))


def _split(count: int) -> int:
    """The largest power of two below a count of two or more."""
    return 1 << ((count - 1).bit_length() - 1)
