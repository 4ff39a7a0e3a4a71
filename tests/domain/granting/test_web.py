"""Which requests with a cookie are the plane's own pages'."""

from typing import Any

import msgspec
import pytest

from plane.domain.granting import web
from tests.support import cases

CASES = cases.load("web/asked.yaml")
SECRET = "gp_session_one"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_request_with_a_cookie(case: dict[str, Any]) -> None:
    asked = msgspec.convert(case["asked"], web.Asked)
    shown = web.proof(SECRET) if case.get("proof") else ""
    try:
        web.check(asked, own=case.get("own", "https://plane.example/"), secret=SECRET, shown=shown)
        said = ""
    except web.CrossSite as e:
        said = str(e)
    assert case.get("refused", "") in said
    assert bool(said) == ("refused" in case)


@pytest.mark.parametrize("shown", ["", "x", "é", web.proof("gp_session_two"), web.proof(SECRET)[:-1], web.proof(SECRET) + "="])
def test_a_proof_is_good_for_its_session_alone(shown: str) -> None:
    with pytest.raises(web.CrossSite, match=web.HEADER):
        web.check(web.Asked(method="POST", origin="https://plane.example"), own="https://plane.example", secret=SECRET, shown=shown)
