"""`plane try policy`: a list, a verdict and an exit code, with a real OPA and nothing else."""

import json
import pathlib

import pytest
from click import testing

from plane.cli.trying import trial_policy

BAD = """apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app.kubernetes.io/name: web}}
spec: {template: {spec: {containers: [{name: main, image: app, resources: {requests: {cpu: 1, memory: 1Gi}}}]}}}
"""
ODD = {"context.yaml": "projcet: {}\n", "odd.yaml": "I01: {registry: [a]}\n"}
GOOD = BAD.replace("image: app,", "image: app:1,")


@pytest.fixture
def run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> testing.CliRunner:
    monkeypatch.chdir(tmp_path)
    return testing.CliRunner()


def write(name: str, text: str) -> str:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return name


def test_what_breaks_a_rule_is_refused(run: testing.CliRunner) -> None:
    result = run.invoke(trial_policy.command, [write("web.yaml", BAD), "-o", "json"])
    answer = json.loads(result.stdout)
    assert result.exit_code == 1
    assert answer["violations"] == [
        {
            "policy": "starter",
            "rule": "I02",
            "object": "apps/Deployment shop/web",
            "message": 'container "main" has image "app" without a tag, which means latest',
            "severity": "high",
            "path": "/spec/template/spec/containers/0/image",
            "remedy": "Name a version (image:1.4.2) or a digest (image@sha256:…).",
            "file": "web.yaml:5",
            "mode": "deny",
        }
    ]
    assert (answer["verdict"]["allowed"], answer["verdict"]["error"]) == (False, "")


def test_what_keeps_all_rules_is_allowed(run: testing.CliRunner) -> None:
    result = run.invoke(trial_policy.command, ["-", "-o", "json"], input=GOOD)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["violations"] == []
    assert json.loads(result.stdout)["verdict"]["allowed"] is True


def test_a_person_reads_object_place_and_fix(run: testing.CliRunner) -> None:
    result = run.invoke(trial_policy.command, [write("web.yaml", BAD)])
    assert result.stdout.splitlines() == [
        'web.yaml:5: apps/Deployment shop/web: container "main" has image "app" without a tag, which means latest [I02, high]',
        "    To fix: Name a version (image:1.4.2) or a digest (image@sha256:…).",
        "refused: 1 violation",
    ]


def test_rules_of_ones_own_take_the_place_of_the_shipped_ones(run: testing.CliRunner) -> None:
    write("mine/own.rego", 'package plane.rules.own\n\nviolations contains {"message": "no"} if input.manifest.kind == "Service"\n')
    result = run.invoke(trial_policy.command, ["--policies", "mine", write("web.yaml", BAD), "-o", "json"])
    (found,) = json.loads(result.stdout)["violations"]
    assert (found["policy"], found["rule"], found["message"], found["file"]) == ("mine", "own", "no", "web.yaml:1")


def test_the_shipped_folder_itself_is_a_set(run: testing.CliRunner) -> None:
    folder = pathlib.Path(__file__).parents[2] / "policies"
    result = run.invoke(trial_policy.command, ["--policies", str(folder), write("web.yaml", BAD)])
    assert (result.exit_code, "I02" in result.stdout) == (1, True)


def test_parameters_come_from_a_file(run: testing.CliRunner) -> None:
    parameters = write("parameters.yaml", "I01: {registries: [registry.example]}\n")
    result = run.invoke(trial_policy.command, ["--parameters", parameters, write("web.yaml", GOOD)])
    assert 'container "main" has image "app:1", which is not from an allowed registry (registry.example)' in result.stdout


def test_a_profile_counts_under_its_modes(run: testing.CliRunner) -> None:
    result = run.invoke(trial_policy.command, ["--profile", "recommended", write("web.yaml", GOOD), "-o", "json"])
    answer = json.loads(result.stdout)
    assert {(one["rule"], one["mode"]) for one in answer["violations"]} >= {("W07", "warn"), ("W13", "audit")}
    assert (result.exit_code, answer["verdict"]["allowed"], answer["verdict"]["profile"]) == (0, True, "recommended")


SYSCTL = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  securityContext: {sysctls: [{name: net.ipv4.tcp_rmem, value: "4096"}]}
  containers: [{name: main, image: "app:1"}]
