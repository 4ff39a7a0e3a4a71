"""Admission policies: we decide as a real API server does when the same object is created."""

import contextlib
import json
import urllib.error
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from plane import config
from plane.adapters.judging import opa_files, opa_once
from plane.domain.judging import policy, styles
from plane.domain.reading import yaml_text
from plane.run.devcluster import api, clusters
from tests.support import cases, waiting

ONCE = opa_once.Once(config.program("opa"), opa_files.shipped().base)
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
GROUP = "/apis/admissionregistration.k8s.io/v1"
Json = dict[str, Any]
CASES = dict(cases.named("admission"))
DATA = {"a": "x", "host": "a.example", "n": "3", "size": "1Gi", "b": "1", "c": ""}
CONFIG_MAPS = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]


def documents(case: Json, name: str, namespace: str, *, binding: Json | None = None) -> list[Json]:
    """Policy, binding and parameters of a case, about nothing but its object."""
    spec = {"matchConstraints": {"resourceRules": CONFIG_MAPS}, **case["spec"]}
    params = [config_map(f"{name}-params", namespace, case["params"])] if "params" in case else []
    ref = {"paramRef": {"name": f"{name}-params", "namespace": namespace, "parameterNotFoundAction": "Deny"}} if params else {}
    only = {"objectSelector": {"matchLabels": {"case": name}}}
    bound = {"policyName": name, "validationActions": ["Deny"], "matchResources": only, **ref, **(binding or {})}
    meta = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    return [
        {**meta, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**meta, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound},
        *params,
    ]


def config_map(name: str, namespace: str, values: Json, **labels: str) -> Json:
    meta = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": values}


def ask(bodies: list[Json], *objects: Json) -> tuple[policy.Violation, ...]:
    texts = {f"{n}.yaml": yaml_text.dump(body) for n, body in enumerate(bodies)}
    return ONCE.violations(policy.policy_files("house", texts, styles.Style("admission")), policy.PolicyInput(objects, CONTEXT))


def decided() -> dict[str, list[str]]:
    """What we say of every case, all asked at once: one policy and one object for each."""
    names = {f"case-{number}": name for number, name in enumerate(CASES)}
    bodies = [body for own, name in names.items() for body in documents(CASES[name], own, "shop")]
    objects = [config_map("case", "shop", DATA, case=own) for own in names]
    found = ask(bodies, *objects)
    return {name: [one.message for one in found if one.rule == f"{own}.{own}"] for own, name in names.items()}


def test_we_decide_as_was_meant() -> None:
    said = decided()
    wrong = {name: words for name, words in said.items() if not _meant(CASES[name], words)}
    assert not wrong, json.dumps(wrong, indent=1)


def _meant(case: Json, words: list[str]) -> bool:
    if case.get("fails"):
        return ["resulted in error" in one for one in words] == [True]
    return words == ([case["denies"]] if case["denies"] else [])


class Server:
    """A namespace of a real API server in which every case's policy holds for objects of its label."""

    def __init__(self, admin: api.Api, namespace: str) -> None:
        self._admin, self.namespace = admin, namespace
        self._run = uuid.uuid4().hex[:8]
        self.names = {name: f"{self._run}-{number}" for number, name in enumerate(CASES)}

    def install(self) -> None:
        """All of it, and last what shows that the server has seen it."""
        self.names["last"] = f"{self._run}-last"
        for name, own in self.names.items():
            case = CASES.get(name, {"spec": {"validations": [{"expression": "false", "message": "seen"}]}})
            for body in reversed(documents(case, own, self.namespace)):
                refusal = self._refused(self._path(body), body)
                assert not refusal, refusal
        waiting.until(lambda: bool(self.denial("last")), lambda: "the API server has not taken up the policies")

    def remove(self) -> None:
        for own in self.names.values():
            for plural in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
                with contextlib.suppress(urllib.error.HTTPError):  # one that was never made
                    self._admin.delete(f"{GROUP}/{plural}/{own}")

    def denial(self, name: str) -> str:
        """What the server says against the object; empty: it would make it."""
        body = config_map("case", self.namespace, DATA, case=self.names[name])
        return self._refused(f"/api/v1/namespaces/{self.namespace}/configmaps?dryRun=All", body)

    def _refused(self, path: str, body: Json) -> str:
        try:
            self._admin.create(path, body)
        except urllib.error.HTTPError as error:
            return str(json.load(error)["message"])
        return ""

    def _path(self, body: Json) -> str:
        if body["kind"] == "ConfigMap":
            return f"/api/v1/namespaces/{self.namespace}/configmaps"
        return f"{GROUP}/{'validatingadmissionpolicies' if body['kind'].endswith('Policy') else 'validatingadmissionpolicybindings'}"


@pytest.fixture
def server(cluster: clusters.DevCluster, namespace: str) -> Iterator[Server]:
    found = Server(api.admin(cluster.folder, cluster.server), namespace)
    try:
        found.install()
        yield found
    finally:
        found.remove()


def test_a_real_api_server_decides_so_too(server: Server) -> None:
    said = {name: server.denial(name) for name in CASES}
    wrong = {name: words for name, words in said.items() if not _fits(CASES[name], words)}
    assert not wrong, json.dumps(wrong, indent=1)


def _fits(case: Json, words: str) -> bool:
    if case["denies"] or case.get("fails"):
        return bool(words) and case["denies"] in words
    return not words


DENY_ALL: Json = {"spec": {"validations": [{"expression": "false", "message": "no"}]}}


