"""Text is read as kubectl reads it; the tables are recordings of kubectl's own reader."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain.reading import documents, yaml_text
from tests.support import cases

SCALARS = cases.load("yaml/scalars.yaml")
TEXTS = cases.load("yaml/texts.yaml")["texts"]


def values(text: str) -> list[Any]:
    return [document.value for document in documents.read(text.encode(), file="app.yaml") if document.value is not None]


@pytest.mark.parametrize(("word", "expected"), SCALARS["words"])
def test_a_word_means_what_kubectl_makes_of_it(word: str, expected: str) -> None:
    if expected == "refused":
        with pytest.raises(documents.Unreadable):
            values(f"v: {word}")
    else:
        assert json.dumps(values(f"v: {word}")[0]["v"]) == expected


@pytest.mark.parametrize(("word", "expected"), SCALARS["keys"])
def test_a_key_is_the_text_kubectl_makes_of_it(word: str, expected: str) -> None:
    if expected == "refused":
        with pytest.raises(documents.Unreadable):
            values(f"{word}: v")
    else:
        assert values(f"{word}: v") == [{expected: "v"}]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_holds_the_documents_kubectl_finds_in_it(text: str, expected: str) -> None:
    if expected in ("refused", "stricter"):
        with pytest.raises(documents.Unreadable):
            values(text)
    else:
        assert values(text) == json.loads(expected)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"a: 1\nb: [", "app.yaml:3: this is not YAML: while parsing a flow node, did not find expected node content"),
        (b"---\na: 1\n---\nb: 1\nc: 2\nb: 3\n", "app.yaml:6: the key 'b' occurs twice in one mapping; keep one"),
        (b'{\n"a": {"b": 1,\n"c": {"a": 1},\n"b": 2}}', "app.yaml:4: the key 'b' occurs twice in one mapping; keep one"),
        (b"a: 1\nb: \xff", "app.yaml:2: byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"a: 1\nb: \x07", "app.yaml:2: the control character 0x07 is not allowed in YAML; remove or escape it"),
        (b"a: 1\n--- b\n", "app.yaml:2: only a comment may follow `---` on its line; move the rest to the next line"),
        (b"a: 1\nb: *x\n", "app.yaml:2: the anchor 'x' is not defined before its use"),
        (b"a: .inf\n", "app.yaml:1: infinity and NaN have no place in a Kubernetes object"),
        (b"? [a]\n: 1\n", "app.yaml:1: a key must be text; put it in quotes"),
        (b'{"a": "\\ud800"}', "app.yaml:1: half of a surrogate pair is not a character; write the character itself"),
        (b"a: !!binary /w==", "app.yaml:1: !!binary must be base64 of UTF-8 text; raw bytes belong into binaryData or a Secret's data"),
    ],
)
def test_unreadable_text_is_answered_with_file_line_rule_and_way_out(text: bytes, sentence: str) -> None:
    with pytest.raises(documents.Unreadable) as refusal:
        list(documents.read(text, file="app.yaml"))
    assert str(refusal.value) == sentence


def test_a_json_file_is_answered_with_a_json_error() -> None:
    with pytest.raises(documents.Unreadable, match=r"^app\.json:2: this is not JSON"):
        list(documents.read(b'{"a": 1,\nb: 2}', file="app.json"))


@pytest.mark.parametrize("text", [b"a: " + b"[" * 100_000, b"[" * 100_000, b'{"a": ' + b"[" * 100_000, b"- " * 100_000, b'{"a":' * 5_000])
def test_deep_nesting_is_refused_before_anything_is_built(text: bytes) -> None:
    with pytest.raises(documents.Unreadable, match="deeper than 100"):
        list(documents.read(text, file="deep.yaml"))


def test_aliases_cannot_deepen_a_document() -> None:
    inner = "[" * 60 + "]" * 60
    with pytest.raises(documents.Unreadable, match="deeper than 100"):
        values(f"a: &x {inner}\nb: {'[' * 60}*x{']' * 60}")


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    with pytest.raises(documents.Unreadable, match="more than 1,000,000 values"):
        values("\n".join(lines))


def test_more_than_a_hundred_aliases_are_refused() -> None:
    with pytest.raises(documents.Unreadable, match="more than 100 aliases"):
        values("a: &x 1\nb: [" + "*x, " * 101 + "]")


def test_eleven_megabytes_are_refused() -> None:
    with pytest.raises(documents.Unreadable, match=r"^big\.yaml: 11,000,000 bytes are more than the 10,000,000 allowed"):
        list(documents.read(b" " * 11_000_000, file="big.yaml"))


def test_aliases_are_copies() -> None:
    body = values("a: &x {p: [1]}\nb: *x")[0]
    assert body["a"] == body["b"]
    assert body["a"]["p"] is not body["b"]["p"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=4))
def test_what_was_written_as_json_comes_back(body: dict[str, Any]) -> None:
    assert values(json.dumps(body, ensure_ascii=False)) == [body]


WORDS = st.text(st.characters(codec="ascii", categories=("L", "N", "P")) | st.sampled_from(" \n\té"), max_size=8) | st.sampled_from(
    [row[0] for row in SCALARS["words"]]
)


@given(st.dictionaries(WORDS, WORDS))
def test_what_dump_wrote_for_people_comes_back(body: dict[str, Any]) -> None:
    assert yaml_text.parse(yaml_text.dump(body).encode()).value == body


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_sentence(text: bytes) -> None:
    with contextlib.suppress(documents.Unreadable):
        list(documents.read(text, file="any.yaml"))
