"""People, tokens, clusters, credentials and the record, against a real plane."""

import json
import pathlib
import stat

import sqlalchemy as sa

from tests.cli import conftest
from tests.support import opa_bundles, planes

IDENTITY = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"


def test_login_keeps_a_context_that_works(api: str, run: conftest.Run, environment: dict[str, str | None], tmp_path: pathlib.Path) -> None:
    (tmp_path / "token").write_text(f"{environment.pop('PLANE_TOKEN')}\n")
    environment |= {"PLANE_URL": None, "PLANE_TOKEN": None}
    said = run("login", api, "--token-file", str(tmp_path / "token"), "--context", "here", "-T", "acme").output
    assert said == f"Logged in to {api} as admin; context 'here' is current.\n"
    run("tenant", "create", "acme")
    assert run("get", "tenants", "-o", "name").output == "tenant/acme\n"
    assert "platform-admin" in run("me").output


def test_a_wrong_token_is_refused_and_nothing_is_kept(api: str, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    assert run("login", api, typed="gp_user_wrong\n", code=3).stderr.endswith("log in with `plane login`\n")
    assert not (tmp_path / "config.yaml").exists()


def test_a_viewer_may_look_but_not_change(shop: planes.Fleet, run: conftest.Run) -> None:
    run("user", "create", "eve", "--role", "viewer")
    token = run("token", "create", "eve", "--days", "1").stdout.strip()
    assert run("project", "list", "-o", "name", PLANE_TOKEN=token).output == "project/shop\n"
    said = run("app", "create", "web", "--repo", "https://git.example/web", "--cluster", "east", code=3, PLANE_TOKEN=token).stderr
    assert said == "Error: this needs the permission app:create; ask an admin for a role that has it\n"


def test_a_revoked_token_and_a_disabled_user_are_shut_out(shop: planes.Fleet, run: conftest.Run) -> None:
    run("user", "create", "eve", "--role", "viewer")
    first, second = (run("token", "create", "eve", "--name", name).stdout.strip() for name in ("one", "two"))
    [one] = [item for item in json.loads(run("token", "list", "eve", "-o", "json").output)["items"] if item["name"] == "one"]
    run("token", "revoke", "eve", one["id"])
    assert "was revoked" in run("me", code=3, PLANE_TOKEN=first).stderr
    run("user", "disable", "eve")
    assert "was disabled" in run("me", code=3, PLANE_TOKEN=second).stderr
    run("user", "enable", "eve")
    run("me", PLANE_TOKEN=second)


def test_roles_are_given_and_taken(shop: planes.Fleet, run: conftest.Run) -> None:
    run("user", "create", "robot", "--service")
    assert run("user", "grant", "robot", "editor", "--only-in", "shop").output == "user/robot is now editor in shop\n"
    assert run("user", "list").output.splitlines()[1].split()[:5] == ["robot", "service", "editor", "in", "shop"]
    assert run("user", "ungrant", "robot", "editor", "--only-in", "shop").output == "user/robot is no longer editor in shop\n"


def test_a_token_in_a_file_is_its_owners_alone(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("user", "create", "eve")
    result = run("token", "create", "eve", "--token-file", str(tmp_path / "eve"))
    assert (result.stdout, stat.S_IMODE((tmp_path / "eve").stat().st_mode)) == ("", 0o600)
    assert "is there already" in run("token", "create", "eve", "--token-file", str(tmp_path / "eve"), code=2).stderr


def test_a_join_token_stands_in_the_environment_or_a_file(api: str, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("cluster", "create", "east", "--label", "region=eu")
    note, command = run("cluster", "join", "east").output.splitlines()
    assert note.startswith("# Run this where the cluster can be reached")
    assert command.startswith("PLANE_JOIN_TOKEN=gp_join_")
    assert command.endswith(f" plane agent run --plane {api}")
    assert "gp_join_" not in run("cluster", "join", "east", "--token-file", str(tmp_path / "join")).output
    assert (tmp_path / "join").read_text().startswith("gp_join_")


def test_a_join_can_be_one_command_of_helm_or_kubectl(api: str, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("cluster", "create", "east")
    helm = run("cluster", "join", "east", "--via", "helm").output
    assert f"url: {api}" in helm
    assert "token: gp_join_" in helm
    assert helm.rstrip().endswith(
        "| helm upgrade --install agent charts/plane-agent --create-namespace --namespace gitops-plane --values -"
    )
    kubectl = run("cluster", "join", "east", "--via", "kubectl", "--token-file", str(tmp_path / "join")).output
    assert f"--set-file join.token={tmp_path / 'join'} | kubectl apply" in kubectl
    assert "gp_join_" not in kubectl


def test_a_cluster_without_an_agent_has_nothing_to_revoke(api: str, run: conftest.Run) -> None:
    run("cluster", "create", "east")
    assert run("cluster", "revoke", "east", code=5).stderr == "Error: cluster 'east' has no active agent; there is nothing to revoke\n"


def test_a_tenant_sees_its_part_of_the_clusters(shop: planes.Fleet, run: conftest.Run) -> None:
    run("user", "create", "eve", "--role", "viewer")
    token = run("token", "create", "eve").stdout.strip()
    assert run("cluster", "list", "-o", "name", PLANE_TOKEN=token).output == "cluster/east\n"
    assert "connected" in run("get", "cluster", "east", PLANE_TOKEN=token).output


def test_a_credential_comes_from_a_file_and_never_back(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "age.txt").write_text(f"{IDENTITY}\n")
    assert (
        run("credential", "create", "sops", "--kind", "sops-age", "--from-file", str(tmp_path / "age.txt")).output
        == "credential/sops created\n"
    )
    assert IDENTITY not in run("credential", "get", "sops", "-o", "yaml").output
    assert "is empty" in run("credential", "create", "none", "--kind", "sops-age", typed="\n", code=2).stderr


def test_a_policy_that_does_not_compile_names_file_and_line(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "bad.rego").write_text("package bad\n\ndeny contains {\n")
    said = run("policy", "create", "mine", "-d", str(tmp_path), code=1).stderr
    assert "does not compile" in said
    assert "bad.rego:" in said


def test_the_record_is_listed_and_exported_with_its_checkpoint(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("user", "create", "eve", "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    assert "access.person.created" in run("audit", "list").output
    file = tmp_path / "audit.jsonl"
    said = run("audit", "export", "--since", "1h", "-o", str(file)).stderr.splitlines()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert said == [f"{sum('event' in line for line in lines)} {said[0].partition(' ')[2]}"]
    assert lines[-1]["manifest"]["end"] == lines[-2]["checkpoint"]["size"]
    assert run("audit", "export", "--since", "1h").stdout.splitlines()[0].startswith('{"event":')


def test_the_platforms_own_record_is_asked_for_with_a_dash(api: str, run: conftest.Run) -> None:
    run("tenant", "create", "acme")
    assert "tenant.created" in run("audit", "export", "-T", "-").stdout


def test_a_tenant_is_shown_whole_before_it_goes(shop: planes.Fleet, run: conftest.Run) -> None:
    run("repo", "create", "web", "https://git.example/web")
    run("app", "create", "web", "--repo", "https://git.example/web", "--cluster", "east", "--namespace", "shop")
    run("user", "create", "robot", "--service", "--role", "viewer")
    shown = run("tenant", "offboard", "acme")
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == ["App", "Repository", "User", "Project"], shown.output
    assert "4 documents go with tenant/acme; run it again with --yes" in shown.stderr
    assert run("app", "list", "-o", "name").output == "app/web\n"
    going = run("tenant", "offboard", "acme", "--yes", code=1)
    assert "1 apps of tenant acme are going; run the same command again to go on" in going.stderr
    with shop.owner.begin() as tx:
        tx.execute(sa.text("DELETE FROM apps"))  # as the worker does when the agent is through
    gone = run("tenant", "offboard", "acme", "--yes").stdout
    assert gone.splitlines()[-2:] == ["project/shop deleted", "tenant/acme deleted"]
    assert run("get", "tenants", "-o", "name").output == ""


def test_a_profile_becomes_a_policy_set(shop: planes.Fleet, run: conftest.Run) -> None:
    run("policy", "create", "pods", "--profile", "pss-restricted", "--pss-version", "v1.33", "--rule", "W08=warn")
    kept = json.loads(run("policy", "get", "pods", "-o", "json").output)
    assert (kept["spec"]["rules"]["W08"], kept["spec"]["rules"]["W07"]) == ("warn", "deny")
    assert kept["spec"]["parameters"]["W10"] == {"level": "restricted", "version": "v1.33"}
    assert "one of them" in run("policy", "create", "none", code=2).stderr
    assert "there is no profile 'none'" in run("policy", "create", "none", "--profile", "none", code=2).stderr
    run("policy", "create", "all", "--profile", "strict")


def test_a_tenant_is_shown_with_its_use_of_every_quota(shop: planes.Fleet, run: conftest.Run) -> None:
    lines = [line.split() for line in run("tenant", "get", "acme").output.splitlines()]
    assert ["QUOTA", "USED", "LIMIT"] in lines
    assert ["projects", "1", "-"] in lines


def test_a_tenants_own_cluster_is_named_with_the_tenant(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "north.yaml"
    file.write_text("apiVersion: gitops-plane.io/v1\nkind: Cluster\nmetadata: {name: north, tenant: acme}\n")
    run("cluster", "create", "west", "-T", "acme")
    run("apply", "-f", str(file))
    assert "gp_join_" in run("cluster", "join", "west", "-T", "acme").output
    assert run("cluster", "list", "-T", "acme", "-o", "name").output == "cluster/east\ncluster/north\ncluster/west\n"
    assert run("cluster", "list", "-o", "name", "-T", "-").output == "cluster/east\n"
    assert json.loads(run("tenant", "offboard", "acme", "-o", "json").output)["items"][0]["metadata"]["name"] == "north"


def test_a_bundle_is_uploaded_and_what_else_the_set_says_stays(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    for name, texts in (("one", opa_bundles.FILES), ("two", {"own.rego": opa_bundles.RULE})):
        (tmp_path / name).write_bytes(opa_bundles.packed({file: text.encode() for file, text in texts.items()}))
    assert run("policy", "upload", "house", str(tmp_path / "one")).output == "policy/house created\n"
    run("apply", "-f", "-", typed=run("get", "policy", "house", "-o", "yaml").output.replace("mode: deny", "mode: warn"))
    assert run("policy", "upload", "house", str(tmp_path / "two")).output == "policy/house updated\n"
    found = json.loads(run("get", "policy", "house", "-o", "json").output)
    assert (found["spec"]["mode"], list(found["files"])) == ("warn", ["own.rego"])
    assert run("policy", "upload", "house", str(tmp_path / "two")).output == "policy/house unchanged\n"
    (tmp_path / "bad").write_bytes(b"no bundle")
    assert "bundle: is no gzipped tar archive" in run("policy", "upload", "house", str(tmp_path / "bad"), code=2).stderr


def test_a_policy_set_in_git_is_applied_refreshed_and_says_what_is_wrong(shop: planes.Fleet, run: conftest.Run) -> None:
    source = "{project: shop, repoURL: 'https://git.example/acme/rules', path: rules}"
    text = f"{{apiVersion: gitops-plane.io/v1, kind: PolicySet, metadata: {{name: house}}, spec: {{mode: warn, source: {source}}}}}"
    assert run("apply", "-f", "-", typed=text).output == "policy/house created\n"
    assert run("apply", "-f", "-", typed=text).output == "policy/house unchanged\n"
    assert run("policy", "refresh", "house").output.startswith("policy/house refreshing; ")
    assert "repository https://git.example/acme/rules is not registered in project shop" in run("get", "policies", "-o", "wide").output
