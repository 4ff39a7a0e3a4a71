"""`plane import argocd-project`: what AppProjects become, what is said about it, and that nothing becomes wider."""

import json
import pathlib
from typing import Any

import msgspec
import pytest
import yaml
from click import testing

from plane.cli.importing import importer
from plane.cli.importing import projects as importing
from plane.domain import objects, tenancy
from plane.domain.permitting import projects
from tests.support import cases

SERVER = "https://prod.example"
WHOLE = {
    "description": "The shop",
    "sourceRepos": ["https://git.example/a/*", "!https://git.example/a/attic"],
    "destinations": [{"server": SERVER, "namespace": "shop"}, {"name": "dev", "namespace": "!kube-*"}, {"server": "https://gone.example"}],
    "namespaceResourceBlacklist": [{"group": "", "kind": "ResourceQuota"}],
    "orphanedResources": {"warn": False, "ignore": [{"group": "", "kind": "ConfigMap", "name": "x-*"}]},
    "syncWindows": [{"kind": "deny", "schedule": "0 10 * * *", "duration": "2h", "applications": ["*"], "manualSync": True}],
    "destinationServiceAccounts": [{"server": SERVER, "namespace": "shop", "defaultServiceAccount": "shop-ops:deployer"}],
    "roles": [{"name": "ci", "policies": ["p, proj:shop:ci, applications, sync, shop/*, allow"]}],
    "sourceNamespaces": ["team"],
    "signatureKeys": [{"keyID": "4AEE18F83AFDEB23"}],
    "permitOnlyProjectScopedClusters": True,
}


def app_project(name: str, spec: dict[str, Any], **labels: str) -> dict[str, Any]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": name, "labels": labels}, "spec": spec}


def run(folder: pathlib.Path, *found: dict[str, Any], words: tuple[str, ...] = ("-o", "json")) -> testing.Result:
    (folder / "projects.yaml").write_text(yaml.safe_dump_all(found))
    return testing.CliRunner().invoke(importer.group, ["argocd-project", str(folder / "projects.yaml"), *words])


def told(result: testing.Result) -> tuple[list[dict[str, Any]], dict[str, str]]:
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    return found["documents"], {note["field"]: note["effect"] for note in found["notes"]}


def test_every_field_is_taken_over_or_named(tmp_path: pathlib.Path) -> None:
    [project], notes = told(run(tmp_path, app_project("shop", WHOLE, tier="gold"), words=("-o", "json", "--cluster", f"{SERVER}=prod-1")))
    spec = project["spec"]
    assert project["metadata"] == {"name": "shop", "labels": {"tier": "gold"}}
    assert spec["destinations"] == [{"cluster": "prod-1", "namespace": "shop"}, {"cluster": "dev", "namespace": "!kube-*"}]
    assert spec["clusterResourceWhitelist"] == []
    assert spec["destinationServiceAccounts"] == [{"defaultServiceAccount": "shop-ops:deployer", "cluster": "prod-1", "namespace": "shop"}]
    assert (spec["orphanedResources"]["warn"], len(spec["syncWindows"]), spec["permitOnlyProjectScopedClusters"]) == (False, 1, True)
    assert notes == {
        "sourceRepos": "safer here", "destinations": "safer here", "destinations[1]": "safer here", "destinations[2]": "no equivalent",
        "destinationServiceAccounts": "safer here", "destinationServiceAccounts[0]": "safer here",
        "roles": "no equivalent", "sourceNamespaces": "no equivalent",
        "signatureKeys": "no equivalent", "permitOnlyProjectScopedClusters": "changed",
    }  # fmt: skip


def test_a_name_where_argo_cd_knows_none_makes_no_denial_narrower(tmp_path: pathlib.Path) -> None:
    spec = {"namespaceResourceBlacklist": [{"group": "", "kind": "Secret", "name": "x"}]}
    [project], notes = told(run(tmp_path, app_project("shop", spec)))
    assert project["spec"]["namespaceResourceBlacklist"] == [{"kind": "Secret"}]
    assert notes["namespaceResourceBlacklist"] == "changed"


