"""What a client-side apply leaves."""

import copy
from typing import Any

import pytest

from plane.domain.comparing import three_way
from tests.support import cases

ROWS = cases.named("three_way")


@pytest.mark.parametrize(("name", "case"), ROWS)
def test_three_objects_become_one_as_the_table_says(name: str, case: dict[str, Any]) -> None:
    given = copy.deepcopy(case)
    assert three_way.merge(case["before"], case["desired"], case["live"]) == case["becomes"], name
    assert case == given


@pytest.mark.parametrize(("name", "case"), ROWS)
def test_what_was_applied_is_not_applied_again(name: str, case: dict[str, Any]) -> None:
    assert three_way.merge(case["desired"], case["desired"], case["becomes"]) == case["becomes"], name
