"""The platform's rules reach every tenant's apps: what their agents pass over, and what is never rendered into a release."""

import json

import msgspec
import sqlalchemy as sa

from plane.domain import access
from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.store.layout import tables
from plane.wire import agent, bundle
from tests.support import planes
from tests.support.rest import Api, Tenant, document

TWO = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: web}\n"


def rule(fleet: planes.Fleet, **spec: object) -> None:
    """As the use case leaves it."""
    with fleet.owner.begin() as tx:
        row = {"tenant_id": access.PLATFORM_TENANT, "id": fleet.plane.clock.id(), "name": "all", "spec": spec}
        tx.execute(sa.insert(tables.RULES).values(row))
        tx.execute(sa.text("UPDATE apps SET due_at = now() - interval '1 minute'"))


def end(fleet: planes.Fleet, task: agent.Task) -> None:
    final = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))


def test_what_counts_for_no_app_is_told_to_every_agent(fleet: planes.Fleet, devgit: DevGit) -> None:
    own = {"kind": "Deployment", "group": "apps", "jsonPointers": ["/spec/replicas"]}
    url = devgit.create("rules-ignore", planes.files("web", config=TWO))
    fleet.app("web", fleet.repository(devgit, "rules-ignore"), url, ignoreDifferences=[own])
    fleet.work()
    [(first, _)] = fleet.claim()
    end(fleet, first)
    assert [one.pointers for one in first.options.ignore] == [("/spec/replicas",)]
    rule(fleet, ignoreDifferences=[{"kind": "*", "group": "*", "jsonPointers": ["/metadata/annotations/touched"]}])
    fleet.work()
    [(second, _)] = fleet.claim()
    assert [one.pointers for one in second.options.ignore] == [("/spec/replicas",), ("/metadata/annotations/touched",)]


def test_an_excluded_kind_is_left_out_of_the_release_and_told(fleet: planes.Fleet, devgit: DevGit) -> None:
    rule(fleet, exclusions=[{"kinds": ["Secret"]}])
    fleet.app("web", fleet.repository(devgit, "rules-exclude"), devgit.create("rules-exclude", planes.files("web", config=TWO)))
    fleet.work()
    [(_, release)] = fleet.claim()
    assert release is not None
    assert [msgspec.json.decode(one)["kind"] for one in bundle.unpack(release.digest, release.body)] == ["ConfigMap"]
    verdict = json.dumps(fleet.row("SELECT verdict FROM releases").verdict)
    assert "resource-exclusions" in verdict
    assert "web/config.yaml:5" in verdict


def test_the_platform_alone_writes_rules_and_they_are_checked(platform: Api, acme: Tenant) -> None:
    good = document("ResourceRule", "all", {"ignoreDifferences": [{"kind": "*", "group": "*", "jsonPointers": ["/status"]}]})
    assert acme.api.put("/resourcerules/all", good).status_code == 403
    assert platform.put("/resourcerules/all", good).status_code == 201
    wrong = platform.put("/resourcerules/all", document("ResourceRule", "all", {"exclusions": [{}], "ignoreDifferences": [{"kind": "*"}]}))
    assert (wrong.status_code, "spec.exclusions[0]" in wrong.json()["problems"]) == (400, True), wrong.text
    assert platform.delete("/resourcerules/all").status_code == 200
