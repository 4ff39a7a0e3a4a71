"""What counts as an orphan."""

from typing import Any

import msgspec
import pytest

from plane.domain import objects, orphans
from tests.support import cases


@pytest.mark.parametrize("case", cases.load("orphans/objects.yaml"), ids=lambda case: case["name"])
def test_an_object_without_an_app_is_listed_unless_a_rule_leaves_it_out(case: dict[str, Any]) -> None:
    key = objects.ObjectKey(*case["object"])
    seen = orphans.Seen(key, owned=case.get("owned", False), annotations=case.get("annotations", {}))
    watch = orphans.Watch(ignore=msgspec.convert(case.get("ignore", []), tuple[orphans.Ignored, ...]))
    assert (orphans.orphaned(seen) and not orphans.ignored(key, watch)) == case["listed"]
