"""`plane try access`: our documents and Argo CD's policies, which are told apart by what they are."""

import json
import pathlib

import pytest
from click import testing

from plane.cli.trying import trial

POLICY = "p, role:dev, applications, sync, shop/*, allow\ng, acme:devs, role:dev\n"
CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-rbac-cm}
data:
  policy.default: role:readonly
  policy.csv: "p, role:dev, applications, sync, shop/*, allow"
  policy.more.csv: "g, ana, role:dev"
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: lab}
spec:
  roles: [{name: ci, policies: ['p, proj:lab:ci, applications, sync, lab/*, allow'], groups: ['acme:ci']}]
"""
OURS = """
apiVersion: gitops-plane.io/v1
kind: RoleBinding
metadata: {name: shop-deployers, tenant: acme}
spec: {role: deployer, project: shop, clusterLabels: {env: prod}, subjects: [{kind: User, name: ana}, {kind: Group, name: devs}]}
---
apiVersion: gitops-plane.io/v1
kind: RoleBinding
metadata: {name: restarters, tenant: acme}
spec: {role: restarter, project: shop, app: web, subjects: [{name: bob}], networks: [192.0.2.0/24]}
---
apiVersion: gitops-plane.io/v1
kind: RoleBinding
metadata: {name: rescue, tenant: acme}
spec: {role: tenant-owner, subjects: [{name: ana}], breakGlass: true}
---
apiVersion: gitops-plane.io/v1
kind: Role
metadata: {name: restarter, tenant: acme}
spec: {permissions: ['action:apps/*/restart', 'object:delete//Pod']}
---
apiVersion: gitops-plane.io/v1
kind: User
metadata: {name: eve, tenant: acme}
spec: {groups: [devs]}
---
apiVersion: gitops-plane.io/v1
kind: User
metadata: {name: dan, tenant: acme}
spec: {groups: [devs], disabled: true}
---
apiVersion: gitops-plane.io/v1
kind: App
metadata: {name: web, tenant: acme, project: shop}
spec: {destination: {cluster: east, namespace: shop}, source: {repoURL: 'https://git.example/acme/shop.git'}}
---
apiVersion: gitops-plane.io/v1
kind: App
metadata: {name: api, tenant: acme, project: shop}
spec: {destination: {cluster: west, namespace: shop}, source: {repoURL: 'https://git.example/acme/shop.git'}}
---
apiVersion: gitops-plane.io/v1
kind: Cluster
metadata: {name: east}
spec: {labels: {env: prod}}
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    for name, text in (("policy.csv", POLICY), ("argo.yaml", CONFIG_MAP), ("ours.yaml", OURS)):
        (tmp_path / name).write_text(text)
    return tmp_path


def ask(folder: pathlib.Path, file: str, words: str) -> testing.Result:
    return testing.CliRunner().invoke(trial.group, ["access", "--bindings", str(folder / file), "-o", "json", *words.split()])


