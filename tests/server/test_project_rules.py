"""What projects and quotas allow reaches every app of theirs, also those that were there before."""

import json
import os

import sqlalchemy as sa

from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.store.layout import tables
from plane.wire import agent, permitted
from tests.support import planes
from tests.support.rest import Api, Tenant, document

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
ACCOUNTS = [{"defaultServiceAccount": "deployer", "namespace": "shop"}]


def made(fleet: planes.Fleet, devgit: DevGit, repository: str, *names: str) -> None:
    """Apps of one ConfigMap each."""
    files = {f"{name}/config.yaml": (CONFIG % name).encode() for name in names}
    url = devgit.create(repository, files)
    known = fleet.repository(devgit, repository)
    for name in names:
        fleet.app(name, known, url)


def say(fleet: planes.Fleet, table: sa.Table, **spec: object) -> None:
    """As the use case leaves it: all apps are due."""
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(table).values(spec=spec))
        tx.execute(sa.text("UPDATE apps SET due_at = now() - interval '1 minute'"))


def end(fleet: planes.Fleet, task: agent.Task) -> None:
    final = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))


def decisions(fleet: planes.Fleet) -> dict[str, tuple[str, str]]:
    """Name → code and sentence."""
    with fleet.owner.begin() as tx:
        rows = tx.execute(sa.text("SELECT a.name, s.decision FROM apps a JOIN app_states s ON s.app_id = a.id"))
        return {row.name: (row.decision.get("code", row.decision["type"]), row.decision["sentence"]) for row in rows}


def quotas_told(fleet: planes.Fleet) -> dict[str, str]:
    """What the log says of quotas, target → message."""
    with fleet.owner.begin() as tx:
        bodies = tx.execute(sa.text("SELECT body FROM audit_events WHERE type = 'tenant.quota.reached'")).scalars()
        events = [json.loads(one) for one in bodies]
    return {one["target"]: one["message"] for one in events}


def test_a_rule_that_came_later_stops_the_next_sync(fleet: planes.Fleet, devgit: DevGit) -> None:
    made(fleet, devgit, "rules-later", "web")
    fleet.work()
    [(task, _)] = fleet.claim()
    end(fleet, task)
    say(fleet, tables.projects, sourceRepos=["https://elsewhere.example/**"])
    assert fleet.work() == 0
    code, sentence = decisions(fleet)["web"]
    assert (code, "is not among the sourceRepos of project shop" in sentence) == ("source-failed", True), sentence


def test_an_object_of_a_denied_kind_is_named_with_its_line(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.projects, namespaceResourceBlacklist=[{"group": "", "kind": "ConfigMap"}])
    made(fleet, devgit, "rules-kinds", "web")
    assert fleet.work() == 0
    assert "web/config.yaml:1: ConfigMap shop/web is denied by /ConfigMap" in decisions(fleet)["web"][1]


def test_the_agent_gets_the_projects_rules_in_the_signed_task(fleet: planes.Fleet, devgit: DevGit) -> None:
    destinations = [{"namespace": "shop"}, {"cluster": "west", "namespace": "bank"}, {"cluster": "e*", "namespace": "!kube-*"}]
    say(fleet, tables.projects, destinations=destinations, clusterResourceWhitelist=[], namespaceResourceBlacklist=[{"kind": "Secret"}])
    made(fleet, devgit, "rules-scope", "web")
    fleet.work()
    [(task, _)] = fleet.claim()
    wanted = permitted.Rules(namespaces=("shop", "!kube-*"), cluster_allowed=(), namespace_denied=(permitted.Kinds("", "Secret"),))
    assert (task.scope.rules, task.scope.namespaces) == (wanted, ("shop", "acme-*"))


def test_a_project_syncs_as_the_account_it_names(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.projects, destinationServiceAccounts=ACCOUNTS)
    fleet.knows("accounts")
    made(fleet, devgit, "accounts", "web")
    fleet.work()
    [(task, _)] = fleet.claim()
    assert task.options.run_as == "shop:deployer"
    end(fleet, task)
    say(fleet, tables.projects, destinationServiceAccounts=[{"defaultServiceAccount": "acme-ops:other"}])
    fleet.work()
    assert [one.options.run_as for one, _ in fleet.claim()] == ["acme-ops:other"]


