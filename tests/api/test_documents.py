"""Documents over REST: what is written is read back, what is wrong is told, what changed meanwhile is kept."""

import sqlalchemy as sa
from litestar import Litestar
from litestar.testing import TestClient

from plane.api import examples
from plane.wire import documents
from tests.support.rest import Api, Tenant, app_document, document


def test_what_is_created_is_read_back_with_its_status(acme: Tenant) -> None:
    made = acme.api.make(f"{acme.shop}/apps", app_document("web"))
    read = acme.api.get(f"{acme.shop}/apps/web")
    assert read.json() == made
    assert made["metadata"] == {"name": "web", "tenant": "acme", "project": "shop"}
    assert (made["spec"]["source"]["path"], made["status"]["version"], read.headers["ETag"]) == ("web", 1, '"1"')


def test_an_app_whose_name_exists_is_refused(acme: Tenant) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    again = acme.api.post(f"{acme.shop}/apps", app_document("web"))
    assert (again.status_code, again.json()["detail"]) == (409, "app 'web' exists already; change that one, or choose another name")


def test_an_equal_put_changes_nothing(acme: Tenant) -> None:
    first = acme.api.put(f"{acme.shop}/apps/web", app_document("web"))
    second = acme.api.put(f"{acme.shop}/apps/web", app_document("web"))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["status"]["version"] == 1


def test_a_change_on_top_of_another_is_refused(acme: Tenant) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    newer = app_document("web", revisionHistoryLimit=3)
    assert acme.api.put(f"{acme.shop}/apps/web", newer, If_Match='"1"').headers["ETag"] == '"2"'
    late = acme.api.put(f"{acme.shop}/apps/web", app_document("web", revisionHistoryLimit=4), If_Match='"1"')
    assert (late.status_code, late.json()["type"]) == (412, "urn:gitops-plane:problem:version-mismatch")
    assert acme.api.get(f"{acme.shop}/apps/web").json()["spec"]["revisionHistoryLimit"] == 3


def test_a_misspelt_field_is_named_with_the_right_spelling(acme: Tenant) -> None:
    wrong = acme.api.post(f"{acme.shop}/apps", app_document("web", syncPolicy={"automated": {"selfheal": True}}))
    assert wrong.status_code == 400
    assert wrong.json()["problems"] == {"spec.syncPolicy.automated.selfheal": "there is no such field; did you mean selfHeal?"}


def test_a_status_is_refused_on_input(acme: Tenant) -> None:
    made = acme.api.make(f"{acme.shop}/apps", app_document("web"))
    again = acme.api.put(f"{acme.shop}/apps/web", made)
    assert (again.status_code, again.json()["problems"]) == (400, {"status": "is written by the plane alone; remove it"})


def test_names_in_body_and_address_agree(acme: Tenant) -> None:
    body = app_document("web") | {"metadata": {"name": "web", "tenant": "globex", "project": "other"}}
    wrong = acme.api.post(f"{acme.shop}/apps", body)
    assert set(wrong.json()["problems"]) == {"metadata.tenant", "metadata.project"}


def test_all_broken_rules_of_an_app_are_told_at_once(acme: Tenant) -> None:
    spec = {"source": {"repoURL": "https://user:pw@git.example/x", "path": "../up"}, "destination": {"cluster": "East"}}
    wrong = acme.api.post(f"{acme.shop}/apps", document("App", "web", spec))
    assert set(wrong.json()["problems"]) == {"spec.source.repoURL", "spec.source.path", "spec.destination.cluster"}
    assert "pw" not in wrong.text


def test_a_project_with_apps_is_kept(acme: Tenant) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    kept = acme.api.delete("/tenants/acme/projects/shop")
    assert (kept.status_code, kept.json()["detail"]) == (409, "project 'shop' still has apps (1); delete them first")


def test_an_empty_project_goes(acme: Tenant) -> None:
    assert acme.api.delete("/tenants/acme/projects/shop").status_code == 200
    assert acme.api.get("/tenants/acme/projects/shop").status_code == 404


def test_a_tenant_with_projects_is_kept(platform: Api, acme: Tenant) -> None:
    assert platform.delete("/tenants/acme").status_code == 409