def test_a_project_without_a_name_is_printed_and_said_to_need_one(tmp_path: pathlib.Path) -> None:
    nameless = app_project("shop", {}) | {"metadata": {"name": {}}}
    _, notes = told(run(tmp_path, nameless))
    assert notes["metadata.name"] == "changed"


def test_an_empty_project_allows_nothing_here_either(tmp_path: pathlib.Path) -> None:
    [project], _ = told(run(tmp_path, app_project("shop", {})))
    rules = msgspec.convert(project["spec"], tenancy.ProjectSpec)
    assert projects.source(rules, "https://git.example/a", name="shop")
    assert projects.place(rules, projects.Where("prod", "shop"), name="shop")
    assert tenancy.check_project(rules) == {}


def test_a_global_project_is_inherited_by_label(tmp_path: pathlib.Path) -> None:
    selector = "{matchLabels: {a: b}, matchExpressions: [{key: opt, operator: NotIn, values: [off-1, never]}]}"
    data = {"globalProjects": f"- {{projectName: all, labelSelector: {selector}}}"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": data}
    [project], _ = told(run(tmp_path, app_project("all", {"sourceRepos": ["*"]}), config))
    assert project["spec"]["inheritedBy"] == "a=b,opt notin (off-1,never)"


READ_OTHERWISE = {"braces are no choice in Argo CD", "a trailing slash"}  # as the notes and the docs say


def become(spec: dict[str, Any]) -> tenancy.ProjectSpec:
    found = [(objects.Position("projects.yaml", 1), app_project("shop", spec))]
    return importing.imported(found, {SERVER: "prod", "https://kubernetes.default.svc": "in-cluster"}, tenant="")[0].document.spec


def test_no_source_is_allowed_that_argo_cd_does_not_allow() -> None:
    for case in cases.load("projects/sources.yaml"):
        allowed = projects.source(become({"sourceRepos": case["repos"]}), case["repo"], name="shop") == ""
        assert case["argo"] or not allowed or case["name"] in READ_OTHERWISE, case["name"]


def test_no_place_is_allowed_that_argo_cd_does_not_allow() -> None:
    for case in cases.load("projects/destinations.yaml"):
        asked = case["destination"]
        where = projects.Where(asked.get("name", ""), asked.get("namespace", ""))
        allowed = projects.place(become({"destinations": case["destinations"]}), where, name="shop") == ""
        assert case["argo"] or not allowed or not (asked.get("name") and asked.get("server")), case["name"]


def test_yaml_is_what_apply_reads_and_the_notes_go_elsewhere(tmp_path: pathlib.Path) -> None:
    result = run(tmp_path, app_project("shop", WHOLE), app_project("bank", {}), words=("-o", "yaml", "--tenant", "acme"))
    found = list(yaml.safe_load_all(result.stdout))
    assert [(one["kind"], one["metadata"]["name"], one["metadata"]["tenant"]) for one in found] == [
        ("Project", "shop", "acme"),
        ("Project", "bank", "acme"),
    ]
    assert "shop: no equivalent: roles: " in result.stderr


def test_the_plan_is_a_table_with_its_notes(tmp_path: pathlib.Path) -> None:
    result = run(tmp_path, app_project("shop", WHOLE), words=())
    assert (result.exit_code, "shop: safer here: sourceRepos: " in result.stdout) == (0, True), result.output


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (app_project("shop", {"destinations": "all"}), "spec.destinations"),
        (app_project("shop", {"syncWindows": ["nightly"]}), "projects.yaml:1: spec.syncWindows: must be a list of mappings"),
        (app_project("shop", {"syncWindows": [{"kind": "never"}]}), "projects.yaml:1: spec.syncWindows[0].kind: is 'never'"),
        (
            app_project("shop", {"orphanedResources": {"ignore": 1}}),
            "projects.yaml:1: spec.orphanedResources.ignore: must be a list of mappings",
        ),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "data": {"globalProjects": "["}},
            "projects.yaml:1: holds globalProjects that cannot be read",
        ),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}, "an AppProject is needed here"),
    ],
)
def test_what_is_no_project_is_one_sentence(tmp_path: pathlib.Path, document: dict[str, Any], words: str) -> None:
    result = run(tmp_path, document)
    assert (result.exit_code, words in result.output, "Traceback" in result.output) == (2, True, False), result.output
