"""ConstraintTemplates and constraints, asked by us, find what OPA finds when their modules are asked by hand."""

import json
import pathlib
import subprocess
from typing import Any

import msgspec
import pytest

from plane import config
from plane.adapters.judging import opa_files, opa_once
from plane.domain.judging import policy, styles
from plane.domain.reading import yaml_text
from tests.support import cases

OPA = config.program("opa")
ONCE = opa_once.Once(OPA, opa_files.shipped().base)
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
Json = dict[str, Any]
STYLE = styles.Style("gatekeeper")
CASES = [pytest.param(case, id=name) for name, case in cases.named("gatekeeper")]
REGO = 'package a\n\nviolation[{"msg": "no"}] { input.review.object.metadata.name }\n'


def template(kind: str = "Never", rego: str = REGO, **more: Any) -> Json:  # noqa: ANN401
    target = {"target": "admission.k8s.gatekeeper.sh", "rego": rego, **more}
    return {
        "kind": "ConstraintTemplate",
        "apiVersion": "templates.gatekeeper.sh/v1",
        "spec": {"crd": {"spec": {"names": {"kind": kind}}}, "targets": [target]},
    }


def constraint(kind: str = "Never", name: str = "one", **spec: Any) -> Json:  # noqa: ANN401
    return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def files(*bodies: Json) -> policy.PolicyFiles:
    return policy.policy_files("house", {f"{n}.yaml": yaml_text.dump(body) for n, body in enumerate(bodies)}, STYLE)


def ask(*bodies: Json, objects: list[Json], namespace: str = "") -> tuple[policy.Violation, ...]:
    context = msgspec.structs.replace(CONTEXT, namespace=namespace)
    return ONCE.violations(files(*bodies), policy.PolicyInput(tuple(objects), context))


@pytest.mark.parametrize("case", CASES)
def test_we_find_what_was_meant(case: Json) -> None:
    found = ask(*case["templates"], *case["constraints"], objects=case["objects"])
    assert sorted([one.object, one.rule, one.message, one.at_most] for one in found) == case["finds"]


def by_hand(case: Json, folder: pathlib.Path) -> set[tuple[str, str]]:
    """Constraint and message, of every pair of a constraint and an object, without any match."""
    inventory: Json = {"cluster": {}, "namespace": {}}
    for body in case["objects"]:
        meta = body["metadata"]
        top = inventory["namespace"].setdefault(meta["namespace"], {}) if "namespace" in meta else inventory["cluster"]
        top.setdefault(body["apiVersion"], {}).setdefault(body["kind"], {})[meta["name"]] = body
    (folder / "data.json").write_text(json.dumps({"inventory": inventory}))
    return {row for made in case["templates"] for row in _by_hand(case, made, folder)}


def _by_hand(case: Json, made: Json, folder: pathlib.Path) -> set[tuple[str, str]]:
    kind, target = made["spec"]["crd"]["spec"]["names"]["kind"], made["spec"]["targets"][0]
    source = target["code"][0]["source"] if "code" in target else target
    place = folder / kind
    place.mkdir()
    for n, text in enumerate([source["rego"], *source.get("libs", [])]):
        (place / f"{n}.rego").write_text(text)
    asked = [
        {
            "rule": f"{kind}.{one['metadata']['name']}",
            "input": {"review": _review(body), "parameters": one.get("spec", {}).get("parameters", {})},
        }
        for one in case["constraints"]
        if one["kind"] == kind
        for body in case["objects"]
    ]
    query = f"[[one.rule, found.msg] | one := input[_]; asked := one.input; found := data.{kind.lower()}.violation[_] with input as asked]"
    old = [] if source.get("version") == "v1" else ["--v0-compatible"]
    command = [OPA, "eval", *old, f"--data={place}", "--data=data.json", "--stdin-input", query]
    done = subprocess.run(command, cwd=folder, input=json.dumps(asked).encode(), capture_output=True, check=True)
    return {(rule, message) for rule, message in json.loads(done.stdout)["result"][0]["expressions"][0]["value"]}


def _review(body: Json) -> Json:
    group, _, version = body["apiVersion"].rpartition("/")
    meta = body["metadata"]
    kind = {"group": group, "version": version, "kind": body["kind"]}
    return {"kind": kind, "name": meta["name"], "namespace": meta.get("namespace", ""), "operation": "", "object": body}


@pytest.mark.parametrize("case", CASES)
def test_opa_asked_by_hand_says_so_too(case: Json, tmp_path: pathlib.Path) -> None:
    ours = {
        (one.rule, one.message)
        for body in case["constraints"]
        for one in ask(*case["templates"], {**body, "spec": {**body.get("spec", {}), "match": {}}}, objects=case["objects"])
    }
    assert ours == by_hand(case, tmp_path)


def test_an_object_lies_where_the_app_goes_when_it_does_not_say() -> None:
    bodies = (template(), constraint(match={"namespaces": ["prod"]}))
    pod, role = (
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "b"}},
    )
    assert [one.object for one in ask(*bodies, objects=[pod, role], namespace="prod")] == ["Node b", "Pod a"]
    assert [one.object for one in ask(*bodies, objects=[pod, role], namespace="dev")] == ["Node b"]


@pytest.mark.parametrize(
    ("bodies", "sentence"),
    [
        ([template()], "it has no constraint"),
        ([constraint()], "0.yaml:1: no template of this set defines the kind Never"),
        ([template(rego="package a\n\nviolation[{"), constraint()], "a.rego:3:11: unexpected eof token"),
        ([template(rego="package plane.main\n"), constraint()], "the package plane.main belongs to the plane"),
        ([template(rego="import data.a\n"), constraint()], "each module begins with `package NAME`"),
        ([template(), template("Other", REGO + "\nx = 1\n"), constraint()], "1.yaml:1: the package a is another one in 0.yaml:1"),
        ([template(target="other"), constraint()], "its one target must be admission.k8s.gatekeeper.sh"),
        ([template(code=[{"engine": "K8sNativeValidation", "source": {}}]), constraint()], "only Rego is asked"),
        ([template(), constraint(enforcementAction="shout")], "Invalid enum value 'shout'"),
        ([template(), constraint(match={"colour": "red"})], "unknown field `colour`"),
        (
            [template(), constraint(match={"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Gt"}]}})],
            "Invalid enum value 'Gt'",
        ),
        ([template(rego='package a\n\nviolation[{"msg": http.send({})}] { true }\n'), constraint()], "http.send"),
        ([template(), constraint(), {"kind": "Config", "apiVersion": "config.gatekeeper.sh/v1alpha1"}], "2.yaml:1: is neither"),
        ([template(rego='package a\n\nviolation["text"] { true }\n'), constraint()], "gave a result without a message"),
        ([template(rego='package a\n\nviolation[{"message": "x"}] { true }\n'), constraint()], "gave a result without a message"),
        ([template(), constraint(match={"namespaceSelector": {"matchLabels": {"a": "b"}}})], "the labels of namespace shop are not known"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(bodies: list[Json], sentence: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}
    with pytest.raises((policy.PolicyInvalid, policy.PolicyFailed)) as found:
        ask(*bodies, objects=[pod])
    said = "; ".join(found.value.problems) if isinstance(found.value, policy.PolicyInvalid) else str(found.value)
    assert sentence in said
