"""`plane try render`: what it prints, how it ends, and that it says what is wrong."""

import json
import pathlib
from collections.abc import Callable

import pytest
from click import testing

from plane.cli.trying import trial
from plane.domain.reading import manifests

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: '%s'}\n"
SOURCE = "  source: {repoURL: 'https://git.example/x', path: %s}\n"
APP = "apiVersion: gitops-plane.io/v1\nkind: App\nmetadata: {name: shop}\nspec:\n  destination: {cluster: one, namespace: team}\n" + SOURCE
ARGO = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\n"
    "spec:\n  project: default\n  destination: {server: 'https://kubernetes.default.svc', namespace: team}\n" + SOURCE
)

Write = Callable[..., str]


def run(*words: str, stdin: str = "") -> testing.Result:
    return testing.CliRunner().invoke(trial.group, ["render", *words], input=stdin)


@pytest.fixture
def write(tmp_path: pathlib.Path) -> Write:
    """Files of a working copy; gives the path of one of them."""
    (tmp_path / ".git").mkdir()

    def make(**files: str) -> str:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(tmp_path)

    return make


def test_a_folder_is_printed_as_yaml_that_reads_back(write: Write) -> None:
    root = write(web__a_yaml=CONFIG % ("a", "1e3"), web__b_yaml=CONFIG % ("b", "no"))
    done = run(f"{root}/web")
    assert done.exit_code == 0, done.output
    assert [one.body["data"]["a"] for one in manifests.read(done.stdout.encode(), file="-")] == ["1e3", "no"]


def test_json_is_a_list_that_other_steps_read(write: Write) -> None:
    done = run(write(a_yaml=CONFIG % ("a", "1")), "-o", "json")
    assert [item["metadata"]["name"] for item in json.loads(done.stdout)["items"]] == ["a"]


def test_a_kustomization_reaches_its_base_in_the_working_copy(write: Write) -> None:
    root = write(
        base__kustomization_yaml="resources: [a.yaml]",
        base__a_yaml=CONFIG % ("a", "1"),
        prod__kustomization_yaml="resources: [../base]\nnamePrefix: p-",
    )
    assert "name: p-a\n" in run(f"{root}/prod").stdout


@pytest.mark.parametrize("document", [APP, ARGO], ids=["App", "Application"])
def test_an_app_renders_with_its_name_and_namespace(write: Write, document: str) -> None:
    chart = "{apiVersion: v2, name: web, version: 1.0.0}"
    template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}', namespace: '{{ .Release.Namespace }}'}\n"
    root = write(apps__app_yaml=document % "chart", chart__Chart_yaml=chart, chart__templates__a_yaml=template)
    done = run(f"{root}/apps/app.yaml")
    assert "name: shop\n" in done.stdout
    assert "namespace: team\n" in done.stdout


def test_a_chart_takes_values_of_a_source_with_a_ref(write: Write) -> None:
    sources = """  sources:
  - {repoURL: 'https://git.example/charts', path: chart, helm: {valueFiles: [$team/values/web.yaml]}}
  - {repoURL: 'https://git.example/values', ref: team}
"""
    template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: {{ .Values.greeting }}}\n"
    files = {"chart__Chart_yaml": "{apiVersion: v2, name: web, version: 1.0.0}", "chart__templates__a_yaml": template}
    root = write(app_yaml=APP.partition("  source")[0] + sources, values__web_yaml="greeting: lent\n", **files)
    done = run(f"{root}/app.yaml")
    assert (done.exit_code, "greeting: lent" in done.stdout) == (0, True), done.output
    write(app_yaml=APP.partition("  source")[0] + sources.replace("web.yaml", "absent.yaml"))
    assert "valueFiles names $team/values/absent.yaml, which is not in the repository" in run(f"{root}/app.yaml").stderr


def test_a_broken_manifest_ends_with_1_and_its_line(write: Write) -> None:
    done = run(write(web__a_yaml="kind: ConfigMap\n") + "/web")
    assert done.exit_code == 1
    assert done.stderr == "Error: web/a.yaml:1: apiVersion is missing; every Kubernetes object has apiVersion, kind and metadata.name\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (APP % "absent", "source.path 'absent' is no folder of"),
        (APP % "../..", "leaves the repository"),
        (CONFIG % ("a", "1"), "must be one document: an App (gitops-plane.io/v1) or an Argo CD Application"),
        (APP.replace("path:", "chart:") % "x", "app.yaml:1: spec.source.chart: there is no such field"),
        (APP.partition("  source")[0], "app.yaml:1: spec.source: expected object, got null"),
        ("a: [", "app.yaml:"),
    ],
)
def test_wrong_use_ends_with_2_and_one_sentence(write: Write, text: str, sentence: str) -> None:
    done = run(write(app_yaml=text) + "/app.yaml")
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_link_is_not_followed(write: Write, tmp_path: pathlib.Path) -> None:
    root = write(web__a_yaml=CONFIG % ("a", "1"), app_yaml=APP % "linked")
    (tmp_path / "linked").symlink_to("web")
    (tmp_path / "web" / "passwd.yaml").symlink_to("/etc/passwd")
    assert run(f"{root}/app.yaml").exit_code == 2
    assert run(f"{root}/web").exit_code == 0
