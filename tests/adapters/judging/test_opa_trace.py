"""The lines of a rule as a real OPA evaluated them: what held, what failed, with which values, and never too much of it."""

from typing import Any

import pytest

from plane import config
from plane.adapters.judging import opa_files, opa_sets, opa_trace
from plane.domain import errors
from plane.domain.judging import policy, styles, traces

SHIPPED = opa_files.shipped()
TRACER = opa_trace.Tracer(opa_sets.Compiler(config.program("opa"), SHIPPED.base), shipped=SHIPPED.texts.values())
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
Json = dict[str, Any]
RULE = """package plane.rules.own

violations contains {"message": message} if {
	some container in input.manifest.spec.containers
	not approved(container)
	container.replicas > input.parameters.most
	message := sprintf("%s is large", [container.name])
}

release_violations contains {"message": "it is shop's", "object": index} if {
	some index, manifest in input.manifests
	startswith(manifest.metadata.name, "w")
}

approved(container) if container.name in {"one", "two"}
"""


def pod(name: str, *containers: Json) -> Json:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": list(containers)}}


QUESTION = policy.PolicyInput(
    (pod("web", {"name": "one"}, {"name": "big", "replicas": 9}, {"name": "small", "replicas": 1}, {"name": "none"}), pod("other")),
    CONTEXT,
    {"most": 3},  # type: ignore[dict-item]  # a rule may read what is no mapping
)


def own(text: str = RULE, style: styles.Style = styles.PLANE) -> policy.PolicyFiles:
    return policy.policy_files("own", {"own.rego": text}, style)


def lines(trace: traces.Trace) -> dict[int, tuple[int, int]]:
    """Row → how often it held and failed."""
    return {line.row: (line.held, line.failed) for one in trace.definitions for line in one.lines}


def samples(trace: traces.Trace, row: int) -> list[tuple[str, str, dict[str, str]]]:
    """What a row was each time."""
    found = [line for one in trace.definitions for line in one.lines if line.row == row]
    return [(one.outcome, one.expression, one.values) for line in found for one in line.samples]


@pytest.fixture(scope="module")
def about_web() -> traces.Trace:
    return TRACER.trace(own(), QUESTION, traces.Wish("own", 0))


def test_each_line_says_how_often_it_held_and_failed(about_web: traces.Trace) -> None:
    assert about_web.found == ("big is large", "it is shop's")
    assert lines(about_web) == {4: (4, 0), 5: (3, 1), 6: (1, 2), 7: (1, 0), 11: (2, 0), 12: (1, 1), 15: (1, 3)}
    assert [(one.name, one.row, one.entered, one.held) for one in about_web.definitions] == [
        ("violations", 3, 1, 1),
        ("release_violations", 10, 1, 1),
        ("approved", 15, 4, 1),
    ]


def test_a_line_that_failed_is_shown_with_its_values(about_web: traces.Trace) -> None:
    (line,) = [line for one in about_web.definitions for line in one.lines if line.row == 6]
    assert line.text == "container.replicas > input.parameters.most"
    assert [(one.outcome, one.expression, one.values) for one in line.samples] == [
        ("held", "", {"container.replicas": "9", "input.parameters.most": "3"}),
        ("failed", "1 > 3", {"container.replicas": "1", "input.parameters.most": "3"}),
        ("failed", "_ = container.replicas", {"container.replicas": "undefined", "input.parameters.most": "3"}),
    ]


def test_what_a_release_rule_found_in_another_object_is_not_about_this_one() -> None:
    assert TRACER.trace(own(), QUESTION, traces.Wish("own", 1)).found == ()


def test_the_lines_of_what_rules_share_come_when_asked_for() -> None:
    question = policy.PolicyInput((pod("web", {"name": "one", "securityContext": {"privileged": True}}),), CONTEXT)
    short, long = (TRACER.trace(SHIPPED.rules, question, traces.Wish("W01", 0, library)) for library in (False, True))
    assert [(one.file, one.name, one.shipped) for one in short.definitions] == [("privileged.rego", "violations", True)]
    assert {"lib/lib.rego", "privileged.rego"} <= {one.file for one in long.definitions}


def test_who_may_not_read_a_set_has_rows_and_counts_alone(about_web: traces.Trace) -> None:
    bare = traces.without_texts(about_web)
    assert lines(bare) == lines(about_web)
    assert not [line for one in bare.definitions for line in one.lines if line.text or line.samples]
    assert not [one for one in about_web.definitions if one.shipped]


def test_values_and_lines_are_cut() -> None:
    body = f'violations contains {{"message": x}} if {{\n\tx := concat("", ["{"y" * 900}", input.manifest.kind])\n}}\n'
    (one,) = TRACER.trace(own(f"package plane.rules.own\n\n{body}"), QUESTION, traces.Wish("own", 0)).definitions
    assert all(len(said) <= traces.TEXT for line in one.lines for said in (line.text, *line.samples[0].values.values()))


def test_a_rule_of_conftest_is_traced_about_one_object() -> None:
    text = 'package main\n\ndeny contains "no" if {\n\tinput.kind == "Pod"\n\tinput.metadata.name == "web"\n}\n'
    files = own(text, styles.Style("conftest"))
    found = [TRACER.trace(files, QUESTION, traces.Wish("deny", number)) for number in (0, 1)]
    assert [(one.found, lines(one)[5]) for one in found] == [(("no",), (1, 0)), ((), (0, 1))]
    assert samples(found[1], 5) == [("failed", 'input.metadata.name = "web"', {"input.metadata.name": '"other"'})]


