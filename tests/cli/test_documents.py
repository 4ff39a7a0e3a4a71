"""Documents against a real plane."""

import json
import pathlib
import sys
import textwrap

import pytest

from plane.cli import kinds
from plane.wire import documents
from tests.cli import conftest
from tests.support import planes

ALL = """\
apiVersion: gitops-plane.io/v1
kind: App
metadata: {name: web, tenant: acme, project: shop}
spec:
  source: {repoURL: https://git.example/web, path: deploy}
  destination: {cluster: east, namespace: shop}
---
apiVersion: gitops-plane.io/v1
kind: Repository
metadata: {name: web, tenant: acme, project: shop}
spec: {url: https://git.example/web}
---
apiVersion: gitops-plane.io/v1
kind: Project
metadata: {name: shop, tenant: acme}
---
apiVersion: gitops-plane.io/v1
kind: Cluster
metadata: {name: east}
spec: {grants: [{tenant: acme, namespaces: [shop]}]}
---
apiVersion: gitops-plane.io/v1
kind: Tenant
metadata: {name: acme}
"""


@pytest.fixture
def all_of_it(tmp_path: pathlib.Path) -> pathlib.Path:
    file = tmp_path / "all.yaml"
    file.write_text(ALL)
    return file


def write(file: pathlib.Path, text: str) -> str:
    file.write_text(textwrap.dedent(text))
    return str(file)


def test_one_file_makes_a_whole_tenant(api: str, run: conftest.Run, all_of_it: pathlib.Path) -> None:
    made = run("apply", "-f", str(all_of_it)).output
    assert made == "tenant/acme created\ncluster/east created\nproject/shop created\nrepo/web created\napp/web created\n"


def test_applying_again_changes_nothing(api: str, run: conftest.Run, all_of_it: pathlib.Path) -> None:
    run("apply", "-f", str(all_of_it))
    again = run("apply", "-f", str(all_of_it)).output
    assert {line.split()[1] for line in again.splitlines()} == {"unchanged"}


def test_a_change_is_configured_and_diff_shows_it_before(api: str, run: conftest.Run, all_of_it: pathlib.Path) -> None:
    run("apply", "-f", str(all_of_it))
    assert run("diff", "-f", str(all_of_it)).output == ""
    all_of_it.write_text(ALL.replace("path: deploy", "path: prod"))
    shown = run("diff", "-f", str(all_of_it), code=1).output.splitlines()
    assert shown[:2] == ["--- plane/app/web", f"+++ {all_of_it}:1"]
    assert [line for line in shown[2:] if line[0] in "+-"] == ["-    path: deploy", "+    path: prod"]
    assert "app/web configured" in run("apply", "-f", str(all_of_it)).output


