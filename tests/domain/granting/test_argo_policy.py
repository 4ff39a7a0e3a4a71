"""Argo CD's policy.csv, decided as Argo CD decides."""

from typing import Any

import pytest

from plane.domain import errors
from plane.domain.granting import argo_builtin, argo_policy, argo_roles
from tests.support import cases


def policy(case: dict[str, Any]) -> argo_policy.Policy:
    own = argo_policy.read(case["policy"], file="policy.csv")
    built_in = argo_builtin.policy() if case.get("builtin", True) else argo_policy.Policy()
    projects = {name: argo_roles.policy(name, spec, where=name) for name, spec in case.get("projects", {}).items()}
    return argo_policy.Policy(
        (*built_in.rules, *own.rules),
        (*built_in.links, *own.links),
        default_role=case.get("default", ""),
        regex=case.get("mode") == "regex",
        projects=projects,
    )


def request(text: str) -> argo_policy.Request:
    who, action, resource, subject = text.split(" ")
    name, *groups = who.split("+")
    return argo_policy.Request(name, action, resource, subject, tuple(groups))


@pytest.mark.parametrize(("name", "case"), cases.named("argo_rbac"), ids=lambda value: value if isinstance(value, str) else "")
def test_what_argo_cd_allows_and_refuses(name: str, case: dict[str, Any]) -> None:
    read = policy(case)
    wrong = [
        f"{text}: {ruling}"
        for expected in (True, False)
        for text in case["allowed" if expected else "refused"]
        if (ruling := argo_policy.decide(read, request(text))).allowed is not expected
    ]
    assert wrong == [], name


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("this, is, not, a, good, policy", "a line begins with p or g, not with 'this'"),
        ("p, alice, applications, get, shop/*", "has 5 fields instead of 6: p, SUBJECT, RESOURCE, ACTION, OBJECT, allow|deny"),
        ("g, alice", "has 2 fields instead of 3: g, USER-OR-GROUP, ROLE"),
        ("g, alice, role:x, domain", "has 4 fields instead of 3: g, USER-OR-GROUP, ROLE"),
        ('p, "alice, x', 'a quote opens where a field has begun, or does not close; write "field" with both quotes or none'),
        ('p, al"ice, x', 'a quote opens where a field has begun, or does not close; write "field" with both quotes or none'),
        (
            "\ufeffp, alice, *, *, *, allow",
            "begins with a byte order mark, which Argo CD takes for a part of the line; save the file without one",
        ),
        ("p2, a, b, c, d, allow", "a line begins with p or g, not with 'p2'"),
    ],
)
def test_a_line_that_argo_cd_would_not_take_is_named(text: str, rule: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        argo_policy.read(f"# first\n{text}\n", file="policy.csv")
    assert refused.value.problems == {"policy.csv:2": rule}


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("alice get applications shop/web", "alice → role:dev: policy.csv:1: p, role:dev, applications, get, shop/*, allow"),
        ("alice sync applications shop/web", "no line allows alice to sync applications shop/web"),
        ("alice delete applications shop/db", "policy.csv:3: p, alice, applications, delete, shop/db, deny"),
        (
            "bob+devs get applications shop/web",
            "as a member of devs: devs → role:dev: policy.csv:1: p, role:dev, applications, get, shop/*, allow",
        ),
        (
            "bob+direct get applications shop/web",
            (
                "no line allows bob or direct to get applications shop/web; "
                "Argo CD looks at a group only if a g line names it, and none names direct"
            ),
        ),
    ],
)
def test_the_answer_names_its_line(text: str, because: str) -> None:
    lines = (
        "p, role:dev, applications, get, shop/*, allow",
        "g, alice, role:dev",
        "p, alice, applications, delete, shop/db, deny",
        "g, devs, role:dev",
        "p, direct, applications, get, shop/*, allow",
    )
    assert argo_policy.decide(argo_policy.read("\n".join(lines), file="policy.csv"), request(text)).because == because


def test_a_project_whose_roles_argo_cd_passes_over_is_named() -> None:
    broken = argo_roles.policy("shop", {"roles": [{"name": "ci", "policies": ["p, proj:shop:ci"]}]}, where="shop.yaml:1")
    asked = request("proj:shop:ci sync applications shop/web")
    assert argo_policy.decide(argo_policy.Policy(projects={"shop": broken}), asked).because == (
        "no line allows proj:shop:ci to sync applications shop/web; Argo CD passes over all roles of project shop, for shop.yaml:1: "
        "spec.roles[0].policies:1: has 2 fields instead of 6: p, SUBJECT, RESOURCE, ACTION, OBJECT, allow|deny"
    )


def test_a_resource_that_argo_cd_does_not_have_is_said_to_be_none() -> None:
    because = argo_policy.decide(argo_policy.Policy(), request("ana sail boats shop/web")).because
    assert because.startswith(
        "no line allows ana to sail boats shop/web; Argo CD asks about no such resource: it has accounts, applications,"
    )
