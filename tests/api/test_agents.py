"""The agents' endpoints: who signs a request, what a waiting claim is woken by, and what a revoked agent gets."""

import concurrent.futures
import uuid
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

from plane.server import context
from plane.wire import agent, bundle, signing
from tests.support.joining import Agent, enrol, joined
from tests.support.rest import Api, Tenant, app_document


@pytest.fixture
def east(platform: Api, acme: Tenant) -> Agent:
    return joined(platform.client, platform.post("/clusters/east/join").json()["token"])


def test_a_join_token_enrols_once(platform: Api, acme: Tenant) -> None:
    token = platform.post("/clusters/east/join").json()["token"]
    first, second = (enrol(platform.client, token)[0] for _ in range(2))
    assert (first.status_code, second.status_code, second.json()["type"]) == (200, 401, "urn:gitops-plane:problem:join-refused")


def test_an_enrolled_agent_is_seen_and_finds_nothing_to_do(platform: Api, east: Agent) -> None:
    assert east.claim().tasks == ()
    assert platform.get("/clusters/east").json()["status"]["connection"] == "connected"


def test_a_request_token_holds_for_one_request(east: Agent) -> None:
    assert east.call("POST", "/claim", agent.Claim(), jti="once").status_code == 200
    assert east.call("POST", "/claim", agent.Claim(), jti="once").status_code == 401


def test_a_request_that_is_refused_is_no_sign_of_life(platform: Api, east: Agent, owner: sa.Engine) -> None:
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE agents SET last_seen_at = now() - interval '1 hour'"))
    forged = msgspec.structs.replace(east, key=ed25519.Ed25519PrivateKey.generate())
    assert forged.call("POST", "/claim?wait=0&max=8", agent.Claim()).status_code == 401
    assert platform.get("/clusters/east").json()["status"]["connection"] == "offline"
    east.claim()
    assert platform.get("/clusters/east").json()["status"]["connection"] == "connected"


def test_a_revoked_agent_is_refused_at_once(platform: Api, east: Agent) -> None:
    assert platform.post("/clusters/east/revoke").json()["status"]["connection"] == "revoked"
    refused = east.call("POST", "/claim", agent.Claim())
    assert (refused.status_code, "plane cluster join" in refused.json()["detail"], "login" in refused.text) == (401, True, False)


def test_an_agent_exchanges_its_keys_and_the_old_one_ends(platform: Api, east: Agent, owner: sa.Engine) -> None:
    key, sealing = ed25519.Ed25519PrivateKey.generate(), bytes(31) + b"1"
    public = key.public_key().public_bytes_raw()
    proof = key.sign(signing.rotation_text(east.enrolled.agent_id, public, sealing))
    said = agent.Rotate(signing_key=public, sealing_key=sealing, proof=proof)
    first = east.call("POST", "/keys", said)
    after = Agent(platform.client, key, msgspec.msgpack.decode(first.content, type=agent.Enrolled))
    assert after.enrolled.generation == 2
    assert east.call("POST", "/claim", agent.Claim()).json()["type"].endswith("token-refused")
    assert after.claim().tasks == ()
    assert after.call("POST", "/keys", said).content == first.content
    with owner.begin() as tx:
        events = tx.exec_driver_sql("SELECT count(*) FROM audit_events WHERE type = 'agent.keys.rotated'").scalar_one()
    assert events == 1


def test_keys_that_nobody_holds_are_refused(east: Agent) -> None:
    answer = east.call("POST", "/keys", agent.Rotate(signing_key=bytes(32), sealing_key=bytes(32), proof=bytes(64)))
    assert (answer.status_code, "must sign agent id" in answer.text) == (400, True)


def test_a_body_that_is_no_message_is_refused(east: Agent) -> None:
    assert east.call("POST", "/events", {"finals": 3}).json()["detail"] == "the body is no Events of the agent protocol"


def test_a_release_that_was_never_given_is_absent(east: Agent) -> None:
    assert east.call("GET", "/releases/sha256:00").status_code == 404


def ready_to_diff(acme: Tenant, owner: sa.Engine) -> str:
    """An app that has a release with one object."""
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    digest, body = pack({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}, "data": {"a": "1"}})
    with owner.begin() as tx:
        tenant, app, project = tx.exec_driver_sql("SELECT tenant_id, id, project_id FROM apps").one()
        tx.exec_driver_sql("INSERT INTO blobs (tenant_id, digest, body) VALUES (%s, %s, %s)", (tenant, digest, body))
        row = (tenant, uuid.uuid4(), app, digest)
        tx.exec_driver_sql("INSERT INTO releases (tenant_id, id, app_id, digest, key, commit) VALUES (%s, %s, %s, %s, 'k', 'c')", row)
        tx.exec_driver_sql(
            "INSERT INTO app_states (tenant_id, app_id, project_id, digest) VALUES (%s, %s, %s, %s)", (tenant, app, project, digest)
        )
    return f"{acme.shop}/apps/web"


def pack(*objects: dict[str, Any]) -> tuple[str, bytes]:
    return bundle.pack(tuple(msgspec.json.encode(each) for each in objects))


def test_a_diff_wakes_a_waiting_agent_and_brings_its_answer(acme: Tenant, east: Agent, owner: sa.Engine, plane: context.Plane) -> None:
    web = ready_to_diff(acme, owner)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(acme.api.get, f"{web}/diff")
        [signed] = east.claim(wait_s=20).tasks
        task = signing.open_task(signed, plane.signer.public_key())
        key = {"group": "", "kind": "ConfigMap", "namespace": "shop", "name": "web"}
        live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}, "data": {"a": "2"}}
        said = msgspec.json.encode({"objects": [{"key": key, "live": live, "diff": ""}]})
        final = agent.Final(
            task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0, live=said
        )
        east.call("POST", "/events", agent.Events(finals=(final,)))
        [item] = waiting.result().json()["items"]
    assert (task.kind, task.query, item["action"], item["fields"]) == ("query", "live", "update", ["/data/a"])
    assert '-  a: "2"' in item["diff"]


def test_a_diff_without_an_agent_says_so(acme: Tenant, owner: sa.Engine) -> None:
    answer = acme.api.get(f"{ready_to_diff(acme, owner)}/diff")
    assert (answer.status_code, answer.json()["backend"], "Retry-After" in answer.headers) == (503, "agent", True)


def test_manifests_are_the_newest_releases(acme: Tenant, owner: sa.Engine) -> None:
    found = acme.api.get(f"{ready_to_diff(acme, owner)}/manifests").json()
    assert [body["kind"] for body in found["manifests"]] == ["ConfigMap"]


def test_a_stream_tells_the_status_and_ends_with_the_awaited_task(acme: Tenant, owner: sa.Engine) -> None:
    web = ready_to_diff(acme, owner)
    done = '{"digest": "sha256:00", "generation": 1, "outcome": "succeeded"}'
    with owner.begin() as tx:
        tx.exec_driver_sql("UPDATE app_states SET attempt = %s::jsonb, sync = 'Synced'", (done,))
    text = acme.api.get(f"{web}/events?after=0").text
    assert [line for line in text.splitlines() if line.startswith("event:")] == ["event: state", "event: done"]


def test_a_stream_of_somebody_elses_app_is_absent(acme: Tenant, globex: Tenant, owner: sa.Engine) -> None:
    assert globex.api.get(f"{ready_to_diff(acme, owner)}/events").status_code == 404
