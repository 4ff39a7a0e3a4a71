"""Orphans of a project: asked of its clusters' agents, less what it ignores, and warned of beside its apps."""

import json

import msgspec
import sqlalchemy as sa

from plane.domain import access
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import explain, orphans
from plane.server.attending import intake
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


def test_a_cluster_without_an_agent_is_a_warning(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.app("web", fleet.repository(devgit, "orphans-away"), devgit.create("orphans-away", CONFIG))
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE agents SET revoked_at = now()"))
    asked = orphans.ask(fleet.plane, viewer(fleet), authorise.Names("acme", "shop", "shop"))
    assert (asked.questions, "cluster east has no agent" in asked.warnings[0]) == ((), True)
