"""Health checks: kept when they can do, refused with field and line, and handed to the agents that need them."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plane.wire import agent, scripted, signing
from tests.api.test_agents import east  # noqa: F401 - a fixture
from tests.support.joining import Agent
from tests.support.rest import Api, Tenant, document

LUA = "hs = {}\nhs.status = 'Healthy'\nreturn hs\n"
OWN = "/tenants/acme/healthchecks"


def spec(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"group": "x.example", "kind": "Widget", "lua": LUA} | given


def told(east: Agent, held: str, *, projects: bool = True) -> scripted.Checks | None:  # noqa: F811
    """What an agent that holds a set is answered."""
    answer = east.call("POST", "/claim?wait=0&max=8", agent.Claim(checks=held, projects=projects))
    claimed = msgspec.msgpack.decode(answer.content, type=agent.Claimed)
    return signing.open_checks(claimed.checks, east.enrolled.task_key, cluster_id=east.enrolled.cluster_id) if claimed.checks else None


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"lua": "hs = {}\n\nif then"}, "spec.lua", "is no Lua: line 3: unexpected symbol near 'then'"),
        ({"lua": "return {status = require('os')}"}, "spec.lua", "went wrong: line 1: attempt to call global 'require' (a nil value)"),
        ({"lua": "", "cel": {"current": "status.ready =="}}, "spec.cel", "current is no CEL: 1:16"),
        ({"cel": {"current": "true"}}, "spec", "needs one of lua and cel"),
        ({"lua": ""}, "spec", "needs one of lua and cel"),
        ({"lua": "", "cel": {}}, "spec.cel", "needs an expression"),
        ({"kind": ""}, "spec.kind", "names the kind to judge"),
        ({"cluster": "nowhere"}, "spec.cluster", "there is no cluster 'nowhere' here"),
    ],
)
def test_a_check_that_can_never_do_is_refused_with_its_line(acme: Tenant, given: dict[str, Any], field: str, rule: str) -> None:
    wrong = acme.api.post(OWN, document("HealthCheck", "widgets", spec(**given)))
    assert wrong.status_code == 400
    assert wrong.json()["problems"][field].startswith(rule)


def test_a_check_is_a_document_like_any_other(acme: Tenant, owner: sa.Engine) -> None:
    made = acme.api.make(OWN, document("HealthCheck", "widgets", spec(cluster="east")))
    assert acme.api.get(f"{OWN}/widgets").json()["spec"] == spec(cluster="east") == made["spec"]
    changed = document("HealthCheck", "widgets", spec(kind="*"))
    assert acme.api.put(f"{OWN}/widgets", changed).json()["status"]["version"] == 2
    assert acme.api.put(f"{OWN}/widgets", changed).json()["status"]["version"] == 2
    assert [one["spec"]["kind"] for one in acme.api.get(OWN).json()["items"]] == ["*"]
    assert acme.api.delete(f"{OWN}/widgets").status_code == 200
    with owner.begin() as tx:
        kept = tx.execute(sa.text("SELECT type FROM audit_events WHERE type LIKE 'healthcheck.%'")).scalars()
        assert sorted(kept) == ["healthcheck.created", "healthcheck.deleted", "healthcheck.updated"]


def test_an_agent_is_told_of_its_checks_once(platform: Api, acme: Tenant, east: Agent) -> None:  # noqa: F811
    assert told(east, "") is None
    acme.api.make(OWN, document("HealthCheck", "widgets", spec(cluster="east")))
    platform.make("/healthchecks", document("HealthCheck", "all", spec(group="_", kind="_")))
    found = told(east, "")
    assert found is not None
    assert sorted((check.tenant, check.name, check.local, check.group, check.kind) for check in found.checks) == [
        ("", "all", False, "*", "*"),
        ("acme", "widgets", True, "x.example", "Widget"),
    ]
    assert told(east, found.digest) is None
    assert acme.api.delete(f"{OWN}/widgets").status_code == 200
    assert platform.delete("/healthchecks/all").status_code == 200
    last = told(east, found.digest)
    assert last is not None
    assert (last.digest, last.checks) == ("", ())


def test_checks_of_other_clusters_and_of_tenants_without_a_grant_stay_away(platform: Api, acme: Tenant, east: Agent) -> None:  # noqa: F811
    platform.make("/tenants", document("Tenant", "globex"))
    platform.make("/tenants/globex/healthchecks", document("HealthCheck", "theirs", spec()))
    platform.make("/clusters", document("Cluster", "west"))
    platform.make("/healthchecks", document("HealthCheck", "west", spec(cluster="west")))
    assert told(east, "") is None


def test_a_projects_checks_lie_apart_and_an_older_agent_never_hears_of_them(acme: Tenant, east: Agent) -> None:  # noqa: F811
    shop = "/tenants/acme/projects/shop/healthchecks"
    made = acme.api.make(shop, document("HealthCheck", "widgets", spec(actions=ACTIONS)))
    acme.api.make(OWN, document("HealthCheck", "widgets", spec(kind="Gadget")))
    assert (made["metadata"]["project"], made["spec"]["kind"]) == ("shop", "Widget")
    assert [one["spec"]["kind"] for path in (OWN, shop) for one in acme.api.get(path).json()["items"]] == ["Gadget", "Widget"]
    found, older = told(east, ""), told(east, "", projects=False)
    assert found
    assert older
    assert sorted((one.project, one.kind) for one in found.checks) == [("", "Gadget"), ("shop", "Widget")]
    assert [one.project for one in found.actions] == ["shop"]
    assert ([one.kind for one in older.checks], older.actions) == (["Gadget"], ())
    editor, admin = (acme.api.person("acme", name, role, project="shop") for name, role in (("eve", "editor"), ("max", "admin")))
    assert editor.delete(f"{shop}/widgets").status_code == 403
    assert admin.delete(f"{OWN}/widgets").status_code == 403
    assert admin.delete(f"{shop}/widgets").status_code == 200
    assert [one["spec"]["kind"] for one in acme.api.get(OWN).json()["items"]] == ["Gadget"]


def test_an_agent_that_knows_nothing_of_checks_is_told_nothing(acme: Tenant, east: Agent) -> None:  # noqa: F811
    acme.api.make(OWN, document("HealthCheck", "widgets", spec()))
    assert east.claim().checks is None


def test_who_may_only_look_writes_no_check(acme: Tenant) -> None:
    viewer = acme.api.person("acme", "vera", "viewer")
    assert viewer.post(OWN, document("HealthCheck", "widgets", spec())).status_code == 403
    assert viewer.get(OWN).status_code == 200
    assert acme.api.put("/healthchecks/all", document("HealthCheck", "all", spec())).status_code == 403


ACTIONS = {"discovery": "return {go = {}}", "definitions": {"go": "return obj"}}


def test_actions_stand_beside_a_check_or_alone(acme: Tenant, east: Agent) -> None:  # noqa: F811
    alone = {"group": "x.example", "kind": "Widget", "actions": ACTIONS | {"mergeBuiltinActions": True}}
    acme.api.make(OWN, document("HealthCheck", "widgets", alone))
    assert acme.api.get(f"{OWN}/widgets").json()["spec"] == alone
    acme.api.make(OWN, document("HealthCheck", "gadgets", spec(kind="Gadget", actions=ACTIONS)))
    found = told(east, "")
    assert found
    assert [(one.name, one.tenant, one.kind, one.merge, one.definitions) for one in found.actions] == [
        ("gadgets", "acme", "Gadget", False, {"go": "return obj"}), ("widgets", "acme", "Widget", True, {"go": "return obj"}),
    ]  # fmt: skip
    assert [one.name for one in found.checks] == ["gadgets"]


@pytest.mark.parametrize(
    ("actions", "field", "rule"),
    [
        ({"discovery": "return {"}, "spec.actions.discovery", "is no Lua: line 1: unexpected symbol near"),
        ({"discovery": "return 1"}, "spec.actions.discovery", "returned no table; return a table from the names of actions to {}"),
        ({"discovery": ""}, "spec.actions.discovery", "must be a script of 1 to 65,536 characters"),
        (ACTIONS | {"definitions": {"go": "obj.x = = 1"}}, "spec.actions.definitions['go']", "is no Lua: line 1:"),
        (ACTIONS | {"definitions": {"a/b": "return obj"}}, "spec.actions.definitions['a/b']", "an action's name is letters, digits"),
    ],
)
def test_actions_that_can_never_do_are_refused_with_their_line(acme: Tenant, actions: dict[str, Any], field: str, rule: str) -> None:
    wrong = acme.api.post(OWN, document("HealthCheck", "widgets", {"kind": "Widget", "actions": actions}))
    assert wrong.status_code == 400
    assert wrong.json()["problems"][field].startswith(rule)
