"""Which kinds the platform leaves alone."""

from typing import Any

import msgspec
import pytest

from plane.domain import objects, resource_rules
from tests.support import cases


@pytest.mark.parametrize("case", cases.load("resource_rules/filters.yaml"), ids=lambda case: case["name"])
def test_exclusions_and_inclusions_decide_as_in_argo_cd(case: dict[str, Any]) -> None:
    spec = {part: case.get(part, []) for part in ("exclusions", "inclusions")}
    rules = resource_rules.together([msgspec.convert(spec, resource_rules.RuleSpec)])
    group, kind = case["kind"]
    assert rules.excludes(objects.ObjectKey(group, kind, "shop", "web"), "east") == case["excluded"]
