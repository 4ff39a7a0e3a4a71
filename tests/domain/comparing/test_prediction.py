"""What a dry run says."""

from typing import Any

import pytest

from plane.domain.comparing import prediction
from tests.support import cases


@pytest.mark.parametrize(("name", "case"), cases.named("prediction"))
def test_a_dry_run_says_what_changes(name: str, case: dict[str, Any]) -> None:
    found = [list(prediction.fields(case["desired"], case["live"], case["predicted"], mutations=counted)) for counted in (False, True)]
    assert found == [case["fields"], case.get("webhooks", case["fields"])], name
