"""Published schemas do not depend on the Python that wrote them."""

import msgspec

from plane.domain import descriptions


def test_a_docstring_says_the_same_with_and_without_its_indentation() -> None:
    indented, plain = ({"A": {"type": "object", "description": f"One.\n\n{blank}Two,\n{blank}three."}} for blank in ("    ", ""))
    assert descriptions.cleaned(indented) == descriptions.cleaned(plain) == plain


def test_a_schema_without_words_stays_as_it_is() -> None:
    made = {"A": {"type": "object", "properties": {"description": {"type": "string"}}}}
    assert msgspec.json.encode(descriptions.cleaned(made)) == msgspec.json.encode(made)
