"""`plane import argocd-rbac`: what a policy becomes, that nothing of it gets wider, and what it says of the rest."""

import itertools
import json
import pathlib

import pytest
from click import testing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plane.cli.importing import importer, rbac
from plane.domain import tenancy
from plane.domain.granting import argo_policy, roles
from tests.cli import test_trial_access

POLICY = """
p, role:dev, applications, get, shop/*, allow
p, role:dev, applications, sync, shop/*, allow
p, role:dev, applications, action/apps/Deployment/restart, shop/*, allow
p, role:dev, applications, delete/*/Pod/*/*, shop/web, allow
p, role:dev, logs, get, shop/*, allow
p, role:ops, *, *, */*, allow
p, role:ops, applications, delete, shop/*, deny
p, role:odd, applications, get, shop-*/*, allow
p, role:odd, certificates, create, *, allow
p, ana, projects, get, shop, allow
g, acme:devs, role:dev
g, ana, role:dev
g, acme:lead, role:lead
g, role:lead, role:dev
g, acme:ops, role:ops
g, acme:admins, role:admin
"""


def imported(folder: pathlib.Path, text: str, *words: str) -> testing.Result:
    (folder / "policy.csv").write_text(text)
    return testing.CliRunner().invoke(importer.group, ["argocd-rbac", str(folder / "policy.csv"), "--tenant", "acme", *words])


def test_lines_become_roles_and_links_become_bindings(tmp_path: pathlib.Path) -> None:
    found = json.loads(imported(tmp_path, POLICY, "--user", "ana", "-o", "json").output)
    by_name = {(each["kind"], each["metadata"]["name"]): each["spec"] for each in found["documents"]}
    assert by_name["Role", "dev-shop"]["permissions"] == [
        *("app:get", "release:get", "task:get", "app:sync", "app:rollback", "app:terminate", "action:apps/Deployment/restart", "app:logs")
    ]
    assert by_name["Role", "dev-shop-web"]["permissions"] == ["object:delete/*/Pod"]
    devs = [{"kind": "Group", "name": "acme:devs"}, {"kind": "Group", "name": "acme:lead"}, {"kind": "User", "name": "ana"}]
    assert by_name["RoleBinding", "dev-shop"] == {"role": "dev-shop", "project": "shop", "subjects": devs}
    assert "app:delete" not in by_name["Role", "ops"]["permissions"]
    assert by_name["RoleBinding", "argocd-tenant-owner"]["subjects"] == [{"kind": "Group", "name": "acme:admins"}]
    assert not [name for name in by_name if "odd" in name[1]]


def test_what_has_no_equivalent_is_listed_with_its_line(tmp_path: pathlib.Path) -> None:
    notes = json.loads(imported(tmp_path, POLICY, "-o", "json").output)["notes"]
    said = {(note["effect"], note["line"].split(":")[1]) for note in notes}
    assert {("safer here", "7"), ("no equivalent", "9"), ("no equivalent", "10")} <= said


def test_the_documents_are_taken_by_try_access(tmp_path: pathlib.Path) -> None:
    made = imported(tmp_path, POLICY, "--user", "ana", "-o", "yaml")
    (tmp_path / "ours.yaml").write_text(made.stdout)
    for words, allowed in (
        ("--subject ana sync app acme/shop/web", True),
        ("--subject x --group acme:lead delete object//Pod acme/shop/web", True),
        ("--subject x --group acme:ops delete app acme/shop/web", False),
        ("--subject x --group acme:ops sync app acme/lab/web", True),
    ):
        found = json.loads(test_trial_access.ask(tmp_path, "ours.yaml", words).output)
        assert (words, found["allowed"]) == (words, allowed)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{one}: &{one} [*{before}, *{before}, *{before}]\n" for before, one in itertools.pairwise("abcdefghijklm")
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"apiVersion: v1\nkind: ConfigMap\n{BOMB}", "aliases"),
        ("apiVersion: v1\nkind: ConfigMap\ndata: !!python/object/apply:os.system [id]\n", "data must be a mapping"),
        ("apiVersion: v1\nkind: ConfigMap\ndata: {policy.csv: 'g, a, b', policy.csv: 'g, eve, role:admin'}\n", "twice"),
        ("apiVersion: v1\nkind: ConfigMap\ndata: [1]\n", "data must be a mapping"),
        ("apiVersion: gitops-plane.io/v1\nkind: RoleBinding\nspec: {role: tenant-owner}\n", "is none of Argo CD's documents"),
        ("[" * 5000, "deep"),
        ("p, eve, applications, *, shop/*", "policy.yaml:1: has 5 fields instead of 6"),
        ("\ufeffp, eve, applications, *, shop/*, allow", "policy.yaml:1: begins with a byte order mark"),
    ],
)
def test_a_file_with_tricks_is_one_sentence(tmp_path: pathlib.Path, text: str, sentence: str) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    result = testing.CliRunner().invoke(importer.group, ["argocd-rbac", str(tmp_path / "policy.yaml"), "--tenant", "acme"])
    assert (result.exit_code, sentence in result.output, "Traceback" in result.output) == (2, True, False), result.output


