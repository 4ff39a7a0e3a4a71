"""`plane try project`: what it reads, what it says, and that it says what is wrong."""

import json
import pathlib
from typing import Any

import pytest
import yaml
from click import testing

from plane.cli.trying import trial

SERVER = "https://prod.example"


def argo(kind: str, name: str, spec: dict[str, Any], **meta: object) -> dict[str, Any]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name, **meta}, "spec": spec}


def ours(kind: str, name: str, spec: dict[str, Any], **meta: object) -> dict[str, Any]:
    return {"apiVersion": "gitops-plane.io/v1", "kind": kind, "metadata": {"name": name, **meta}, "spec": spec}


ARGO_APP = argo(
    "Application", "web", {"source": {"repoURL": "https://git.example/a/b"}, "destination": {"server": SERVER, "namespace": "shop"}}
)
APP = ours("App", "web", {"source": {"repoURL": "https://git.example/a/b"}, "destination": {"cluster": "prod", "namespace": "shop"}})
OPEN = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}


class Asked:
    """Two files."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def __call__(self, app: dict[str, Any], *project: dict[str, Any], words: tuple[str, ...] = ()) -> testing.Result:
        for name, documents in (("project.yaml", project), ("app.yaml", (app,))):
            (self._folder / name).write_text(yaml.safe_dump_all(documents))
        files = ["--project", str(self._folder / "project.yaml"), "--app", str(self._folder / "app.yaml")]
        return testing.CliRunner().invoke(trial.group, ["project", *files, "-o", "json", *words])


@pytest.fixture
def ask(tmp_path: pathlib.Path) -> Asked:
    return Asked(tmp_path)


def said(result: testing.Result) -> tuple[bool, str]:
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    return found["permitted"], "; ".join(found["reasons"])


def test_an_app_that_is_permitted_has_no_reasons_against_it(ask: Asked) -> None:
    assert said(ask(ARGO_APP, argo("AppProject", "shop", OPEN))) == (True, "")
    assert said(ask(APP, ours("Project", "shop", {}))) == (True, "")


def test_every_reason_names_its_field(ask: Asked) -> None:
    closed = {"sourceRepos": ["https://git.example/x/*"], "destinations": [{"server": SERVER, "namespace": "api"}]}
    permitted, reasons = said(ask(ARGO_APP, argo("AppProject", "shop", closed)))
    assert (permitted, "spec.source.repoURL: " in reasons, "spec.destination: " in reasons) == (False, True, True)
    here = {"sourceRepos": ["https://git.example/x/*"], "destinations": [{"cluster": "prod", "namespace": "api"}]}
    assert said(ask(APP, ours("Project", "shop", here)))[1].count("project shop") == 2


def test_a_list_of_exclamation_marks_alone_grants_nothing_unless_argo_cds_way_is_asked_for(ask: Asked) -> None:
    project = argo("AppProject", "shop", {**OPEN, "sourceRepos": ["!https://git.example/x/y"]})
    permitted, reasons = said(ask(ARGO_APP, project))
    assert (permitted, "grant nothing here and the rest in Argo CD" in reasons) == (False, True)
    assert said(ask(ARGO_APP, project, words=("--argocd-negation",))) == (True, "")


def test_every_source_is_asked_about(ask: Asked) -> None:
    sources = [{"repoURL": "https://git.example/a/b"}, {"repoURL": "https://evil.example/x"}]
    app = argo("Application", "web", {"sources": sources, "destination": {"server": SERVER, "namespace": "shop"}})
    permitted, reasons = said(ask(app, argo("AppProject", "shop", {**OPEN, "sourceRepos": ["https://git.example/**"]})))
    assert (permitted, reasons.startswith("spec.sources[1].repoURL: https://evil.example/x is not among")) == (False, True)


def test_the_project_is_the_one_that_the_application_names(ask: Asked) -> None:
    app = {**ARGO_APP, "spec": {**ARGO_APP["spec"], "project": "shop"}}
    assert said(ask(app, argo("AppProject", "other", {}), argo("AppProject", "shop", OPEN)))[0]
    assert ask(app, argo("AppProject", "other", OPEN)).exit_code == 2


def test_global_projects_are_inherited_by_label(ask: Asked) -> None:
    config = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"},
        "data": {"globalProjects": "- {projectName: all, labelSelector: {matchExpressions: [{key: opt, operator: In, values: ['yes']}]}}"},
    }  # fmt: skip
    above, app = argo("AppProject", "all", OPEN), {**ARGO_APP, "spec": {**ARGO_APP["spec"], "project": "shop"}}
    assert said(ask(app, config, above, argo("AppProject", "shop", {}, labels={"opt": "yes"})))[0]
    assert not said(ask(app, config, above, argo("AppProject", "shop", {}, labels={"opt": "no"})))[0]
    heir = ours("Project", "shop", {"sourceRepos": ["https://git.example/**"]}, labels={"opt": "yes"})
    mine = {**APP, "metadata": {"name": "web", "project": "shop"}}
    assert (
        said(ask(mine, ours("Project", "all", {"inheritedBy": "opt=yes", "sourceRepos": ["!https://git.example/a/*"]}), heir))[0] is False
    )


def test_a_registered_cluster_has_a_name_and_a_server(ask: Asked) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "c"},
        "stringData": {"name": "prod", "server": SERVER, "project": "shop"},
    }
    spec = {"sourceRepos": ["*"], "destinations": [{"name": "prod", "namespace": "*"}], "permitOnlyProjectScopedClusters": True}
    assert said(ask(ARGO_APP, argo("AppProject", "shop", spec), secret))[0]
    permitted, reasons = said(ask(ARGO_APP, argo("AppProject", "shop", {**OPEN, "permitOnlyProjectScopedClusters": True})))
    assert (permitted, "permitOnlyProjectScopedClusters" in reasons) == (False, True)


def test_an_application_outside_argo_cds_namespace_needs_leave(ask: Asked) -> None:
    app = argo("Application", "web", ARGO_APP["spec"], namespace="team")
    assert not said(ask(app, argo("AppProject", "shop", OPEN)))[0]
    assert said(ask(app, argo("AppProject", "shop", {**OPEN, "sourceNamespaces": ["te*"]})))[0]


def test_objects_are_judged_by_kind_and_place(ask: Asked, tmp_path: pathlib.Path) -> None:
    manifests = tmp_path / "role.yaml"
    manifests.write_text("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: admin}}")
    permitted, reasons = said(ask(ARGO_APP, argo("AppProject", "shop", OPEN), words=("--objects", str(manifests))))
    assert (permitted, "role.yaml:1: " in reasons, "clusterResourceWhitelist of project shop" in reasons) == (False, True, True)


def test_a_cluster_is_chosen_by_its_labels(ask: Asked) -> None:
    project = ours("Project", "shop", {"destinations": [{"selector": "env=prod"}]})
    assert said(ask(APP, project, ours("Cluster", "prod", {"labels": {"env": "prod"}})))[0]
    assert not said(ask(APP, project, ours("Cluster", "prod", {"labels": {"env": "dev"}})))[0]


def test_a_project_with_service_accounts_needs_one_for_the_place(ask: Asked) -> None:
    accounts = [{"defaultServiceAccount": "deployer", "namespace": "api"}]
    permitted, reasons = said(ask(APP, ours("Project", "shop", {"destinationServiceAccounts": accounts})))
    assert (permitted, "has no service account" in reasons) == (False, True)


@pytest.mark.parametrize(
    ("app", "project", "words"),
    [
        (APP, ours("Project", "shop", {"sourceRepo": ["x"]}), "sourceRepos"),
        (APP, ours("Project", "shop", {"destinations": [{"namespace": "[a"}]}), "destinations[0].namespace"),
        (APP, ours("Tenant", "acme", {}), "neither a Project nor a Cluster"),
        (ARGO_APP, argo("AppProject", "shop", {"sourceRepos": "all"}), "spec.sourceRepos"),
        (ours("Project", "shop", {}), ours("Project", "shop", {}), "neither an App"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(ask: Asked, app: dict[str, Any], project: dict[str, Any], words: str) -> None:
    result = ask(app, project)
    assert (result.exit_code, words in result.output, "Traceback" in result.output) == (2, True, False), result.output
