"""People and their roles as documents, on the command line."""

import pathlib

import pytest

from plane.server import entry
from plane.store import engine
from plane.store.people import logins
from tests.cli import conftest
from tests.support import planes

ALL = """\
apiVersion: gitops-plane.io/v1
kind: RoleBinding
metadata: {name: shop-editors}
spec:
  role: editor
  project: lab
  subjects:
    - {kind: User, name: eve}
    - {kind: User, name: ci}
---
apiVersion: gitops-plane.io/v1
kind: User
metadata: {name: eve}
---
apiVersion: gitops-plane.io/v1
kind: User
metadata: {name: ci}
spec: {type: service}
---
apiVersion: gitops-plane.io/v1
kind: Project
metadata: {name: lab}
"""


@pytest.fixture
def team(tmp_path: pathlib.Path) -> pathlib.Path:
    file = tmp_path / "team.yaml"
    file.write_text(ALL)
    return file


def test_users_and_projects_go_before_the_bindings_that_name_them(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    made = run("apply", "-f", str(team)).output
    assert made == "project/lab created\nuser/eve created\nuser/ci created\nrolebinding/shop-editors created\n"
    assert {line.split()[1] for line in run("apply", "-f", str(team)).output.splitlines()} == {"unchanged"}
    gone = run("delete", "-f", str(team)).output
    assert gone == "rolebinding/shop-editors deleted\nuser/ci deleted\nuser/eve deleted\nproject/lab deleted\n"


def test_tables_of_users_and_bindings_say_who_holds_what(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    run("apply", "-f", str(team))
    users = [line.split()[:-1] for line in run("get", "users").output.splitlines()]
    assert users[1:] == [
        ["ci", "service", "editor", "in", "acme/lab", "(rolebinding", "shop-editors)", "no", "-"],
        ["eve", "user", "editor", "in", "acme/lab", "(rolebinding", "shop-editors)", "no", "-"],
    ]
    assert run("get", "rb").output.splitlines()[1].split()[:5] == ["shop-editors", "editor", "lab", "eve,", "ci"]


def test_user_list_shows_roles_by_hand_and_by_binding(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    run("apply", "-f", str(team))
    run("user", "grant", "eve", "viewer")
    shown = " ".join(run("user", "list").output.splitlines()[2].split())
    assert shown.startswith("eve user viewer, editor in lab (rolebinding shop-editors) active")
    said = run("user", "ungrant", "eve", "editor", "--only-in", "lab", code=5).stderr
    assert "the role editor of 'eve' comes from rolebinding shop-editors; take 'eve' out of its subjects" in said


def test_a_role_that_a_binding_gives_too_is_said_to_stay(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    run("apply", "-f", str(team))
    run("user", "grant", "eve", "editor", "--only-in", "lab")
    said = run("user", "ungrant", "eve", "editor", "--only-in", "lab").output
    assert said == "user/eve is no longer editor in lab by hand; still by rolebinding shop-editors\n"


def test_a_subject_that_is_not_there_is_told_with_its_line(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    team.write_text(ALL.replace("name: ci}\nspec", "name: robot}\nspec"))
    said = run("apply", "-f", str(team), code=2).stderr
    assert f"{team}:9: spec.subjects[1].name: there is no user 'ci' in tenant acme; create it first" in said


def test_a_user_is_edited_compared_and_deleted(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    run("apply", "-f", str(team))
    run("user", "edit", "eve", EDITOR="sed -i s/user/service/")
    shown = run("diff", "-f", str(team), code=1).output.splitlines()
    assert [line for line in shown[2:] if line[0] in "+-"] == ["-  type: service", "+  type: user"]
    assert run("user", "delete", "eve").output == "user/eve deleted\n"
    assert run("get", "rb", "shop-editors").output.splitlines()[1].split()[3:4] == ["ci"]


def test_the_platforms_people_are_documents_too(api: str, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(ALL.replace("role: editor\n  project: lab", "role: platform-admin").rpartition("---")[0])
    run("apply", "-f", str(file))
    assert run("get", "users", "-T", "-", "-o", "name").output == "user/admin\nuser/ci\nuser/eve\n"
    run("delete", "user", "admin")


def test_one_asks_who_may_and_why(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    run("apply", "-f", str(team))
    assert run("auth", "can-i", "sync", "app").output.startswith("yes: ")
    assert run("auth", "can-i", "sync", "app", "--as", "eve", code=1).output.startswith("no: nothing gives eve app:sync over ")
    assert run("auth", "can-i", "sync", "app", "--as", "eve", "-P", "lab").output.startswith("yes: rolebinding shop-editors gives editor")
    assert "eve" in run("auth", "who-can", "sync", "app", "-P", "lab").output
    assert "lacks" in run("auth", "explain", "approve", "app", "--as", "eve", "-P", "lab").output
    assert "there is no permission app:fly" in run("auth", "can-i", "fly", "app", code=2).stderr


def test_a_binding_of_a_project_is_deleted_by_its_projects_admin(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    run("apply", "-f", str(team))
    run("user", "grant", "eve", "admin", "--only-in", "lab")
    token = run("token", "create", "eve").stdout.strip()
    said = run("rolebinding", "delete", "shop-editors", "-P", "lab", PLANE_TOKEN=token).output
    assert said == "rolebinding/shop-editors deleted\n"


def test_somebody_looks_after_sessions_of_browsers(shop: planes.Fleet, run: conftest.Run, team: pathlib.Path) -> None:
    run("apply", "-f", str(team))
    with engine.begin(shop.plane.engine, shop.scope) as tx:
        eve = logins.named(tx, shop.tenant, "eve", "user")
        assert eve
        made = entry.Made(shop.tenant, eve, "web-test", entry.LONGEST, entry.SESSION, "test")
        entry.issue(shop.plane, tx, made, entry.Origin("192.0.2.7"))
    assert run("session", "list").output == "No browser is logged in.\n"
    [_, line] = run("session", "list", "--user", "eve").output.splitlines()
    assert "192.0.2.7" in line
    assert run("session", "end", "--user", "eve", line.split()[0]).output == f"session {line.split()[0]} ended\n"
    assert run("session", "list", "--user", "eve").output == "No browser is logged in.\n"
