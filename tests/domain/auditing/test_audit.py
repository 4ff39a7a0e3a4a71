"""The tree is RFC 6962's, kept as peaks; a checkpoint signs what it says."""

import hashlib

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from plane.domain.auditing import audit

LEAVES = st.lists(st.binary(min_size=32, max_size=32), max_size=70)


def plainly(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return audit.node(plainly(leaves[:split]), plainly(leaves[split:]))


@given(LEAVES)
def test_the_root_is_the_standards(leaves: list[bytes]) -> None:
    assert audit.root(leaves) == plainly(leaves)


@given(LEAVES.filter(bool), st.integers(0, 70))
def test_growing_in_two_steps_gives_the_same_tree(leaves: list[bytes], cut: int) -> None:
    first = audit.extend((), 0, leaves[:cut])
    grown = audit.extend(first, len(leaves[:cut]), leaves[cut:])
    assert audit.fold(grown) == plainly(leaves)


def test_a_leaf_changes_with_any_field() -> None:
    event = audit.Event(id="1", time="2026-01-01T00:00:00.000000Z", type="app.created", actor=audit.By("a", "ada", "user"), tenant="t")
    assert audit.leaf(event) != audit.leaf(msgspec.structs.replace(event, message="x"))


def test_the_text_of_a_checkpoint_is_four_lines() -> None:
    point = audit.Checkpoint("plane/t", 2, "00" * 32, "2026-01-01T00:00:00Z")
    assert point.text() == b"plane/t\n2\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n2026-01-01T00:00:00Z\n"
