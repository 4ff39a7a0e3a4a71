"""Gatekeeper's match criteria, by the objects of tests/cases/gatekeeper_match.

gator 3.23.1 said the same of all but the four about a ClusterRole, where this follows Gatekeeper's own match code.
"""

from typing import Any

import msgspec
import pytest

from plane.domain.judging import gatekeeper, policy
from tests.support import cases

Json = dict[str, Any]
LABELS = {"env": "prod"}
BODIES: dict[str, Json] = {
    "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}}},
    "role": {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}},
    "namespace": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": LABELS}},
}


def subject(name: str, beside: Json | None = LABELS) -> gatekeeper.Subject:
    body = BODIES[name]
    group = body["apiVersion"].rpartition("/")[0]
    return gatekeeper.Subject(body, group, body["kind"], body["metadata"].get("namespace", ""), beside)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in cases.named("gatekeeper_match")])
def test_a_constraint_is_about_what_its_match_says(case: Json) -> None:
    assert gatekeeper.matches(msgspec.convert(case["match"], gatekeeper.Match), subject(case["object"])) is case["matches"]


def test_labels_of_a_namespace_that_are_not_known_are_never_guessed() -> None:
    match = gatekeeper.Match(namespace_selector=gatekeeper.LabelSelector())
    with pytest.raises(gatekeeper.NamespaceUnknown, match="shop"):
        gatekeeper.matches(match, subject("pod", None))


@pytest.mark.parametrize(
    ("spec", "mode"),
    [
        ({}, "deny"),
        ({"enforcementAction": "warn"}, "warn"),
        ({"enforcementAction": "dryrun"}, "audit"),
        ({"enforcementAction": "scoped"}, "audit"),
        ({"enforcementAction": "scoped", "scopedEnforcementActions": [{"action": "deny", "enforcementPoints": [{"name": "*"}]}]}, "deny"),
        (
            {
                "enforcementAction": "scoped",
                "scopedEnforcementActions": [
                    {"action": "deny", "enforcementPoints": [{"name": "gator.gatekeeper.sh"}]},
                    {"action": "warn", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}, {"name": "validation.gatekeeper.sh"}]},
                ],
            },
            "warn",
        ),
    ],
)
def test_an_enforcement_action_is_a_mode(spec: Json, mode: policy.Mode) -> None:
    assert gatekeeper.at_most(msgspec.convert(spec, gatekeeper.ConstraintSpec)) == mode


def test_defaults_of_the_schema_fill_in_what_parameters_leave_out() -> None:
    schema = {
        "properties": {
            "cpu": {"default": "1"},
            "rules": {"items": {"properties": {"name": {}, "strict": {"default": True}}}},
            "more": {"additionalProperties": {"properties": {"x": {"default": 1}}}},
        }
    }
    assert gatekeeper.defaulted(schema, {"rules": [{"name": "a"}, {"strict": False}], "more": {"k": {}}}) == {
        "cpu": "1",
        "rules": [{"name": "a", "strict": True}, {"strict": False}],
        "more": {"k": {"x": 1}},
    }
