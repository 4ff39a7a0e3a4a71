"""What agents say of themselves, and what is said to them: trouble, what a sync waits for, new keys, what they are too old for."""

import pytest
import sqlalchemy as sa

from plane.domain import errors
from plane.domain.deciding import explanation
from plane.run.devgit import DevGit
from plane.server import claim
from plane.server.asking import explain
from plane.server.attending import intake
from plane.store import engine
from plane.store.attending import agents
from plane.wire import agent
from tests.support import planes
from tests.support.rest import Api, Tenant, app_document

CONFIG = planes.files("web", config="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
FULL = "[Errno 28] No space left on device; make room in the agent's state folder"


def app(fleet: planes.Fleet, devgit: DevGit, name: str) -> None:
    fleet.app("web", fleet.repository(devgit, name), devgit.create(name, CONFIG))
    fleet.work()


def told(fleet: planes.Fleet) -> explanation.Explanation:
    return explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web")


def identity(fleet: planes.Fleet) -> claim.AgentIdentity:
    """The agent as its next request is authenticated."""
    with engine.dispatch(fleet.plane.engine) as tx:
        known = agents.identity(tx, fleet.agent)
    assert known is not None
    return claim.AgentIdentity(known.id, known.cluster_id, known.key_id, known.generation, known.trouble, known.rotates)


def test_an_agent_that_takes_no_tasks_says_why_and_explain_repeats_it(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "word-full")
    claim.claim(fleet.plane, identity(fleet), agent.Claim(trouble=FULL), 64)
    said = told(fleet)
    assert (said.status, said.sentence) == ("agent-troubled", f"the agent of cluster east takes no tasks: {FULL}")
    claim.claim(fleet.plane, identity(fleet), agent.Claim(), 64)
    assert told(fleet).status == "syncing"


def test_what_a_sync_waits_for_is_told_while_it_does(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "word-waits")
    [(task, _)] = fleet.claim()
    step = agent.Progress(task=task.id, phase="Sync", wave=2, message="waits for the deletion of Namespace shop")
    intake.events(fleet.plane, fleet.identity, agent.Events(progress=(step,)))
    assert told(fleet).sentence.endswith("with the agent, in Sync, wave 2: waits for the deletion of Namespace shop")
    intake.events(fleet.plane, fleet.identity, agent.Events(progress=(agent.Progress(task=task.id, phase="Sync", wave=3),)))
    assert told(fleet).sentence.endswith("with the agent, in Sync, wave 3")


def test_an_agent_is_asked_for_new_keys_until_it_has_them(fleet: planes.Fleet) -> None:
    with fleet.owner.begin() as tx:
        assert agents.ask_rotation(tx, fleet.cluster, fleet.plane.clock.now())
    assert claim.word(fleet.plane, fleet.identity).rotate
    assert claim.claim(fleet.plane, identity(fleet), agent.Claim(), 64).rotate
    fields: dict[str, object] = {"signing_key": b"n" * 32, "sealing_key": b"s" * 32, "sealing_key_id": "next"}
    with fleet.owner.begin() as tx:
        assert agents.rotate(tx, fleet.agent, 1, fields) == 2
    assert not claim.claim(fleet.plane, identity(fleet), agent.Claim(), 64).rotate


def capable(owner: sa.Engine, *knows: str) -> None:
    """What the agent of every cluster has told."""
    packed = agent.encode(agent.Capabilities(kube_version="v1.36.3", agent_version="0.0.9", knows=knows))
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE clusters SET capabilities = :packed"), {"packed": packed})


@pytest.mark.parametrize(("knows", "status"), [((), 409), (("once",), 202)], ids=["older", "this version"])
def test_a_sync_of_chosen_objects_is_not_given_to_an_agent_that_would_sync_everything(
    acme: Tenant, owner: sa.Engine, knows: tuple[str, ...], status: int
) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    capable(owner, *knows)
    answer = acme.api.post(f"{acme.shop}/apps/web/sync", {"resources": [":ConfigMap:web"]})
    assert answer.status_code == status, answer.text
    if status == 409:
        assert "the agent of cluster east does not know syncs of chosen objects" in answer.json()["detail"]


def test_a_rotation_is_asked_of_an_agent_that_is_there_and_knows_it(platform: Api, acme: Tenant, owner: sa.Engine) -> None:
    gone = platform.post("/clusters/east/rotate")
    assert (gone.status_code, "has no active agent" in gone.json()["detail"]) == (409, True)
    capable(owner)
    old = platform.post("/clusters/east/rotate")
    assert (old.status_code, "does not know new keys on demand; upgrade it" in old.json()["detail"]) == (409, True)
    assert acme.api.post("/clusters/east/rotate").status_code == 403


def test_an_agent_that_was_revoked_after_its_request_came_is_given_nothing(fleet: planes.Fleet) -> None:
    who = identity(fleet)
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE agents SET revoked_at = now()")
    with pytest.raises(errors.Unauthenticated, match="was revoked"):
        claim.claim(fleet.plane, who, agent.Claim(), 64)