def refusal(bodies: list[Json], *objects: Json) -> str:
    with pytest.raises((policy.PolicyInvalid, policy.PolicyFailed)) as found:
        ask(bodies, *(objects or (config_map("case", "shop", DATA, case="p"),)))
    return "; ".join(found.value.problems) if isinstance(found.value, policy.PolicyInvalid) else str(found.value)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"validations": [{"expression": "authorizer.group('').resource('pods').check('get').allowed()"}]}, "only the API server can"),
        ({"validations": [{"expression": "request.userInfo.username == 'ada'"}]}, "request.userInfo.username"),
        ({"validations": [{"expression": "size(request) > 1"}]}, "is of the request"),
        ({"validations": [{"expression": "params.a == 1"}]}, "has no paramKind"),
        (
            {"validations": [{"expression": "!format.dns1123Label().validate(object.data.a).hasValue()"}]},
            "is no CEL that is evaluated here: 1:2: undeclared reference to 'format'",
        ),
        (
            {"failurePolicy": "Ignore", "validations": [{"expression": "object.data.a.findAll('x*') == []"}]},
            "what findAll gives for 'x*', which looks at what is around, or matches nothing at all too",
        ),
        (
            {"failurePolicy": "Ignore", "validations": [{"expression": "isURL('mailto:' + object.data.a)"}]},
            "whether 'mailto:x' is a URL",
        ),
        (
            {"variables": [{"name": "a", "expression": "object.data.?a"}], "validations": [{"expression": "variables.a.hasValue()"}]},
            "'object.data.?a' gives an optional or a type, which no other expression hears of here; end it with orValue",
        ),
        (
            {"variables": [{"name": "a", "expression": "[type(object)]"}], "validations": [{"expression": "true"}]},
            "'[type(object)]' gives an optional or a type",
        ),
        ({"validations": [{"expression": "object.data."}]}, "is no CEL that is evaluated here"),
        ({"validations": [{"expression": "object.data.a"}]}, "must give true or false and gives DYN"),
        ({"validations": [{"expression": "true", "messageExpression": "1"}]}, "must give a text and gives INT"),
        ({"validations": [{"expression": "namespaceObject.metadata.name == 'shop'"}]}, "reads the Namespace shop, which is not known"),
        ({"validations": [{"expression": "true"}], "more": 1}, "unknown field `more`"),
        (
            {
                "matchConstraints": {"resourceRules": [{**CONFIG_MAPS[0], "operations": ["UPDATE"]}]},
                "validations": [{"expression": "true"}],
            },
            "is not about CREATE",
        ),
        (
            {"matchConstraints": {"resourceRules": CONFIG_MAPS, "namespaceSelector": {"matchLabels": {"a": "b"}}}},
            "the labels of namespace shop are not known",
        ),
        ({"matchConstraints": {"resourceRules": [{**CONFIG_MAPS[0], "apiVersions": ["v2"]}]}}, "matchPolicy Equivalent may mean"),
    ],
)
def test_what_only_the_api_server_knows_is_refused_with_the_reason(spec: Json, sentence: str) -> None:
    assert sentence in refusal(documents({"spec": spec}, "p", "shop"))


def test_a_binding_of_nothing_is_refused() -> None:
    rules, bound = documents(DENY_ALL, "p", "shop")
    assert "it has no ValidatingAdmissionPolicyBinding" in refusal([rules])
    assert "the policy p is in no file of the set" in refusal([bound])
    missing = documents({"spec": {**DENY_ALL["spec"], "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}, "params": {}}, "p", "shop")
    assert "its parameters (ConfigMap) are in no file of the set" in refusal(missing[:2])


def test_a_custom_kind_is_matched_by_the_definition_that_comes_along() -> None:
    rules = [{"apiGroups": ["acme.example"], "apiVersions": ["*"], "operations": ["*"], "resources": ["mice"]}]
    bodies = documents(
        {"spec": {**DENY_ALL["spec"], "matchConstraints": {"resourceRules": rules}}}, "p", "shop", binding={"matchResources": {}}
    )
    mouse = {"apiVersion": "acme.example/v1", "kind": "Mouse", "metadata": {"name": "m", "namespace": "shop"}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "mice.acme.example"},
        "spec": {"group": "acme.example", "scope": "Namespaced", "names": {"kind": "Mouse", "plural": "mice"}},
    }
    assert [one.object for one in ask(bodies, mouse, definition)] == ["acme.example/Mouse shop/m"]
    assert "the resource of kind Mouse in acme.example is not known" in refusal(bodies, mouse)


@pytest.mark.parametrize(("actions", "mode"), [(["Deny"], "deny"), (["Warn", "Audit"], "warn"), (["Audit"], "audit")])
def test_a_bindings_actions_are_what_it_may_do_at_most(actions: list[str], mode: policy.Mode) -> None:
    bodies = documents(DENY_ALL, "p", "shop", binding={"validationActions": actions})
    assert [one.at_most for one in ask(bodies, config_map("case", "shop", DATA, case="p"))] == [mode]


def test_an_expression_that_takes_too_many_steps_is_a_denial_whatever_its_failure_policy() -> None:
    loops = "[" + ",".join(["1"] * 60) + "]"
    nested = f"{loops}.all(a, {loops}.all(b, {loops}.all(c, {loops}.all(d, a + b + c + d > 0))))"
    spec = {"failurePolicy": "Ignore", "validations": [{"expression": nested}]}
    assert "Iteration budget exceeded" in refusal(documents({"spec": spec}, "p", "shop"))