def test_claims_that_count_as_groups_are_said_to_be_the_providers(tmp_path: pathlib.Path) -> None:
    data = {"policy.csv": "g, ana@acme.example, role:readonly", "scopes": "[groups, email]", "policy.default": None}
    (tmp_path / "cm.json").write_text(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "data": data}))
    result = testing.CliRunner().invoke(importer.group, ["argocd-rbac", str(tmp_path / "cm.json"), "-o", "json"])
    notes = {note["line"]: note["effect"] for note in json.loads(result.output)["notes"]}
    assert notes == {"g, …, role:readonly": "changed", "scopes: [groups, email]": "changed"}


def test_a_long_subject_makes_a_name_that_the_plane_takes(tmp_path: pathlib.Path) -> None:
    subject = f"role:{'a' * 49}:rest"
    found = json.loads(imported(tmp_path, f"p, {subject}, applications, get, shop/*, allow\ng, devs, {subject}", "-o", "json").output)
    assert [tenancy.DNS_LABEL.fullmatch(each["metadata"]["name"]) is not None for each in found["documents"]] == [True, True]


def test_a_plan_is_a_table_that_writes_nothing(tmp_path: pathlib.Path) -> None:
    shown = imported(tmp_path, POLICY).output
    assert "RoleBinding" in shown
    assert "no equivalent: policy.csv:10: p, role:odd, certificates, create, *, allow: there is no create of certificates here" in shown


_SUBJECT = st.sampled_from(["role:a", "role:b", "ana"])
_RULES = st.builds(
    argo_policy.Rule,
    subject=_SUBJECT,
    resource=st.sampled_from(["applications", "logs", "*", "repositories", "clusters", "projects", "exec", "app*", "{logs,exec}"]),
    action=st.sampled_from(
        [
            *("get", "sync", "create", "delete", "*", "action/*", "action/apps/Deployment/restart", "delete/*", "delete//Pod/*/*"),
            *("action", "action/*/restart", "{get,sync}", "?ync", "[a-z]*", "delete/**", "*/*", "rollback", "\\sync"),
        ]
    ),
    object=st.sampled_from(["shop/*", "shop/web", "*/*", "*", "lab/*", "sh*/*", "shop", "{shop,lab}/*", "shop/w?b", "far"]),
    effect=st.sampled_from(["allow", "allow", "deny"]),
)
_LINKS = st.builds(argo_policy.Link, member=st.sampled_from(["ana", "role:a"]), role=st.sampled_from(["role:a", "role:b"]))
_ASKED = st.sampled_from(
    [
        ("applications", "get", "app:get"),
        ("applications", "sync", "app:sync"),
        ("applications", "sync", "app:rollback"),
        ("applications", "delete", "app:delete"),
        ("applications", "action/apps/Deployment/restart", "action:apps/Deployment/restart"),
        ("applications", "delete//Pod/shop/web-1", "object:delete//Pod"),
        ("logs", "get", "app:logs"),
        ("exec", "create", "app:exec"),
        ("repositories", "create", "repository:create"),
        ("projects", "get", "project:get"),
        ("clusters", "get", "cluster:get"),
    ]
)
_NAMED = {"repositories": "{}/https://git.example/a", "projects": "{}", "clusters": "far"}


@settings(max_examples=300, deadline=None)
@example(
    [
        argo_policy.Rule("ana", "applications", "*", "shop/*", "allow"),
        argo_policy.Rule("ana", "applications", "action/*", "shop/*", "deny"),
    ],
    [],
    ("applications", "action/apps/Deployment/restart", "action:apps/Deployment/restart"),
    ("shop", "web"),
)
@given(
    st.lists(_RULES, max_size=5), st.lists(_LINKS, max_size=3), _ASKED, st.sampled_from([("shop", "web"), ("shop", "api"), ("lab", "web")])
)
def test_nothing_gets_wider(
    rules: list[argo_policy.Rule], links: list[argo_policy.Link], asked: tuple[str, str, str], place: tuple[str, str]
) -> None:
    policy = argo_policy.Policy(tuple(rules), tuple(links))
    made = rbac.Import(policy, tenant="acme", users=frozenset({"ana"})).made()
    resource, action, permission = asked
    named = _NAMED.get(resource, "{}/{}").format(*place)
    apps = ("", place[1]) if resource in {"applications", "logs", "exec"} else ("",)
    held = [
        one.spec
        for one in made.bindings
        if any(each.name == "ana" for each in one.spec.subjects) and one.spec.project in ("", place[0]) and one.spec.app in apps
    ]
    by_name = {one.metadata.name: frozenset(one.spec.permissions) for one in made.roles}
    allowed = any(roles.holds(by_name[spec.role], permission) for spec in held)
    there = argo_policy.decide(policy, argo_policy.Request("ana", action, resource, named))
    assert there.allowed or not allowed


def test_a_policy_of_regular_expressions_becomes_nothing() -> None:
    policy = argo_policy.Policy((argo_policy.Rule("ana", "applications", "sync", "shop/web", "allow"),), regex=True)
    made = rbac.Import(policy, tenant="acme", users=frozenset({"ana"})).made()
    assert (made.roles, made.bindings, [note.line for note in made.notes]) == ((), (), ["policy.matchMode: regex"])


@pytest.mark.parametrize("text", ["p, x", "hello"])
def test_a_policy_that_cannot_be_read_is_refused(tmp_path: pathlib.Path, text: str) -> None:
    assert imported(tmp_path, text).exit_code == 2