def test_of_conftest_one_rule_is_traced_and_no_other() -> None:
    text = 'package main\n\ndeny contains "no" if input.kind == "Pod"\n\nwarn contains "hm" if input.kind == "Pod"\n'
    found = TRACER.trace(own(text, styles.Style("conftest")), QUESTION, traces.Wish("warn", 0))
    assert (found.found, [one.name for one in found.definitions]) == (("hm",), ["warn"])


def test_what_conftest_asks_about_all_objects_is_traced_about_them_all() -> None:
    text = 'package main\n\ndeny contains file.path if {\n\tsome file in input\n\tfile.contents.metadata.name == "web"\n}\n'
    found = TRACER.trace(own(text, styles.Style("conftest", combine=True)), QUESTION, traces.Wish("deny"))
    assert (found.object, found.found, lines(found)[5]) == ("the release", ("Pod web",), (1, 1))


TEMPLATE = """
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: named}
spec:
  crd: {spec: {names: {kind: Named}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package named

        violation[{"msg": msg}] {
          wanted := input.parameters.name
          input.review.object.metadata.name != wanted
          count(data.inventory.cluster["v1"].Pod) > 1
          msg := "another name"
        }
"""
CONSTRAINT = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: Named\nmetadata: {name: all}\nspec: {parameters: {name: web}}\n"


def test_a_constraint_of_gatekeeper_is_traced_with_its_review_parameters_and_inventory() -> None:
    named = policy.policy_files("own", {"a.yaml": TEMPLATE, "b.yaml": CONSTRAINT}, styles.Style("gatekeeper"))
    good, bad = (TRACER.trace(named, QUESTION, traces.Wish("Named.all", number)) for number in (0, 1))
    assert (good.found, bad.found) == ((), ("another name",))
    assert samples(good, 5) == [("failed", '"web" != "web"', {"input.review.object.metadata.name": '"web"', "wanted": '"web"'})]
    assert lines(bad)[6] == (1, 0)
    assert [one.file for one in bad.definitions] == ["named.rego"]


ADMISSION = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicas}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  variables: [{name: first, expression: "object.spec.containers[0]"}]
  validations:
    - expression: "variables.first.name != 'input.kind' && size(object.spec.containers) < 2"
      messageExpression: "'too many in ' + object.metadata.name"
    - expression: "object.spec.nope == 1"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: all}
spec: {policyName: replicas, validationActions: [Deny]}
"""


def test_each_expression_of_an_admission_policy_says_what_it_read() -> None:
    files = policy.policy_files("own", {"a.yaml": ADMISSION}, styles.Style("admission"))
    found = TRACER.trace(files, QUESTION, traces.Wish("replicas.all", 0))
    assert "too many in web" in found.found
    told = [(one.name, one.row, one.held) for one in found.definitions]
    assert told == [("variable first", 7, 1), ("validation 1", 9, 0), ("message 1", 10, 1), ("validation 2", 11, 0)]
    (first,) = samples(found, 9)
    assert first[:2] == ("failed", "false")
    assert first[2]["variables.first.name"] == '"one"'
    assert set(first[2]) == {"object.spec.containers", "variables.first.name"}
    ((_, said, values),) = samples(found, 11)
    assert "nope" in said
    assert values == {"object.spec.nope": "undefined"}


@pytest.mark.parametrize(
    ("files", "wish", "said"),
    [
        (own(), traces.Wish("W99", 0), "has no rule 'W99'; it has own"),
        (own("package plane.rules.own\n\nviolations := set()\n"), traces.Wish("own"), "is asked about each object; name one"),
        (policy.policy_files("own", {"a.yaml": ADMISSION}, styles.Style("admission")), traces.Wish("x", 0), "has the rules replicas.all"),
        (
            policy.policy_files("own", {"a.yaml": TEMPLATE, "b.yaml": CONSTRAINT}, styles.Style("gatekeeper")),
            traces.Wish("x", 0),
            "it has Named",
        ),
        (own('package main\n\ndeny contains "no"\n', styles.Style("conftest")), traces.Wish("warn", 0), "has no rule 'warn'; it has deny"),
    ],
)
def test_what_cannot_be_traced_says_why(files: policy.PolicyFiles, wish: traces.Wish, said: str) -> None:
    with pytest.raises(errors.Invalid, match=said):
        TRACER.trace(files, QUESTION, wish)


def test_a_builtin_that_fails_is_named_with_its_reason() -> None:
    text = 'package plane.rules.own\n\nviolations contains {"message": x} if x := to_number(input.manifest.kind)\n'
    with pytest.raises(policy.PolicyFailed, match="policy set own: OPA could not evaluate it"):
        TRACER.trace(own(text), QUESTION, traces.Wish("own", 0))


def test_a_rule_that_loops_or_tells_too_much_ends() -> None:
    compiler = opa_sets.Compiler(config.program("opa"), SHIPPED.base, memory_bytes=256 * 1024**2)
    loops = 'violations contains {"message": "x"} if {\n\tsome i in numbers.range(1, 10000000)\n\ti < 0\n}\n'
    ends = r"policy set own: (no answer within 3 s|OPA ended before it answered|its trace is longer)"
    with pytest.raises(policy.PolicyFailed, match=ends):
        opa_trace.Tracer(compiler, deadline_s=3).trace(own(f"package plane.rules.own\n\n{loops}"), QUESTION, traces.Wish("own", 0))
