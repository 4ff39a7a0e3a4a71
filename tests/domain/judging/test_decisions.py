"""Decision records: what names them, what each rule said, and how much is kept."""

import pytest

from plane.domain.judging import bounds, decisions, policy

CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="east", now="2027-01-01T00:00:00Z")
FOUND = policy.Violation("house", "W01", "Pod shop/web", "runs privileged")
TERMS = decisions.Terms((decisions.InForce("house", "sha256:1", "deny"),), rules={"sha256:1": ("W01", "W02")})


def verdict(*modes: policy.Mode, waiver: str = "", error: str = "") -> policy.Verdict:
    return policy.Verdict(("sha256:1",), tuple(policy.Judged(FOUND, mode, "house", waiver=waiver) for mode in modes), error)


@pytest.mark.parametrize(
    ("said", "word", "outcomes"),
    [
        (verdict(), "allowed", ["pass", "pass"]),
        (verdict("audit"), "allowed", ["violation", "pass"]),
        (verdict("audit", "warn"), "warned", ["violation", "pass"]),
        (verdict("require-approval"), "needs-approval", ["violation", "pass"]),
        (verdict("require-approval", "deny"), "denied", ["violation", "pass"]),
        (verdict("deny", waiver="shop/once"), "allowed", ["waived", "pass"]),
        (verdict(error="no answer"), "error", ["error", "error"]),
    ],
)
def test_a_verdict_in_one_word_and_rule_by_rule(said: policy.Verdict, word: str, outcomes: list[str]) -> None:
    assert decisions.word(said) == word
    assert [one.outcome for one in decisions.outcomes(TERMS, said)] == outcomes


def test_a_question_comes_back_as_it_was_asked() -> None:
    asked = policy.PolicyInput(({"kind": "Pod"},), CONTEXT, {"I01": {"registries": ["registry.example"]}}, clear={"0": ("/data/user",)})
    told = decisions.told(asked)
    assert set(told) == {"clear"}
    assert decisions.asked(asked.manifests, CONTEXT, asked.parameters, {"clear": {"0": ["/data/user"]}}) == asked


def test_the_moment_and_the_place_of_a_file_name_nothing() -> None:
    later, moved = (
        policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="east", now="2028-01-01T00:00:00Z"),
        policy.Verdict(
            judged=(policy.Judged(policy.Violation("house", "W01", "Pod shop/web", "runs privileged", file="a.yaml:1"), "deny"),)
        ),
    )
    still = policy.Verdict(judged=(policy.Judged(FOUND, "deny"),))
    assert decisions.input_digest("sha256:r", CONTEXT, []) == decisions.input_digest("sha256:r", later, [])
    assert decisions.outcome_digest(moved) == decisions.outcome_digest(still)


def test_a_rule_is_named_by_its_metadata_or_its_package() -> None:
    files = {
        "a.rego": "# METADATA\n# custom:\n#   id: W01\npackage plane.rules.privileged\n",
        "b.rego": "# METADATA\n# custom: {id: T01, severity: high}\npackage plane.rules.latest\n",
        "c.rego": "package plane.rules.own\n",
        "lib.rego": "package lib.own\n",
    }
    assert decisions.rule_ids(files) == ("T01", "W01", "own")


def many(last: str) -> policy.Verdict:
    one = policy.Judged(policy.Violation("house", "W09", "Pod shop/z", last), "require-approval")
    mild = tuple(policy.Judged(policy.Violation("house", "W01", f"Pod shop/{n:05}", "no"), "warn") for n in range(bounds.MOST))
    some = tuple(policy.Judged(policy.Violation("house", "W02", f"Pod shop/{n:05}", "no"), "require-approval") for n in range(bounds.MOST))
    return bounds.bounded(policy.Verdict(judged=(*mild, *some, one)))


def test_the_strictest_are_kept_and_the_rest_is_counted_by_mode() -> None:
    kept = many("no")
    assert ({one.mode for one in kept.judged}, kept.left_out) == ({"require-approval"}, {"require-approval": 1, "warn": bounds.MOST})


def test_what_is_approved_covers_what_was_left_out() -> None:
    assert policy.approval("sha256:r", many("one")) != policy.approval("sha256:r", many("other"))


def test_a_long_text_is_cut_and_still_names_itself() -> None:
    one, other = bounds.shortened([policy.Violation("house", "W01", "Pod a", end * 10_000_000) for end in ("a", "b")])
    assert len(one.message) <= bounds.TEXT
    assert "10,000,000 characters" in one.message
    assert one.message[-20:] != other.message[-20:]
