"""Proofs made by the plane convince a checker that shares no code with it, and nothing else does."""

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from plane.cli.auditing import verifier
from plane.domain.auditing import audit, audit_proofs, proof_checks
from tests.architecture import source
from tests.support import verifying

SIZES = st.integers(1, 600)


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(f"{n}".encode()).digest() for n in range(count)]


def nodes(count: int) -> audit_proofs.Nodes:
    """Of a log of that many leaves, plainly."""
    all_leaves = leaves(count)
    return lambda height, index: audit.root(all_leaves[index << height : (index + 1) << height])


@given(SIZES, st.data())
def test_an_event_is_proven_to_lie_in_the_log(size: int, draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, size - 1))
    path = audit_proofs.inclusion(nodes(size), index, size)
    assert proof_checks.included(leaves(size)[index], index, size, path) == audit.root(leaves(size))


@given(SIZES, st.data())
def test_another_event_is_not(size: int, draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, size - 1))
    path = audit_proofs.inclusion(nodes(size), index, size)
    assert proof_checks.included(hashlib.sha256(b"forged").digest(), index, size, path) != audit.root(leaves(size))


@given(SIZES, st.data())
def test_a_log_is_proven_to_continue_an_older_one(size: int, draw: st.DataObject) -> None:
    old = draw.draw(st.integers(1, size))
    path = list(audit_proofs.consistency(nodes(size), old, size))
    before, after = audit.root(leaves(old)), audit.root(leaves(size))
    assert proof_checks.continues((old, before), (size, after), path)
    assert old == size or not proof_checks.continues((old, hashlib.sha256(b"forged").digest()), (size, after), path)


@given(st.integers(0, 600), st.integers(0, 600))
def test_a_gap_is_filled_by_subtrees_that_give_the_same_root(cut: int, count: int) -> None:
    size = cut + count
    parts = [(first, end, [nodes(size)(*at).hex() for at in audit_proofs.cover(first, end)]) for first, end in ((0, cut), (cut, size))]
    told = [node for part in parts for node in verifier.cover(*part)]
    assert verifier.root(verifier.joined(told)) == audit.root(leaves(size)).hex()
    assert told == [*verifier.subtrees(0, leaves(cut)), *verifier.subtrees(cut, leaves(size)[cut:])]


@given(SIZES)
def test_the_stored_nodes_are_the_trees(size: int) -> None:
    _, full = audit.grow((), 0, leaves(size))
    assert full == {(audit.TILE, index): nodes(size)(audit.TILE, index) for index in range(size >> audit.TILE)}


def test_a_verifier_key_is_written_as_other_tools_write_it() -> None:
    known = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"  # the Go checksum database's
    name, _, key = known.split("+", 2)
    assert audit.verifier_key(name, audit.unb64(key)[1:]) == verifier.vkey(name, audit.unb64(key)[1:]) == known


OTHERS = [
    json.loads(line) for line in (source.ROOT / "tests/cases/audit/other-tools.jsonl").read_text().splitlines()
]  # by golang.org/x/mod 0.30


def numbered(count: int) -> audit_proofs.Nodes:
    """The log that the other tool made: the leaf n is the text of n."""
    texts = [audit.leaf_of(str(n).encode()) for n in range(count)]
    return lambda height, index: audit.root(texts[index << height : (index + 1) << height])


def test_proofs_are_those_of_another_implementation() -> None:
    made = [one for one in OTHERS if one["kind"] == "inclusion"]
    assert len(made) > 50
    for one in made:
        assert [part.hex() for part in audit_proofs.inclusion(numbered(one["size"]), one["index"], one["size"])] == one["path"]
        path = [bytes.fromhex(part) for part in one["path"]]
        assert proof_checks.included(audit.leaf_of(str(one["index"]).encode()), one["index"], one["size"], path).hex() == one["root"]


def test_proofs_of_continuation_are_those_of_another_implementation() -> None:
    made = [one for one in OTHERS if one["kind"] == "consistency"]
    assert len(made) > 50
    for one in made:
        assert [part.hex() for part in audit_proofs.consistency(numbered(one["size"]), one["old"], one["size"])] == one["path"]
        states = (one["old"], bytes.fromhex(one["old_root"])), (one["size"], bytes.fromhex(one["root"]))
        assert proof_checks.continues(*states, [bytes.fromhex(part) for part in one["path"]])


def test_a_checkpoint_is_the_note_that_another_implementation_makes() -> None:
    [theirs] = [one for one in OTHERS if one["kind"] == "note"]
    text, _, signed = theirs["note"].partition("\n\n")
    origin, size, root, time = text.split("\n")
    key = audit.unb64(theirs["key"].split("+", 2)[2])[1:]
    mark = audit.unb64(signed.split(" ")[2].strip())
    point = audit.Checkpoint(origin, int(size), audit.unb64(root).hex(), time, audit.b64(mark[4:]), audit.b64(key))
    assert point.note() == theirs["note"]
    assert audit.verifier_key(origin, key) == theirs["key"]
    told = {"origin": origin, "key": audit.b64(key), "signature": audit.b64(mark[4:])}
    assert verifier.signed(told, point.text()) == told | {"holds": True, "vkey": theirs["key"]}


def test_a_log_of_another_implementation_is_verified() -> None:
    first, *lines = (source.ROOT / "tests/cases/audit/sumdb/log.jsonl").read_text().splitlines()  # by golang.org/x/mod, main.go beside it
    key = json.loads(first)["key"]
    found = verifying.verified(lines, [key], part=True)
    assert (found.findings, found.keys, found.events) == ([], {key}, 85)
    altered = [line.replace('"actor":{"id":"go"}', '"actor":{"id":"me"}') if '"seq":40,' in line else line for line in lines]
    assert verifying.verified(altered, [key], part=True).findings == ["place 40: the event was altered: its text does not give its leaf"]