def test_a_project_acts_as_nobody_outside_the_tenants_namespaces(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.projects, destinationServiceAccounts=[{"defaultServiceAccount": "kube-system:admin"}])
    fleet.knows("accounts")
    made(fleet, devgit, "accounts-foreign", "web")
    assert (fleet.work(), fleet.claim()) == (0, [])
    code, sentence = decisions(fleet)["web"]
    assert (code, "the service account kube-system:admin, and the tenant is granted the namespaces shop, acme-*" in sentence) == (
        "no-account",
        True,
    )


def test_without_an_account_for_the_place_nothing_is_dispatched(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.projects, destinationServiceAccounts=[{"defaultServiceAccount": "deployer", "namespace": "bank"}])
    made(fleet, devgit, "accounts-none", "web")
    assert (fleet.work(), fleet.claim()) == (0, [])
    assert decisions(fleet)["web"][0] == "no-account"


def test_an_agent_that_would_write_as_itself_gets_no_task(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.projects, destinationServiceAccounts=ACCOUNTS)
    fleet.knows("once")
    made(fleet, devgit, "accounts-old", "web")
    assert fleet.work() == 0
    code, sentence = decisions(fleet)["web"]
    assert (code, "does not know writing as a project's service account; upgrade it" in sentence) == ("no-account", True)


def test_nothing_is_dispatched_for_a_suspended_tenant_until_it_is_one_no_more(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.tenants, suspended="the contract ended")
    made(fleet, devgit, "suspended", "web")
    assert (fleet.work(), decisions(fleet)["web"][0]) == (0, "suspended")
    say(fleet, tables.tenants)
    assert fleet.work() == 1


def test_a_repository_beyond_the_tenants_quota_says_so_and_its_apps_too(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.tenants, quotas={"repositoryMib": 1})
    files = {"web/config.yaml": (CONFIG % "web").encode(), "web/data.bin": os.urandom(2_000_000)}
    url = devgit.create("quota-size", files)
    fleet.app("web", fleet.repository(devgit, "quota-size"), url)
    fleet.work()
    assert "the tenant's quota is 1,048,576 for one repository" in decisions(fleet)["web"][1]
    assert [*quotas_told(fleet)] == ["quota/repositoryMib"]
    say(fleet, tables.tenants, quotas={"repositoryMib": 10})
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE repositories SET poll_at = now() - interval '1 minute'"))
    fleet.work()
    with fleet.owner.begin() as tx:
        assert tx.execute(sa.select(tables.repositories.c.mirror_bytes)).scalar_one() > 2_000_000


def test_people_of_a_suspended_tenant_may_read_and_not_write(platform: Api, acme: Tenant) -> None:
    suspended = document("Tenant", "acme", {"suspended": "the contract ended", "displayName": "Acme"})
    assert platform.put("/tenants/acme", suspended).is_success
    assert acme.api.get("/tenants/acme/projects").is_success
    refused = acme.api.put("/tenants/acme/projects/second", document("Project", "second", {}))
    assert refused.status_code == 409
    assert "tenant acme is suspended: the contract ended; its people may read" in refused.json()["detail"]
    assert platform.put("/tenants/acme/projects/second", document("Project", "second", {})).is_success


def test_so_many_syncs_run_side_by_side_as_the_quota_says(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.tenants, quotas={"concurrentSyncs": 2})
    made(fleet, devgit, "quota-syncs", "a", "b", "c")
    assert fleet.work() == 2
    waiting = [sentence for code, sentence in decisions(fleet).values() if code == "quota"]
    assert len(waiting) == 1
    assert waiting[0].startswith("the tenant's quota is 2 concurrent syncs, 2 are in use; wait until one is through")
    assert quotas_told(fleet) == {"quota/concurrentSyncs": waiting[0]}
    end(fleet, fleet.claim()[0][0])
    say(fleet, tables.tenants, quotas={"concurrentSyncs": 2})
    assert fleet.work() == 1


