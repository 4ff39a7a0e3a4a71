"""Modes and verdicts, outside Rego."""

import pytest

from plane.domain.judging import policy, styles
from plane.domain.reading import manifests

SET = policy.policy_files("baseline", {"a.rego": "package plane.rules.a"})
OTHER = policy.policy_files("own", {"b.rego": "package plane.rules.b"})
FOUND = policy.Violation("baseline", "W01", "Pod shop/web", 'container "main" runs privileged', remedy="Remove it.")


def fold(*bindings: policy.Binding) -> tuple[policy.Judged, ...]:
    return policy.fold([(one, (FOUND,) if one.policy == SET else ()) for one in bindings])


def test_the_digest_covers_names_and_texts_but_not_the_sets_name_or_its_tests() -> None:
    same = policy.policy_files("another", {"a_test.rego": "package x", "a.rego": "package plane.rules.a"})
    assert same.digest == SET.digest
    assert policy.policy_files("baseline", {"c.rego": "package plane.rules.a"}).digest != SET.digest


def test_the_strictest_binding_counts() -> None:
    assert [one.mode for one in fold(policy.Binding(SET, "warn"), policy.Binding(SET, "deny"))] == ["deny"]


def test_a_rule_has_its_own_mode() -> None:
    assert [one.mode for one in fold(policy.Binding(SET, "deny", rules={"W01": "audit"}))] == ["audit"]


def test_a_rule_that_is_off_is_not_judged() -> None:
    assert fold(policy.Binding(SET, "deny", rules={"W01": "off"})) == ()


def test_another_sets_binding_does_not_count() -> None:
    assert fold(policy.Binding(OTHER, "deny")) == ()


@pytest.mark.parametrize(("mode", "allowed"), [("deny", False), ("warn", True), ("audit", True)])
def test_only_deny_stops_a_release(mode: policy.Mode, *, allowed: bool) -> None:
    assert policy.Verdict(judged=(policy.Judged(FOUND, mode),)).allowed() is allowed


def test_no_answer_is_a_denial_with_its_reason() -> None:
    verdict = policy.Verdict(error="no answer within 10 s")
    assert not verdict.allowed()
    assert "counts as a denial: no answer within 10 s" in policy.sentence(verdict)


def test_the_sentence_names_rule_object_place_and_fix() -> None:
    (pod,) = manifests.read(b"apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n", file="web.yaml")
    (located,) = policy.located((FOUND,), (pod,))
    assert policy.sentence(policy.Verdict(judged=(policy.Judged(located, "deny"),))) == (
        'policy baseline/W01 refuses Pod shop/web (web.yaml:1): container "main" runs privileged. To fix: Remove it.'
    )


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('lib.list(input, ["inventory", "hosts"])', {"inventory", "inventory.hosts"}),
        ("some name, entries in input.inventory", {"inventory", *policy.PARTS}),
        ("some change in input.changes", {"changes"}),
        ('input.context["actor"] == "ada"', {"actor"}),
        ('lib.text(input, ["context", "trigger"])', {"trigger"}),
        ("input.manifests[_].kind; input.context.now", set()),
        ("# the whole input, whatever it is", set()),
        ("walk(input, [path, value])", {*policy.FIELDS}),
        ("known := input", {*policy.FIELDS}),
        ("some name; input[name]", {*policy.FIELDS}),
        ("said := input.context", {*policy.FIELDS}),
    ],
)
def test_what_a_set_reads_shows_in_its_text_and_what_is_chosen_while_it_runs_may_be_anything(text: str, fields: set[str]) -> None:
    files = policy.policy_files("own", {"own.rego": f"package plane.rules.own\n\n{text}\n"})
    assert {field for field in policy.FIELDS if policy.reads(files, field)} == fields


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        (policy.Binding(SET), "warn"),
        (policy.Binding(SET, "audit"), "audit"),
        (policy.Binding(SET, "off"), None),
        (policy.Binding(SET, "deny", {"warn_old": "deny"}), "deny"),
    ],
    ids=["as its author says", "a gentler set", "a set that is off", "a mode for the rule by name"],
)
def test_what_its_author_only_warns_of_stops_nothing_unless_the_rule_is_named(binding: policy.Binding, expected: str | None) -> None:
    found = policy.Violation("house", "warn_old", "Pod shop/web", "old", at_most="warn")
    assert [one.mode for one in policy.fold([(binding, (found,))])] == ([expected] if expected else [])


def test_an_authors_exception_is_for_the_record() -> None:
    found = policy.Violation("house", "deny_a", "Pod shop/web", "no", excepted=True)
    verdict = policy.Verdict(judged=policy.fold([(policy.Binding(SET, rules={"deny_a": "deny"}), (found,))]))
    assert (verdict.allowed(), verdict.excepted(), [one.mode for one in verdict.judged]) == (True, 1, ["audit"])


def test_the_style_is_part_of_the_digest() -> None:
    files = {"a.rego": "package main"}
    several = [styles.Style("conftest"), styles.Style("conftest", ("a",)), styles.Style("conftest", (), "v0"), styles.PLANE]
    assert len({policy.policy_files("a", files, style).digest for style in several}) == 4
