"""Orphans of a project: asked of its clusters' agents, less what it ignores, and warned of beside its apps."""

import json

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access
from plane.run.devgit import DevGit
from plane.server import authorise, documents
from plane.server.asking import explain, orphans
from plane.server.attending import intake, orphan_watch
from plane.server.keeping import apps, projects
from plane.store.layout import tables
from plane.wire import agent, answers
from plane.wire import orphans as wire
from tests.support import planes

CONFIG = planes.files("web", config="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
FOUND = (
    wire.Orphan(key=agent.Key("", "ConfigMap", "shop", "forgotten"), created="2026-01-01T00:00:00Z"),
    wire.Orphan(key=agent.Key("", "Secret", "shop", "tls"), created="2026-01-01T00:00:00Z"),
)


def viewer(fleet: planes.Fleet) -> authorise.Caller:
    return authorise.Caller(access.Actor("0" * 8 + "-0000-0000-0000-000000000001", "bob", grants=(access.Grant("viewer", fleet.tenant),)))


def test_the_projects_orphans_are_asked_for_filtered_and_warned_of(fleet: planes.Fleet, devgit: DevGit) -> None:
    spec = {"orphanedResources": {"ignore": [{"kind": "Secret"}]}}
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE projects SET spec = CAST(:spec AS jsonb)"), {"spec": json.dumps(spec)})
    fleet.app("web", fleet.repository(devgit, "orphans"), devgit.create("orphans", CONFIG))
    names, caller = authorise.Names("acme", "shop", "shop"), viewer(fleet)
    asked = orphans.ask(fleet.plane, caller, names)
    [(task, _)] = fleet.claim()
    assert (task.query, msgspec.msgpack.decode(task.terms, type=wire.Where).namespaces) == ("orphans", ("shop",))
    [question] = asked.questions
    assert orphans.heard(fleet.plane, caller, names, question) is None
    end = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
    live = answers.encode(wire.Found(items=FOUND, warnings=("secrets in shop could not be listed",)))
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(msgspec.structs.replace(end, live=live),)))
    told = orphans.told(fleet.plane, caller, names, asked, [orphans.heard(fleet.plane, caller, names, question)])
    assert [(one.cluster, one.kind, one.name) for one in told.items] == [("east", "ConfigMap", "forgotten")]
    assert told.warnings == ("secrets in shop could not be listed",)
    warnings = explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web").warnings
    assert any("1 object beside the app belongs to no app" in line and "`plane project orphans shop`" in line for line in warnings)


def answer(fleet: planes.Fleet, task: agent.Task) -> None:
    end = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
    live = answers.encode(wire.Found(items=FOUND))
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(msgspec.structs.replace(end, live=live),)))


def watched(fleet: planes.Fleet, spec: dict[str, object]) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE projects SET spec = CAST(:spec AS jsonb)"), {"spec": json.dumps({"orphanedResources": spec})})


def test_a_project_that_warns_is_looked_at_once_an_hour_and_tells(fleet: planes.Fleet, devgit: DevGit) -> None:
    watched(fleet, {"ignore": [{"kind": "ConfigMap"}]})
    fleet.app("web", fleet.repository(devgit, "orphans-hourly"), devgit.create("orphans-hourly", CONFIG))
    assert (orphan_watch.look(fleet.plane), orphan_watch.look(fleet.plane)) == (1, 0)
    [(task, _)] = fleet.claim()
    answer(fleet, task)
    project = projects.get(fleet.plane, viewer(fleet), authorise.Names("acme", "shop", "shop"))
    assert project.status is not None
    assert project.status.orphans is not None
    assert (project.status.orphans.total, project.status.orphans.found) == (1, {"east/shop": 1})
    app = documents.get(fleet.plane, viewer(fleet), apps.KIND, authorise.Names("acme", "shop", "web"))
    assert app.status.warnings[0].startswith("1 object beside the app belongs to no app, as of ")
    fleet.plane.clock.ahead = 2 * orphan_watch.EVERY  # type: ignore[attr-defined]  # the fixture's clock
    assert orphan_watch.look(fleet.plane) == 1


def test_what_the_platform_excludes_is_no_orphan(fleet: planes.Fleet, devgit: DevGit) -> None:
    watched(fleet, {})
    with fleet.owner.begin() as tx:
        row = {
            "tenant_id": access.PLATFORM_TENANT,
            "id": fleet.plane.clock.id(),
            "name": "all",
            "spec": {"exclusions": [{"kinds": ["Secret"]}]},
        }
        tx.execute(sa.insert(tables.RULES).values(row))
    fleet.app("web", fleet.repository(devgit, "orphans-excluded"), devgit.create("orphans-excluded", CONFIG))
    orphan_watch.look(fleet.plane)
    [(task, _)] = fleet.claim()
    answer(fleet, task)
    assert fleet.row("SELECT orphans -> 'found' AS found FROM projects").found == {"east/shop": 1}


@pytest.mark.parametrize("spec", [{}, {"orphanedResources": {"warn": False}}])
def test_a_project_that_does_not_want_to_be_warned_is_not_looked_at(fleet: planes.Fleet, spec: dict[str, object]) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE projects SET spec = CAST(:spec AS jsonb)"), {"spec": json.dumps(spec)})
    assert orphan_watch.look(fleet.plane) == 0
    assert fleet.row("SELECT orphans FROM projects").orphans is None


def test_what_was_found_where_the_project_is_no_more_is_forgotten(fleet: planes.Fleet, devgit: DevGit) -> None:
    watched(fleet, {})
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("""UPDATE projects SET orphans = '{"at": "2026-01-01T00:00:00Z", "found": {"west/shop": 3}}'"""))
    orphan_watch.look(fleet.plane)
    assert fleet.row("SELECT orphans -> 'found' AS found FROM projects").found == {}


def test_a_cluster_without_an_agent_is_a_warning(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.app("web", fleet.repository(devgit, "orphans-away"), devgit.create("orphans-away", CONFIG))
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE agents SET revoked_at = now()"))
    asked = orphans.ask(fleet.plane, viewer(fleet), authorise.Names("acme", "shop", "shop"))
    assert (asked.questions, "cluster east has no agent" in asked.warnings[0]) == ((), True)
