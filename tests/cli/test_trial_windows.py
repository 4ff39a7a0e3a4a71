"""`plane try windows`: what it reads, what it says, and that it says what is wrong."""

import json
import pathlib

import pytest
from click import testing

from plane.cli.trying import trial

WINDOW = "{kind: %s, schedule: '0 10 * * *', duration: 2h, applications: ['*'], %s}"
ARGO_PROJECT = """
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop}
spec:
  sourceRepos: ['*']
  roles: [{name: ci}]
  syncWindows: [%s]
"""
PROJECT = """
apiVersion: gitops-plane.io/v1
kind: Project
metadata: {name: shop, tenant: acme}
spec:
  syncWindows: [%s]
"""
HOUR_25 = "{kind: deny, schedule: '0 25 * * *', duration: 2h, applications: ['*']}"
TENANT = """
---
apiVersion: gitops-plane.io/v1
kind: Tenant
metadata: {name: acme}
spec:
  freezes: [{reason: holidays, owner: platform, starts: '2026-12-20T00:00:00Z', until: '2027-01-07T00:00:00Z'}]
"""
ARGO_APP = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec: {project: shop, destination: {server: 'https://prod.example', namespace: shop}}
"""
APP = """
apiVersion: gitops-plane.io/v1
kind: App
metadata: {name: web}
spec: {destination: {cluster: prod, namespace: shop}, source: {repoURL: 'https://git.example/acme/shop.git'}}
"""


class Asked:
    """Two files and a moment."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def __call__(self, project: str, app: str, *words: str, at: str = "2026-03-02T11:00:00Z") -> testing.Result:
        for name, text in (("project.yaml", project), ("app.yaml", app)):
            (self._folder / name).write_text(text)
        files = ["--project", str(self._folder / "project.yaml"), "--app", str(self._folder / "app.yaml")]
        return testing.CliRunner().invoke(trial.group, ["windows", *files, "--at", at, *words])


@pytest.fixture
def ask(tmp_path: pathlib.Path) -> Asked:
    return Asked(tmp_path)


@pytest.mark.parametrize("project", [ARGO_PROJECT, PROJECT], ids=["argo", "ours"])
@pytest.mark.parametrize("app", [ARGO_APP, APP], ids=["argo", "ours"])
def test_both_kinds_of_documents_are_read(ask: Asked, project: str, app: str) -> None:
    result = ask(project % (WINDOW % ("deny", "")), app, "-o", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "allowed": False,
        "reason": "the deny window '0 10 * * *' for 2h in UTC is active",
        "changes_at": "2026-03-02T12:00:00Z",
    }


def test_a_manual_sync_passes_where_the_window_says_so(ask: Asked) -> None:
    project = PROJECT % (WINDOW % ("deny", "manualSync: true"))
    assert json.loads(ask(project, APP, "-o", "json").stdout)["allowed"] is False
    assert json.loads(ask(project, APP, "--manual", "-o", "json").stdout) == {
        "allowed": True,
        "reason": "the deny window '0 10 * * *' for 2h in UTC is active and lets manual syncs pass",
        "changes_at": None,
    }


def test_a_running_sync_may_end(ask: Asked) -> None:
    project = PROJECT % (WINDOW % ("deny", "syncOverrun: true"))
    assert "yes" in ask(project, APP, "--started", "2026-03-02T09:00:00Z").stdout
    assert "yes" not in ask(project, APP, "--started", "2026-03-02T10:30:00Z").stdout


def test_the_tenants_freeze_holds_beside_the_projects_windows(ask: Asked) -> None:
    result = ask(PROJECT % "" + TENANT, APP, "-o", "json", at="2026-12-24T12:00:00")
    assert json.loads(result.stdout) == {
        "allowed": False,
        "reason": "frozen until 2027-01-07T00:00:00Z by platform: holidays",
        "changes_at": "2027-01-07T00:00:00Z",
    }


def test_what_argo_cd_could_not_read_stops_syncs(ask: Asked) -> None:
    result = ask(
        ARGO_PROJECT % "{kind: allow, schedule: '0 0 * * 7', duration: 1h, applications: ['*'], comment: x}", ARGO_APP, "-o", "json"
    )
    assert json.loads(result.stdout)["reason"].startswith("the allow window's schedule '0 0 * * 7' has '7' as day of week")


@pytest.mark.parametrize(
    ("project", "app", "at", "sentence"),
    [
        (PROJECT % HOUR_25, APP, "", "project.yaml:2: spec.syncWindows[0].schedule: has '25' as hour, which is 0 to 23"),
        (PROJECT % "{kind: maybe, schedule: '0 1 * * *', duration: 2h}", APP, "", "is 'maybe', which is none of its words: allow, deny"),
        (PROJECT % "{kind: deny, schedule: '0 1 * * *', duration: 2h, timezone: UTC}", APP, "", "did you mean timeZone?"),
        (ARGO_PROJECT % "{schedule: '0 1 * * *', duration: 2h}", APP, "", "project.yaml:2: spec.syncWindows[0].kind: is required"),
        (APP, APP, "", "project.yaml:2: is neither a Project or Tenant of gitops-plane.io/v1 nor an Argo CD AppProject"),
        (PROJECT % "", PROJECT % "", "", "app.yaml:2: is neither an App of gitops-plane.io/v1 nor an Argo CD Application"),
        (PROJECT % "", APP + "---" + APP, "", "--app: holds 2 documents; one App is needed"),
        (PROJECT % "", "- a\n", "", "app.yaml:1: is no document"),
        (PROJECT % "", APP, "noon", "'noon' is no moment; write it as 2026-11-21T10:00:00Z"),
        (PROJECT % "", APP, "0001-01-01", "is no moment"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(ask: Asked, project: str, app: str, at: str, sentence: str) -> None:
    result = ask(project, app, at=at or "2026-03-02T11:00:00Z")
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.stderr
    assert "Traceback" not in result.output