def test_what_get_prints_can_be_applied(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("app", "create", "web", "--repo", "https://git.example/web", "--cluster", "east")
    (tmp_path / "app.yaml").write_text(run("get", "app", "web", "-o", "yaml").output)
    assert run("apply", "-f", str(tmp_path / "app.yaml")).output == "app/web unchanged\n"


def test_a_broken_field_is_told_with_its_line(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    file = write(
        tmp_path / "app.yaml",
        """\
        apiVersion: gitops-plane.io/v1
        kind: App
        metadata:
          name: web
        spec:
          source:
            repoURL: https://git.example/web
            targetRevison: main
          destination: {cluster: east}
        """,
    )
    said = run("apply", "-f", file, code=2).stderr
    assert said == f"Error: {file}:8: spec.source.targetRevison: there is no such field; did you mean targetRevision?\n"


def test_a_refused_document_does_not_stop_the_next(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    form = "apiVersion: gitops-plane.io/v1\nkind: Repository\nmetadata: {{name: {}}}\nspec: {{url: '{}'}}\n"
    file = write(tmp_path / "two.yaml", form.format("bad", "http://git.example/a") + "---\n" + form.format("good", "https://git.example/b"))
    result = run("apply", "-f", file, code=2)
    assert result.stdout == "repo/good created\n"
    assert result.stderr == f"Error: {file}:4: spec.url: must begin with https:// or ssh://\n"


def test_a_document_of_another_tenant_than_asked_is_refused(shop: planes.Fleet, run: conftest.Run, all_of_it: pathlib.Path) -> None:
    said = run("apply", "-f", str(all_of_it), "-T", "globex", code=2).stderr
    assert said.endswith("metadata.tenant is acme, but the command names globex; leave one of them out\n")


def test_delete_takes_those_first_that_need_others(api: str, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    file = write(tmp_path / "f.yaml", ALL.split("---\n", 1)[1])  # all but the app, whose objects an agent would have to remove
    run("apply", "-f", file)
    gone = run("delete", "-f", file).output
    assert gone == "repo/web deleted\nproject/shop deleted\ncluster/east deleted\ntenant/acme deleted\n"
    assert "repo/web absent" in run("delete", "-f", file).output


@pytest.mark.parametrize("kind", ["tenant", "tenants", "Tenant"])
def test_kinds_go_by_any_of_their_names(api: str, run: conftest.Run, kind: str) -> None:
    run("tenant", "create", "acme", "--description", "sells anvils")
    lines = run("get", kind).output.splitlines()
    assert lines[0].split() == ["NAME", "DESCRIPTION", "AGE"]
    assert lines[1].startswith("acme  sells anvils  ")


def test_formats(api: str, run: conftest.Run) -> None:
    run("tenant", "create", "acme")
    run("tenant", "create", "globex")
    assert run("get", "tenants", "-o", "name").output == "tenant/acme\ntenant/globex\n"
    assert [item["metadata"]["name"] for item in json.loads(run("get", "tenants", "-o", "json").output)["items"]] == ["acme", "globex"]
    assert json.loads(run("get", "tenant", "acme", "-o", "json").output)["kind"] == "Tenant"
    assert run("get", "tenants", "-o", "yaml").output.count("\n---\n") == 1
    assert run("get", "tenants", "--limit", "1", "-o", "name").output == "tenant/acme\n"


def test_nothing_there_is_said_on_stderr(api: str, run: conftest.Run) -> None:
    result = run("cluster", "list")
    assert (result.stdout, result.stderr) == ("", "No clusters here.\n")


def test_what_is_not_there_is_exit_4(shop: planes.Fleet, run: conftest.Run) -> None:
    said = run("app", "get", "nope", code=4).stderr
    assert said.startswith("Error: app 'nope' was not found\n  looked in tenant acme, project shop, at http")


def test_a_name_cannot_lead_to_another_path(shop: planes.Fleet, run: conftest.Run) -> None:
    assert run("app", "get", "../../clusters/east", code=2).stderr.startswith("Error: '../../clusters/east' is no app name")


def test_what_exists_already_is_exit_5(api: str, run: conftest.Run) -> None:
    run("tenant", "create", "acme")
    assert "exists already" in run("tenant", "create", "acme", code=5).stderr


def test_a_tenant_with_projects_is_not_deleted(shop: planes.Fleet, run: conftest.Run) -> None:
    assert run("tenant", "delete", "acme", code=5).stderr.startswith("Error: ")


def test_edit_writes_what_the_editor_leaves(api: str, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("tenant", "create", "acme", "--description", "sells anvils")
    editor = write(tmp_path / "editor.sh", "sed -i 's/anvils/rockets/' \"$1\"\n")
    assert run("edit", "tenant", "acme", EDITOR=f"sh {editor}").output == "tenant/acme edited\n"
    assert "rockets" in run("get", "tenant", "acme").output


def test_an_edit_that_changes_nothing_writes_nothing(api: str, run: conftest.Run) -> None:
    run("tenant", "create", "acme")
    assert run("tenant", "edit", "acme", EDITOR="true").stderr == "Nothing changed.\n"


def test_an_edit_overtaken_by_another_keeps_the_text(api: str, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("tenant", "create", "acme", "--description", "sells anvils")
    file = write(
        tmp_path / "t.yaml", "apiVersion: gitops-plane.io/v1\nkind: Tenant\nmetadata: {name: acme}\nspec: {description: sells ropes}\n"
    )
    editor = write(tmp_path / "editor.sh", f"sed -i 's/anvils/rockets/' \"$1\"\n{sys.executable} -m plane apply -f {file} >/dev/null\n")
    said = run("edit", "tenant", "acme", EDITOR=f"sh {editor}", code=5).stderr.splitlines()
    assert "it changed meanwhile" in said[0]
    kept = pathlib.Path(said[1].rpartition(" ")[2].rstrip("`"))
    assert "rockets" in kept.read_text()
    kept.unlink()
    assert "ropes" in run("get", "tenant", "acme").output


def test_every_kind_of_the_command_line_is_a_document() -> None:
    assert {kind.name for kind in kinds.KINDS} == {one.__name__ for one in documents.KINDS}