def test_lists_are_pages(acme: Tenant) -> None:
    for name in ("c", "a", "b"):
        acme.api.make(f"{acme.shop}/apps", app_document(name))
    first = acme.api.get(f"{acme.shop}/apps?limit=2").json()
    second = acme.api.get(f"{acme.shop}/apps?limit=2&cursor={first['next']}").json()
    assert [item["metadata"]["name"] for page in (first, second) for item in page["items"]] == ["a", "b", "c"]
    assert second["next"] == ""


def test_a_list_is_narrowed_by_labels(acme: Tenant) -> None:
    front = app_document("web") | {"metadata": {"name": "web", "labels": {"tier": "front"}}}
    acme.api.make(f"{acme.shop}/apps", front)
    acme.api.make(f"{acme.shop}/apps", app_document("api"))
    found = acme.api.get(f"{acme.shop}/apps?labels=tier=front").json()["items"]
    assert [item["metadata"]["name"] for item in found] == ["web"]


def test_a_secret_is_written_and_never_read(acme: Tenant) -> None:
    body = document("Credential", "git", {"kind": "git-password", "username": "plane"}, data={"password": "canary-of-rest"})
    made = acme.api.post(f"{acme.shop}/credentials", body)
    assert made.status_code == 201
    for text in (made.text, acme.api.get(f"{acme.shop}/credentials/git").text, acme.api.get(f"{acme.shop}/credentials").text):
        assert "canary" not in text
        assert '"data"' not in text


def test_a_credential_without_its_secret_is_refused(acme: Tenant) -> None:
    wrong = acme.api.post(
        f"{acme.shop}/credentials", document("Credential", "git", {"kind": "git-ssh", "knownHosts": "git.example ssh-ed25519 AAAA"})
    )
    assert "data" in wrong.json()["problems"]


def test_a_stored_secret_does_not_follow_to_another_address(acme: Tenant) -> None:
    spec = {"kind": "vault", "address": "https://vault.example", "prefixes": ["shop/"]}
    acme.api.make(f"{acme.shop}/credentials", document("Credential", "vault", spec, data={"token": "made-up"}))
    moved = acme.api.put(f"{acme.shop}/credentials/vault", document("Credential", "vault", spec | {"address": "https://evil.example"}))
    assert (moved.status_code, set(moved.json()["problems"])) == (400, {"data"})


def test_a_repository_ties_the_apps_that_name_it(acme: Tenant, owner: sa.Engine) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    acme.api.make(f"{acme.shop}/repositories", document("Repository", "deploy", {"url": "https://GIT.example/acme/deploy/"}))
    with owner.begin() as tx:
        assert tx.exec_driver_sql("SELECT repository_id IS NOT NULL, cluster_id IS NOT NULL FROM apps").one() == (True, True)
    assert acme.api.delete(f"{acme.shop}/repositories/deploy").status_code == 409


def test_a_grant_that_comes_later_ties_the_apps(platform: Api, acme: Tenant, owner: sa.Engine) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web", destination={"cluster": "west"}))
    grant = {"tenant": "acme", "namespaces": ["*"]}
    platform.make("/clusters", document("Cluster", "west", {"grants": [grant]}))
    with owner.begin() as tx:
        assert tx.exec_driver_sql("SELECT cluster_id IS NOT NULL FROM apps").scalar_one()
    assert platform.delete("/clusters/west").status_code == 409
    platform.put("/clusters/west", document("Cluster", "west"))
    with owner.begin() as tx:
        assert tx.exec_driver_sql("SELECT cluster_id IS NULL FROM apps").scalar_one()


def test_a_grant_to_nobody_is_refused(platform: Api) -> None:
    wrong = platform.post("/clusters", document("Cluster", "west", {"grants": [{"tenant": "nobody", "namespaces": ["*"]}]}))
    assert wrong.json()["problems"] == {"spec.grants[0].tenant": "there is no tenant 'nobody'"}


def test_the_policy_set_of_the_examples_is_one(acme: Tenant) -> None:
    assert acme.api.make("/tenants/acme/policies", examples.EXAMPLES[documents.PolicySet])["status"]["digest"]


def test_a_policy_whose_rule_does_not_say_what_it_is_is_refused_with_its_line(acme: Tenant) -> None:
    bare = 'package plane.rules.own\n\nviolations contains {"message": "no"}\n'
    wrong = acme.api.post("/tenants/acme/policies", document("PolicySet", "own", {}, files={"own.rego": bare}))
    assert wrong.status_code == 422
    assert wrong.json()["problems"][0].startswith("own.rego:1:1: there is no METADATA above the package; every rule says its title")


