"""Profiles and parameters of the rules that come with the plane."""

import msgspec
import pytest

from plane.domain import errors
from plane.domain.judging import library, parameters

RULE = """# METADATA
# title: No host network
# description: It is shared.
# custom:
#   id: X01
#   severity: high
#   category: pods
#   remedy: Publish a Service.
#   references:
#     - A standard
#   parameters:
#     version:
#       description: Of the standard.
#       type: string
#       default: latest
#     ports:
#       description: Allowed ones.
#       type: array
#       items: {type: integer}
#       default: []
package plane.rules.host_network
"""
OTHER = RULE.replace("X01", "X02").replace("host_network", "other")
FILES = {"host_network.rego": RULE, "other.rego": OTHER}
PROFILES = library.profiles("""
small: {description: Little., deny: [X01], warn: [X02], parameters: {X01: {ports: [1]}, X02: {ports: [1]}}}
large: {description: More., extends: small, deny: [X02], parameters: {X02: {ports: [2]}}}
alone: {description: One., audit: [X02]}
""")


def test_a_rule_says_who_it_is() -> None:
    (found, _) = library.rules(FILES).values()
    assert (found.id, found.file, found.title, found.references) == ("X01", "host_network.rego", "No host network", ("A standard",))
    assert found.parameters["ports"]["default"] == []


def test_a_profile_has_the_files_of_its_rules_alone() -> None:
    bound = library.binding("alone", PROFILES, FILES)
    assert (list(bound.policy.files), bound.rules, bound.parameters) == (["other.rego"], {"X02": "audit"}, {})


def test_a_profile_lays_its_modes_and_parameters_over_the_one_it_extends() -> None:
    bound = library.binding("large", PROFILES, FILES)
    assert bound.rules == {"X01": "deny", "X02": "deny"}
    assert bound.parameters == {"X01": {"ports": [1]}, "X02": {"ports": [2]}}


def test_given_parameters_count_before_the_profiles() -> None:
    bound = library.binding("small", PROFILES, FILES, parameters={"X01": {"ports": [7]}}, version="v1.30")
    assert bound.parameters == {"X01": {"ports": [7], "version": "v1.30"}, "X02": {"ports": [1], "version": "v1.30"}}


@pytest.mark.parametrize(
    ("name", "given", "version", "sentence"),
    [
        ("none", {}, "", "there is no profile 'none'; choose one of alone, large, small"),
        ("small", {}, "v1.24", "'v1.24' is no version of the Pod Security Standards; write latest or v1.25 to v1.36"),
        ("small", {}, "1.30", "'1.30' is no version"),
        ("alone", {"X01": {}}, "", "is no rule of this profile; its rules are X02"),
        ("small", {"X01": {"port": 1}}, "", "X01.port: is no parameter of the rule; it has ports, version"),
        ("small", {"X01": {"ports": [1, "b"]}}, "", "X01.ports[1]: must be a whole number"),
    ],
)
def test_what_does_not_exist_or_fit_is_one_sentence(name: str, given: dict[str, dict[str, object]], version: str, sentence: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        library.binding(name, PROFILES, FILES, parameters=given, version=version)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("schema", "value", "fault"),
    [
        ({"type": "boolean"}, True, {}),
        ({"type": "integer"}, True, {"X.p": "must be a whole number"}),
        ({"type": "number"}, 1.5, {}),
        ({"type": "string", "enum": ["a", "b"]}, "c", {"X.p": "must be one of a, b"}),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"k": 1}, {"X.p.k": "must be a text"}),
        (
            {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
            {"paht": ""},
            {"X.p.path": "is missing", "X.p.paht": "is not known; write path"},
        ),
        ({"type": "array", "items": {"type": "string"}}, "text", {"X.p": "must be a list"}),
    ],
)
def test_a_value_is_held_to_its_schema(schema: dict[str, object], value: object, fault: dict[str, str]) -> None:
    assert parameters.problems({"X": {"p": schema}}, {"X": {"p": value}}) == fault


def test_a_profile_with_a_misspelt_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="denny"):
        library.profiles("small: {description: Little., denny: [X01]}")
