"""`ignoreDifferences` that could never hold are refused when an app is written."""

from typing import Any

import pytest

from tests.support.rest import Tenant, app_document

RULE = {"kind": "Deployment", "group": "apps"}
AT = "spec.ignoreDifferences[1]"


@pytest.mark.parametrize(
    ("rule", "field", "sentence"),
    [
        ({"jqPathExpressions": [".spec.replicas", ".spec["]}, f"{AT}.jqPathExpressions[1]", "is no jq expression"),
        ({"jqPathExpressions": [".spec.replicas + 1"]}, f"{AT}.jqPathExpressions[0]", "names no path"),
        ({"jqPathExpressions": ["last(range(1e12))"]}, f"{AT}.jqPathExpressions[0]", "took longer than 1 s"),
        ({"jqPathExpressions": [".spec"] * 51}, f"{AT}.jqPathExpressions", "more than 50 jq expressions"),
        ({"jsonPointers": ["spec/replicas"]}, f"{AT}.jsonPointers[0]", "is no JSON pointer; write it with a slash in front"),
    ],
    ids=["none", "no path", "endless", "many", "no pointer"],
)
def test_a_rule_that_cannot_hold_is_refused_by_its_place(acme: Tenant, rule: dict[str, Any], field: str, sentence: str) -> None:
    written = app_document("web", ignoreDifferences=[RULE | {"jsonPointers": ["/spec/replicas"]}, RULE | rule])
    refused = acme.api.post(f"{acme.shop}/apps", written)
    assert (refused.status_code, list(refused.json()["problems"])) == (400, [field])
    assert sentence in refused.json()["problems"][field]