def test_a_policy_that_does_not_compile_is_refused_with_its_line(acme: Tenant) -> None:
    wrong = acme.api.post(
        "/tenants/acme/policies",
        document("PolicySet", "own", {}, files={"own.rego": "package plane.rules.own\n\nviolations contains nonsense"}),
    )
    assert wrong.status_code == 422
    assert wrong.json()["problems"][0].startswith("own.rego:3")


def test_a_project_bounds_what_its_apps_may_name(acme: Tenant) -> None:
    spec = {"sourceRepos": ["https://git.example/acme/*"], "destinations": [{"cluster": "east", "namespace": "shop"}]}
    acme.api.put("/tenants/acme/projects/shop", document("Project", "shop", spec))
    wrong = app_document(
        "web", source={"repoURL": "https://git.example/other/x"}, destination={"cluster": "east", "namespace": "kube-system"}
    )
    assert set(acme.api.post(f"{acme.shop}/apps", wrong).json()["problems"]) == {"spec.source.repoURL", "spec.destination"}


def test_a_body_of_a_hundred_megabytes_is_refused_unread(acme: Tenant, client: TestClient[Litestar]) -> None:
    headers = {"Authorization": f"Bearer {acme.api.token}", "Content-Type": "application/json"}
    answer = client.post(f"/api/v1{acme.shop}/apps", content=b" " * 100_000_000, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:gitops-plane:problem:body-too-large")


def test_only_json_is_read(acme: Tenant, client: TestClient[Litestar]) -> None:
    headers = {"Authorization": f"Bearer {acme.api.token}"}
    assert client.post(f"/api/v1{acme.shop}/apps", data={"a": "b"}, headers=headers).status_code == 415


def test_a_nul_is_refused_and_not_stored(acme: Tenant) -> None:
    assert acme.api.post(f"{acme.shop}/apps", app_document("web", info=[{"name": "a\0b", "value": "x"}])).status_code == 400


def several(*urls: str) -> list[dict[str, str]]:
    return [{"repoURL": url, "path": "web"} for url in urls]


def test_every_source_is_tied_to_its_repository(acme: Tenant, owner: sa.Engine) -> None:
    first, second = ("https://git.example/acme/first.git", "https://git.example/acme/second")
    acme.api.make(f"{acme.shop}/repositories", document("Repository", "first", {"url": first}))
    body = app_document("web", source=None, sources=several(first, second))
    del body["spec"]["source"]
    acme.api.make(f"{acme.shop}/apps", body)

    def tied() -> list[str | None]:
        with owner.begin() as tx:
            tx.execute(sa.text("UPDATE repositories SET poll_at = NULL"))
            return list(tx.execute(sa.text("SELECT r.name FROM app_sources LEFT JOIN repositories r ON r.id = repository_id")).scalars())

    assert tied() == [None]
    acme.api.make(f"{acme.shop}/repositories", document("Repository", "second", {"url": f"{second}.git/"}))
    assert tied() == ["second"]
    kept = acme.api.delete(f"{acme.shop}/repositories/second")
    assert (kept.status_code, "is the source of 1 apps" in kept.json()["detail"]) == (409, True)
    assert acme.api.post(f"{acme.shop}/apps/web/refresh", {}).status_code == 202
    with owner.begin() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM repositories WHERE poll_at IS NOT NULL")).scalar_one() == 2
    assert acme.api.put(f"{acme.shop}/apps/web", app_document("web")).status_code == 200
    assert tied() == []
    assert acme.api.delete(f"{acme.shop}/repositories/second").status_code == 200


def test_a_freeze_that_is_lifted_makes_every_app_of_the_tenant_due(platform: Api, acme: Tenant, owner: sa.Engine) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    frozen = document("Tenant", "acme", {"freezes": [{"reason": "year end", "owner": "ada"}]})
    assert platform.put("/tenants/acme", frozen).status_code == 200
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET due_at = NULL"))
    assert platform.put("/tenants/acme", document("Tenant", "acme")).status_code == 200
    with owner.begin() as tx:
        assert tx.execute(sa.text("SELECT due_at IS NOT NULL FROM apps")).scalar_one()