def test_objects_are_counted_over_all_apps(fleet: planes.Fleet, devgit: DevGit) -> None:
    made(fleet, devgit, "quota-objects", "a")
    fleet.work()
    say(fleet, tables.tenants, quotas={"objects": 1})
    made(fleet, devgit, "quota-objects-2", "b")
    fleet.work()
    found = decisions(fleet)
    assert (found["b"][0], "its other apps leave room for 0 and this one has 1" in found["b"][1]) == ("source-failed", True), found
    assert found["a"][0] != "source-failed"


def test_a_tenant_makes_no_more_projects_and_apps_than_its_quotas_say(platform: Api, acme: Tenant) -> None:
    assert platform.put("/tenants/acme", document("Tenant", "acme", {"quotas": {"projects": 1, "apps": 0}})).is_success
    refused = acme.api.put("/tenants/acme/projects/second", document("Project", "second", {}))
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "quota-exceeded"), refused.text
    assert refused.json()["detail"].startswith("the tenant's quota is 1 projects, 1 are in use; delete one, or ask the platform team")
    app = document("App", "web", {"source": {"repoURL": "https://git.example/a"}, "destination": {"cluster": "east", "namespace": "shop"}})
    assert acme.api.put("/tenants/acme/projects/shop/apps/web", app).status_code == 409


def test_a_grant_bounds_the_apps_and_namespaces_on_a_cluster(platform: Api, acme: Tenant) -> None:
    grant = {"tenant": "acme", "namespaces": ["*"], "projects": ["shop"], "capacity": {"apps": 2, "namespaces": 1}}
    assert platform.put("/clusters/narrow", document("Cluster", "narrow", {"grants": [grant]})).is_success

    def put(name: str, namespace: str, project: str = "shop") -> tuple[int, str]:
        spec = {"source": {"repoURL": "https://git.example/a"}, "destination": {"cluster": "narrow", "namespace": namespace}}
        answer = acme.api.put(f"/tenants/acme/projects/{project}/apps/{name}", document("App", name, spec))
        return answer.status_code, json.dumps(answer.json())

    assert put("a", "one")[0] == 201
    status, said = put("b", "two")
    assert (status, "may use 1 namespaces of cluster narrow and use 1" in said) == (409, True)
    assert put("b", "one")[0] == 201
    assert "may have 2 apps on cluster narrow and has 2" in put("c", "one")[1]
    assert acme.api.put("/tenants/acme/projects/bank", document("Project", "bank", {})).is_success
    status, said = put("d", "one", "bank")
    assert (status, "is granted to other projects of the tenant (shop)" in said) == (400, True)


def test_where_commits_must_be_signed_an_unsigned_one_is_not_rendered(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(
        fleet,
        tables.projects,
        signatureKeys=[{"publicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}],
    )
    made(fleet, devgit, "unsigned", "web")
    assert fleet.work() == 0
    code, sentence = decisions(fleet)["web"]
    assert (code, "must be signed by one of the signatureKeys of project shop, and it is not signed" in sentence) == ("source-failed", True)


def test_a_new_namespace_begins_with_the_tenants_template(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, tables.tenants, namespaces={"labels": {"team": "acme"}, "resourceQuota": {"hard": {"pods": "5"}}})
    url = devgit.create("template", {"web/config.yaml": (CONFIG % "web").encode()})
    wanted = {"labels": {"team": "mine", "zone": "a"}}
    policy = {"automated": {}, "syncOptions": ["CreateNamespace=true"], "managedNamespaceMetadata": wanted}
    fleet.app("web", fleet.repository(devgit, "template"), url, syncPolicy=policy)
    fleet.work()
    [(task, _)] = fleet.claim()
    assert task.options.namespace_labels == {"team": "acme", "zone": "a"}
    assert [json.loads(one)["spec"] for one in task.options.namespace_template] == [{"hard": {"pods": "5"}}]
    end(fleet, task)
    say(fleet, tables.tenants, namespaces={"resourceQuota": {"hard": {"pods": "9"}}})
    assert fleet.work() == 1