"""


@pytest.mark.parametrize(("version", "code"), [("v1.31", 1), ("v1.32", 0), ("latest", 0)])
def test_the_pod_security_standards_have_versions(run: testing.CliRunner, version: str, code: int) -> None:
    result = run.invoke(trial_policy.command, ["--profile", "pss-baseline", "--pss-version", version, write("web.yaml", SYSCTL)])
    assert result.exit_code == code, result.output


def test_the_context_says_what_else_rules_may_know(run: testing.CliRunner) -> None:
    context = write("context.yaml", "context: {project: shop}\nproject: {namespaces: [books]}\ncluster: {kinds: {apps/Deployment: {}}}\n")
    words = ["--profile", "baseline", "--kube-version", "v1.33", "--context", context, write("web.yaml", GOOD)]
    result = run.invoke(trial_policy.command, words)
    assert 'apps/Deployment shop/web: the namespace "shop" is none of the project\'s (books)' in result.stdout
    assert "Service shop/web: the cluster does not serve Service of v1 [D02, high]" in result.stdout


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("package plane.rules.own\n\nviolations contains {\n", "policy set mine does not compile: own.rego:4:0: unexpected eof"),
        ("package plane.rules.own\n\nviolations contains x\n", "own.rego:3:21: var x is unsafe"),
        ("package main\n\ndeny contains 1\n", "own.rego:1:1: a policy set consists of packages plane.rules.NAME"),
    ],
    ids=["syntax", "unsafe", "package"],
)
def test_a_policy_that_does_not_compile_names_the_place(run: testing.CliRunner, rule: str, sentence: str) -> None:
    write("mine/own.rego", rule)
    result = run.invoke(trial_policy.command, ["--policies", "mine", write("web.yaml", GOOD)])
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.output


def test_a_query_that_fails_is_a_refusal_with_its_reason(run: testing.CliRunner) -> None:
    write("mine/own.rego", 'package plane.rules.own\n\nviolations contains {"message": x} if x := to_number("x")\n')
    result = run.invoke(trial_policy.command, ["--policies", "mine", write("web.yaml", GOOD), "-o", "json"])
    verdict = json.loads(result.stdout)["verdict"]
    assert (result.exit_code, verdict["allowed"]) == (1, False)
    assert "OPA could not evaluate it" in verdict["error"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Missing argument"),
        (["absent.yaml"], "absent.yaml"),
        (["--policies", "absent", "web.yaml"], "absent"),
        (["--policies", "empty", "web.yaml"], "holds no .rego file"),
        (["broken.yaml"], "broken.yaml:3"),
        (["--parameters", "list.yaml", "web.yaml"], "list.yaml: is no mapping of rule ids to parameters"),
        (["--profile", "none", "web.yaml"], "there is no profile 'none'; choose one of baseline, "),
        (["--profile", "pss-baseline", "--pss-version", "1.30", "web.yaml"], "is no version of the Pod Security Standards"),
        (["--profile", "baseline", "--policies", "empty", "web.yaml"], "leave one out"),
        (["--context", "context.yaml", "web.yaml"], "context.yaml: is no context"),
        (["--parameters", "odd.yaml", "web.yaml"], "I01.registry: is no parameter of the rule; it has registries"),
    ],
    ids=["nothing", "no file", "no folder", "no rules", "broken", "parameters", "profile", "version", "both", "context", "odd"],
)
def test_wrong_use_is_one_sentence(run: testing.CliRunner, words: list[str], sentence: str) -> None:
    pathlib.Path("empty").mkdir()
    for name, text in {"web.yaml": GOOD, "broken.yaml": "apiVersion: v1\nkind: [\n", "list.yaml": "- 1\n", **ODD}.items():
        write(name, text)
    result = run.invoke(trial_policy.command, words)
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.output
    assert "Traceback" not in result.output


CONFTEST = """package main

deny_ports contains "no ports" if input.kind == "Service"

warn contains {"msg": "old", "severity": "low"} if input.kind == "Deployment"

deny_names contains sprintf("%s is no word", [input.metadata.name]) if not data.words[input.metadata.name]

exception contains ["names"] if input.kind == "Service"
"""


def test_policies_for_conftest_count_as_conftest_counts_them(run: testing.CliRunner) -> None:
    write("theirs/rules.rego", CONFTEST)
    result = run.invoke(
        trial_policy.command, ["--conftest", "theirs", "--data", write("d.yaml", "words: {shop: true}\n"), write("web.yaml", BAD)]
    )
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        [
            "web.yaml:1: Service shop/web: web is no word [deny_names, medium, exception]",
            "web.yaml:5: apps/Deployment shop/web: web is no word [deny_names, medium]",
            "web.yaml:1: Service shop/web: no ports [deny_ports, medium]",
            "web.yaml:5: apps/Deployment shop/web: old [warn, low, warn]",
            "refused: 3 violations, 1 exception",
        ],
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--conftest", "theirs", "--policies", "theirs"], "leave one out"),
        (["--conftest", "theirs", "--profile", "strict"], "leave one out"),
        (["--namespace", "main"], "name its folder"),
        (["--conftest", "theirs", "--namespace", "a b"], "'a b' is no package"),
        (["--conftest", "theirs", "--namespace", "pods"], "no rule deny, violation or warn in package pods; its packages are main"),
        (["--conftest", "theirs", "--rego-v0"], "does not compile: rules.rego:5"),
    ],
)
def test_wrong_use_of_conftests_policies_is_one_sentence(run: testing.CliRunner, words: list[str], sentence: str) -> None:
    write("theirs/rules.rego", CONFTEST)
    result = run.invoke(trial_policy.command, [*words, write("web.yaml", GOOD)])
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.output


GATEKEEPER = """apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: noports}
spec:
  crd: {spec: {names: {kind: NoPorts}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package noports
        violation[{"msg": msg}] { msg := sprintf("%v: no ports", [input.review.kind.kind]) }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoPorts
metadata: {name: services}
spec: {match: {kinds: [{apiGroups: [""], kinds: [Service]}]}}
"""


def test_constraints_for_gatekeeper_are_asked(run: testing.CliRunner) -> None:
    write("theirs/noports.yaml", GATEKEEPER)
    write("theirs/kustomization.yaml", "kind: Kustomization\nresources: [noports.yaml]\n")
    result = run.invoke(trial_policy.command, ["--gatekeeper", "theirs", write("web.yaml", BAD)])
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        ["web.yaml:1: Service shop/web: Service: no ports [NoPorts.services, medium]", "refused: 1 violation"],
    )