@pytest.mark.parametrize(
    ("file", "words", "allowed"),
    [
        ("policy.csv", "--subject ana --group acme:devs sync applications shop/web", True),
        ("policy.csv", "--subject ana sync applications shop/web", False),
        ("policy.csv", "--subject ana --default-role role:readonly get applications shop/web", True),
        ("policy.csv", "--subject ana --default-role role:readonly get app shop/web", True),
        ("policy.csv", "--subject role:dev sync applications shop/web", True),
        ("policy.csv", "--subject admin delete applications other/web", True),
        ("argo.yaml", "--subject ana sync applications shop/web", True),
        ("argo.yaml", "--subject bob get applications shop/web", True),
        ("argo.yaml", "--subject bob --group acme:ci sync applications lab/web", True),
        ("argo.yaml", "--subject proj:lab:ci sync applications lab/web", True),
        ("argo.yaml", "--subject proj:lab:ci sync applications shop/web", False),
        ("argo.yaml", "--subject bob --match-mode regex get applications shop/web", False),
        ("ours.yaml", "--subject ana sync app acme/shop/web", True),
        ("ours.yaml", "--subject ana sync apps shop/web", True),
        ("ours.yaml", "--subject ana sync app acme/shop/api", False),
        ("ours.yaml", "--subject ana delete app acme/shop/web", False),
        ("ours.yaml", "--subject x --group devs logs app acme/shop/web", True),
        ("ours.yaml", "--subject x --group devs get logs acme/shop/web", True),
        ("ours.yaml", "--subject eve sync app acme/shop/web", True),
        ("ours.yaml", "--subject dan sync app acme/shop/web", False),
        ("ours.yaml", "--subject bob --from 192.0.2.9 action:apps/Deployment/restart app acme/shop/web", True),
        ("ours.yaml", "--subject bob --from 192.0.2.9 delete object//Pod acme/shop/web", True),
        ("ours.yaml", "--subject bob --from 192.0.2.9 delete object/apps/Deployment acme/shop/web", False),
        ("ours.yaml", "--subject bob --from 192.0.2.9 action:apps/Deployment/restart app acme/shop/api", False),
        ("ours.yaml", "--subject bob action:apps/Deployment/restart app acme/shop/web", False),
        ("ours.yaml", "--subject ana create rolebinding acme", False),
        ("ours.yaml", "--subject ana reveal secrets acme/shop", False),
    ],
)
def test_what_files_let_somebody_do(folder: pathlib.Path, file: str, words: str, allowed: bool) -> None:  # noqa: FBT001 - a column of the table
    found = ask(folder, file, words)
    assert (found.exit_code, json.loads(found.output)["allowed"]) == (0, allowed), found.output


@pytest.mark.parametrize(
    ("words", "because"),
    [
        ("--subject ana sync app shop/web", "rolebinding shop-deployers gives deployer over acme/shop, which holds app:sync"),
        (
            "--subject ana sync app shop/api",
            (
                "nothing gives ana app:sync over acme/shop/api; rolebinding rescue gives tenant-owner over acme, once it is taken "
                "with `plane auth break-glass rescue`; rolebinding shop-deployers gives deployer over acme/shop, "
                "but only on clusters with env=prod"
            ),
        ),
        (
            "--subject bob action:apps/Deployment/restart app shop/web",
            (
                "nothing gives bob action:apps/Deployment/restart over acme/shop/web; rolebinding restarters gives restarter over "
                "acme/shop/web, but it holds from 192.0.2.0/24 only, and this is an unknown address"
            ),
        ),
        ("--subject zoe sync app shop/web", "nothing gives zoe app:sync over acme/shop/web"),
    ],
)
def test_the_answer_says_what_allows_or_what_is_missing(folder: pathlib.Path, words: str, because: str) -> None:
    assert json.loads(ask(folder, "ours.yaml", words).output)["because"] == because


@pytest.mark.parametrize(
    ("file", "words", "sentence"),
    [
        ("ours.yaml", "--subject ana fly app shop/web", "fly app: there is no permission app:fly; app:get,"),
        ("ours.yaml", "--subject ana get boats shop/web", "get boats: there is no permission boat:get; resources are access,"),
        ("ours.yaml", "--subject ana get project a/b/c", "OBJECT: a/b/c is no place of project:get; write TENANT/PROJECT"),
        ("bad.csv", "--subject ana get app x/y", "bad.csv:2: has 3 fields instead of 6"),
        ("bad.yaml", "--subject ana get app x/y", "RoleBinding x: spec.role: there is no Role 'pilot' in the files"),
        ("text.yaml", "--subject ana get applications x/y", "text.yaml:1: data must be a mapping"),
    ],
)
def test_what_is_wrong_is_named(folder: pathlib.Path, file: str, words: str, sentence: str) -> None:
    (folder / "bad.csv").write_text("# first\np, ana, applications\n")
    (folder / "bad.yaml").write_text(
        "apiVersion: gitops-plane.io/v1\nkind: RoleBinding\nmetadata: {name: x, tenant: acme}\nspec: {role: pilot}\n"
    )
    (folder / "text.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-rbac-cm}\ndata: 'p, ana, x'\n")
    found = ask(folder, file, words)
    assert (found.exit_code, sentence in found.stderr) == (2, True), found.stderr
