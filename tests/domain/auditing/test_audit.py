"""The tree is RFC 6962's, kept as peaks; a checkpoint signs what it says."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import objects
from plane.domain.auditing import audit, audit_formats

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


@pytest.mark.parametrize("kind", ["user", "system"])
def test_people_lie_apart_from_an_event_and_come_back_in_every_format(kind: str) -> None:
    who = audit.By("1", name="ada", kind=kind, ip="192.0.2.7")
    told = {"author": "Ana", "committer": "=Bo", "generation": 1}
    event = audit.Event(id="1", time="2026-01-01T00:00:00Z", type="app.sync.started", actor=who, tenant="t", target="app/web", details=told)
    kept, people = audit.apart(event, b"salt")
    body = objects.canonical(kept)
    assert [name in body for name in (b"Ana", b"Bo", b"192.0.2.7")] == [False, False, kind == "system"]
    whole = audit.together(body, people)
    assert msgspec.structs.replace(whole, actor=who) == event
    assert (whole.actor.name, whole.actor.ip) == (who.name, who.ip)
    row = audit.Placed(0, bytes(32), body, b"salt", people)
    for text in (
        audit_formats.show(row).text,
        audit_formats.csv_lines([row]),
        audit_formats.cloudevent(row, origin="o"),
        audit_formats.ocsf(row),
    ):
        assert [name in text for name in (b"Ana", b"Bo", b"ada")] == [True, True, True]
    assert audit.together(body, b"").details == {"generation": 1}


NAMED: dict[str, Any] = {  # whom an event names, by the field
    "asked_by": "eve",
    "on_behalf_of": "person/eve",
    "signed_by": "SHA256:eve",
    "subject": "eve@acme.example",
    "owner": "eve",
    "why": "sync asked for by eve",
    "approvals": [{"to": "policy", "by": "eve", "by_id": "7", "at": "now"}, {"to": "order", "by": "bo", "by_id": "8", "at": "now"}],
}


@pytest.mark.parametrize("kind", ["service", "system"])
def test_whoever_an_event_names_lies_apart_from_it_and_comes_back_in_every_format(kind: str) -> None:
    who = audit.By("1", name="ci", kind=kind, on_behalf_of="person/eve" if kind == "service" else "")
    told = {**NAMED, "generation": 1, "run_as": "shop:deployer"}
    event = audit.Event(
        id="1", time="2026-01-01T00:00:00Z", type="app.sync.started", actor=who, tenant="t", message=NAMED["why"], details=told
    )
    kept, people = audit.apart(event, b"salt")
    body = objects.canonical(kept)
    assert (b"eve" in body, b'"bo"' in body) == (False, False)
    whole = audit.together(body, people)
    assert msgspec.structs.replace(whole, actor=who) == event
    assert (whole.actor.name, whole.actor.on_behalf_of) == (who.name, who.on_behalf_of)
    row = audit.Placed(0, bytes(32), body, b"salt", people)
    for text in (audit_formats.show(row).text, audit_formats.csv_lines([row]), audit_formats.ocsf(row)):
        assert [name in text for name in (b"eve@acme.example", b"asked for by eve", b"SHA256:eve", b"bo", b"ci")] == [True] * 5
    forgotten = audit.together(body, b"")
    agreed = [{"to": "policy", "by_id": "7", "at": "now"}, {"to": "order", "by_id": "8", "at": "now"}]
    assert (forgotten.message, forgotten.details) == ("", {"generation": 1, "run_as": "shop:deployer", "approvals": agreed})


def test_what_the_plane_asks_for_itself_names_nobody() -> None:
    told = {"asked_by": "plane", "why": "the plane repairs drift"}
    event = audit.Event(id="1", time="now", type="app.sync.completed", actor=audit.By("0", "plane", "system"), tenant="t", details=told)
    assert audit.apart(event, b"salt") == (event, b"")


def test_the_text_of_a_checkpoint_is_four_lines() -> None:
    point = audit.Checkpoint("plane/t", 2, "00" * 32, "2026-01-01T00:00:00Z")
    assert point.text() == b"plane/t\n2\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n2026-01-01T00:00:00Z\n"
