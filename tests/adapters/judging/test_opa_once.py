"""An OPA that is asked once says what the one that serves says."""

import contextlib
from typing import Any

import pytest

from plane import config
from plane.adapters.judging import opa, opa_files, opa_once
from plane.domain.judging import policy, styles

SHIPPED = opa_files.shipped()
ONCE = opa_once.Once(config.program("opa"), SHIPPED.base)
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
Json = dict[str, Any]
POD: Json = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}
RUNNING: Json = {
    **POD,
    "spec": {"hostNetwork": True, "containers": [{"name": "main", "image": "nginx", "securityContext": {"privileged": True}}]},
}
QUESTION = policy.PolicyInput((RUNNING,), CONTEXT, {})


MANY = 'many(one) := concat("", [one | some _ in numbers.range(1, 5000)])\n'


def rules(body: str) -> policy.PolicyFiles:
    return policy.policy_files("own", {"own.rego": f"package plane.rules.own\n\n{body}\n"})


def said(engine: opa.Opa | opa_once.Once, files: policy.PolicyFiles) -> object:
    """The violations, or the refusal."""
    try:
        return engine.violations(files, QUESTION)
    except (policy.PolicyInvalid, policy.PolicyFailed) as error:
        return type(error), str(error)


def test_both_say_the_same() -> None:
    sets = [
        SHIPPED.rules,
        policy.policy_files("old", {"a.rego": "package main\n\nwarn[msg] { msg := input.kind }\n"}, styles.Style("conftest", (), "v0")),
        rules('violations contains {"message": "no"}'),
        rules('violations contains {"message": "no"} if input.manifest.kind == "Job"'),
        rules("violations contains x if {\n\ty == 1\n}"),
        rules('violations contains {"message": x} if x := http.send({"url": "http://x.example", "method": "GET"})'),
        rules('import data.foo\n\nviolations contains {"message": "x"}'),
        rules('deny contains "x"'),
        rules('violations contains "text"'),
        rules("violations := true"),
        rules('violations contains {"message": "x", "more": json.unmarshal(sprintf("%s%s", [many("["), many("]")]))}\n\n' + MANY),
        rules('violations contains {"msg": "x"}'),
        rules('violations contains {"message": x} if x := to_number("x")'),
        rules("violations := 1 if input.manifest.kind\n\nviolations := 2 if input.manifest.kind"),
    ]
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base)) as served:
        assert [said(ONCE, one) for one in sets] == [said(served, one) for one in sets]
    assert said(ONCE, SHIPPED.rules)


def test_a_rule_that_loops_ends_at_the_deadline() -> None:
    loops = rules('violations contains {"message": "x"} if numbers.range(1, 100000)[_] * numbers.range(1, 100000)[_] == -1')
    with pytest.raises(policy.PolicyFailed, match="no answer within 1 s"):
        opa_once.Once(config.program("opa"), SHIPPED.base, deadline_s=1).violations(loops, QUESTION)


def test_a_rule_that_eats_memory_is_a_failure() -> None:
    hungry = rules('violations contains {"message": "x"} if count(numbers.range(1, 8000000)) == 1')
    with pytest.raises(policy.PolicyFailed, match=r"OPA ended before it answered: (fatal|runtime|SIG)"):
        opa_once.Once(config.program("opa"), SHIPPED.base, memory_bytes=256 * 1024**2).violations(hungry, QUESTION)


def test_a_driver_that_says_nothing_is_a_failure() -> None:
    base = {**SHIPPED.base, "main.rego": "package plane.other\n"}
    with pytest.raises(policy.PolicyFailed, match="undefined"):
        opa_once.Once(config.program("opa"), base).violations(rules('violations contains {"message": "no"}'), QUESTION)
