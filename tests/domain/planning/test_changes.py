"""What a release would do to what the cluster keeps of an app."""

from typing import Any

import msgspec
import pytest

from plane.domain import objects, options
from plane.domain.judging import surroundings
from plane.domain.planning import changes
from tests.support import cases


def manifest(words: dict[str, Any]) -> objects.Manifest:
    """An object of the namespace shop."""
    metadata = {"name": words["name"], "namespace": "shop", "annotations": words.get("annotations", {})}
    body = {"apiVersion": words.get("apiVersion", "v1"), "kind": words["kind"], "metadata": metadata, "spec": words.get("spec", {})}
    return objects.Manifest(objects.key_of(body), body["apiVersion"], body)


@pytest.mark.parametrize("case", cases.load("changes/between.yaml"), ids=lambda case: case["name"])
def test_changes_are_as_the_table_says(case: dict[str, Any]) -> None:
    before, after = (map(manifest, case[side]) for side in ("before", "after"))
    expected = msgspec.convert(case["changes"], tuple[surroundings.Change, ...])
    assert changes.between(before, after, options.app(case.get("options", ()))) == expected
