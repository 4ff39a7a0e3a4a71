"""Orders about one live object: who may give them, what the agent is told, what the log keeps."""

import concurrent.futures
import time
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from plane.api import awaiting
from plane.wire import acting, agent, answers
from tests.api.test_agents import east  # noqa: F401 - a fixture
from tests.support import recorded, rules
from tests.support.joining import Agent
from tests.support.rest import Api, Tenant, app_document, document

WEB = {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web"}
RESTART = WEB | {"action": "restart"}
SECRET = {"kind": "Secret", "namespace": "shop", "name": "web"}


@pytest.fixture
def web(acme: Tenant, east: Agent) -> str:  # noqa: F811
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    return f"{acme.shop}/apps/web"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints that wait for no agent."""
    monkeypatch.setattr(awaiting, "WAIT_S", 0.0)


def claimed(east: Agent) -> agent.Task:  # noqa: F811
    """The one task that waits."""
    (signed,) = east.claim(wait_s=5).tasks
    return msgspec.msgpack.decode(signed.payload, type=agent.Task)


def report(east: Agent, task: agent.Task, *, answer: answers.Answer | None = None, refusal: str = "") -> None:  # noqa: F811
    """The last word on it."""
    now = time.time()
    final = agent.Final(
        task=task.id, app_id=task.app_id, generation=task.generation, outcome="refused" if refusal else "succeeded",
        started=now, finished=now, message=refusal, live=answers.encode(answer) if answer else b"",
    )  # fmt: skip
    accepted = msgspec.msgpack.decode(east.call("POST", "/events", agent.Events(finals=(final,))).content, type=agent.Accepted)
    assert accepted.stale == ()


def log(owner: sa.Engine) -> list[dict[str, Any]]:
    """What the log holds about objects, in order."""
    return [msgspec.to_builtins(one) for one in recorded.events(owner, "object.%")]


def test_an_order_is_answered_with_what_was_done(acme: Tenant, web: str, east: Agent, owner: sa.Engine) -> None:  # noqa: F811
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asking = pool.submit(acme.api.post, f"{web}/actions", RESTART | {"uid": "u1"})
        task = claimed(east)
        report(east, task, answer=acting.Done(before="7", after="8", fields=("/spec/x",), warnings=("Git says otherwise",)))
        answer = asking.result(30)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "task": task.id, "state": "done", "previousVersion": "7", "resourceVersion": "8", "fields": ["/spec/x"], "created": [],
            "warnings": ["Git says otherwise"], "object": None,
        },
    )  # fmt: skip
    told = msgspec.msgpack.decode(task.terms, type=acting.Act)
    assert (task.query, task.keys, told.action, told.uid) == ("action", (agent.Key("apps", "Deployment", "shop", "web"),), "restart", "u1")
    assert told.until > told.at
    intent, outcome = log(owner)
    assert (intent["type"], intent["stage"], intent["correlation"]) == ("object.action.requested", "intent", task.id)
    assert intent["details"] == {"object": "apps/Deployment shop/web", "action": "restart", "parameters": {}}
    assert (outcome["type"], outcome["stage"], outcome["correlation"]) == ("object.action.finished", "outcome", task.id)
    assert outcome["details"] == {
        "object": "apps/Deployment shop/web", "asked_by": "ada", "action": "restart", "parameters": {}, "resource_version_before": "7",
        "resource_version_after": "8", "fields": ["/spec/x"], "warnings": ["Git says otherwise"],
    }  # fmt: skip


@pytest.mark.usefixtures("hasty")
def test_an_order_that_nobody_answered_is_followed_by_its_task(acme: Tenant, web: str, east: Agent, owner: sa.Engine) -> None:  # noqa: F811
    answer = acme.api.post(f"{web}/actions", RESTART, Idempotency_Key="once")
    again = acme.api.post(f"{web}/actions", RESTART, Idempotency_Key="once")
    assert (answer.status_code, again.status_code, again.json()) == (202, 202, answer.json())
    task = claimed(east)
    assert acme.api.get(f"{web}/tasks/{answer.json()['task']}").json()["state"] == "leased"
    report(east, task, refusal="it is paused already")
    ended = acme.api.get(f"{web}/tasks/{task.id}").json()
    assert (ended["state"], ended["outcome"], ended["message"]) == ("done", "refused", "it is paused already")
    assert (log(owner)[1]["outcome"], log(owner)[1]["message"]) == ("failure", "it is paused already")


def told_back(acme: Tenant, web: str, east: Agent, answer: answers.Answer) -> tuple[int, str]:  # noqa: F811
    """Status and sentence of an order that its agent answers so."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asking = pool.submit(acme.api.post, f"{web}/actions", RESTART)
        report(east, claimed(east), answer=answer)
        said = asking.result(30)
    return said.status_code, said.json()["detail"]


def test_what_the_agent_refuses_is_told(acme: Tenant, web: str, east: Agent, owner: sa.Engine) -> None:  # noqa: F811
    unfit = acting.Done(problems={"parameters.replicas": "is required"})
    assert told_back(acme, web, east, unfit) == (400, "parameters.replicas: is required")
    absent = answers.Absent(sentence="apps/Deployment shop/web was not found")
    assert told_back(acme, web, east, absent) == (404, absent.sentence)
    assert [(one["outcome"], one["message"]) for one in log(owner) if one["stage"] == "outcome"] == [
        ("failure", "parameters.replicas: is required"), ("failure", absent.sentence),
    ]  # fmt: skip


@pytest.mark.usefixtures("hasty")
def test_a_role_may_act_or_also_patch_and_delete_or_nothing(acme: Tenant, web: str) -> None:
    orders = {"actions": RESTART, "patches": WEB | {"patch": {"spec": {}}}, "deletions": WEB}
    may = {role: acme.api.person("acme", role, role) for role in ("viewer", "editor", "admin")}
    found = {role: [who.post(f"{web}/{verb}", body).status_code for verb, body in orders.items()] for role, who in may.items()}
    assert found == {"viewer": [403, 403, 403], "editor": [202, 403, 403], "admin": [202, 503, 202]}  # a patch is tried first
    assert may["viewer"].post(f"{web}/actions", RESTART).json()["permission"] == "action:apps/Deployment/restart"


@pytest.mark.usefixtures("hasty")
def test_another_tenants_app_has_no_objects(acme: Tenant, globex: Tenant, web: str) -> None:
    theirs, nobodys = (globex.api.post(f"{path}/actions", RESTART) for path in (web, web.replace("acme", "nobody")))
    assert (theirs.status_code, theirs.json()["detail"].replace("acme", "nobody")) == (404, nobodys.json()["detail"])


@pytest.mark.usefixtures("hasty")
def test_no_patch_of_a_secret_carries_values(acme: Tenant, web: str, owner: sa.Engine) -> None:
    answer = acme.api.post(f"{web}/patches", SECRET | {"patch": {"stringData": {"token": "hunter2"}}})
    assert (answer.status_code, "hunter2" in answer.text) == (400, False)
    with owner.begin() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM tasks WHERE app_id IS NOT NULL")).scalar_one() == 0


LIVE = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 1}}
ONE_IS_NONE = """package plane.rules.replicas

violations contains {"message": "one replica is none", "object": object} if {
	some manifest in input.manifests
	manifest.spec.replicas == 1
	object := "apps/Deployment shop/web"
}
"""


def patched(acme: Tenant, web: str, east: Agent, *reports: acting.Done, **more: object) -> tuple[httpx.Response, list[acting.Change]]:  # noqa: F811
    """The answer to a patch whose tasks the agent answers so, and what each told it."""
    tasks = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asking = pool.submit(acme.api.post, f"{web}/patches", WEB | {"patch": {"spec": {"note": "hunter2"}}, **more})
        for one in reports:
            tasks.append(claimed(east))
            report(east, tasks[-1], answer=one)
        return asking.result(30), [msgspec.msgpack.decode(task.terms, type=acting.Change) for task in tasks]


TRIED = acting.Done(before="1", after="1", fields=("/spec/note",), body=LIVE, digest="sha256:0f")


def test_a_patch_is_tried_then_ordered_and_the_log_keeps_which_fields(acme: Tenant, web: str, east: Agent, owner: sa.Engine) -> None:  # noqa: F811
    done = acting.Done(before="1", after="2", fields=("/spec/note",), body=LIVE)
    answer, told = patched(acme, web, east, TRIED, done)
    assert (answer.status_code, answer.json()["resourceVersion"]) == (200, "2")
    assert [(one.dry_run, one.judged, one.version) for one in told] == [(True, "", ""), (False, "sha256:0f", "")]
    intent, outcome = log(owner)
    assert (intent["type"], outcome["type"], outcome["details"]["fields"]) == ("object.patch.requested", "object.patched", ["/spec/note"])
    assert "hunter2" not in msgspec.json.encode([intent, outcome]).decode()


def test_an_agent_that_does_not_name_what_it_tried_is_held_to_the_version(acme: Tenant, web: str, east: Agent) -> None:  # noqa: F811
    _, told = patched(acme, web, east, msgspec.structs.replace(TRIED, digest=""), acting.Done(before="1", after="2"))
    assert (told[1].judged, told[1].version) == ("", "1")


def test_a_dry_run_changes_nothing_and_is_not_in_the_log(acme: Tenant, web: str, east: Agent, owner: sa.Engine) -> None:  # noqa: F811
    answer, told = patched(acme, web, east, TRIED, dryRun=True)
    assert (answer.json()["state"], [one.dry_run for one in told], log(owner)) == ("done", [True], [])


@pytest.mark.parametrize("mode", ["deny", "require-approval"])
def test_a_patch_that_policy_refuses_is_not_ordered_and_the_rule_is_quoted(
    acme: Tenant,
    web: str,
    east: Agent,  # noqa: F811
    owner: sa.Engine,
    mode: str,
) -> None:
    acme.api.make(
        "/tenants/acme/policies", document("PolicySet", "house", {"mode": mode}, files={"replicas.rego": rules.described(ONE_IS_NONE)})
    )
    answer, _ = patched(acme, web, east, TRIED)
    assert (answer.status_code, answer.json()["detail"].startswith("policy house/replicas refuses apps/Deployment shop/web: one")) == (
        422,
        True,
    )
    [refused] = log(owner)
    assert (refused["type"], refused["outcome"], refused["details"]["rules"]) == ("object.patch.refused", "denied", ["house/replicas"])


def test_what_policy_only_remarks_on_is_a_warning(acme: Tenant, web: str, east: Agent) -> None:  # noqa: F811
    acme.api.make(
        "/tenants/acme/policies", document("PolicySet", "house", {"mode": "warn"}, files={"replicas.rego": rules.described(ONE_IS_NONE)})
    )
    answer, _ = patched(acme, web, east, TRIED, dryRun=True)
    assert answer.json()["warnings"] == ["policy house/replicas: one replica is none"]


@pytest.mark.usefixtures("hasty")
def test_a_deletion_is_in_the_log_with_how_it_was_meant(acme: Tenant, web: str, east: Agent, owner: sa.Engine) -> None:  # noqa: F811
    acme.api.post(f"{web}/deletions", WEB | {"propagation": "orphan", "graceSeconds": 0})
    task = claimed(east)
    told = msgspec.msgpack.decode(task.terms, type=acting.Delete)
    assert (told.propagation, told.grace_s) == ("orphan", 0)
    report(east, task, answer=acting.Done(before="1"))
    assert [(one["type"], one["details"].get("propagation")) for one in log(owner)] == [
        ("object.delete.requested", "orphan"), ("object.deleted", "orphan"),
    ]  # fmt: skip


@pytest.mark.usefixtures("hasty")
def test_a_project_keeps_its_people_inside_its_destinations(acme: Tenant, web: str) -> None:
    narrow = {"destinations": [{"cluster": "east", "namespace": "shop"}]}
    assert acme.api.put(acme.shop, document("Project", "shop", narrow)).status_code == 200
    outside = acme.api.post(f"{web}/actions", RESTART | {"namespace": "acme-other"})
    assert (outside.status_code, "is not among the destinations of project shop" in outside.text) == (400, True)
    assert acme.api.post(f"{web}/actions", RESTART).status_code == 202


@pytest.mark.parametrize(
    "order", [{"kind": "../x"}, {"group": "Apps"}, {"action": "a/b"}, {"name": ""}, {"parameters": {"": "x"}}], ids=str
)
def test_a_name_that_can_be_none_is_refused(acme: Tenant, web: str, order: dict[str, Any]) -> None:
    assert acme.api.post(f"{web}/actions", RESTART | order).status_code == 400


def test_the_actions_of_an_object_are_asked_of_its_agent(acme: Tenant, web: str, east: Agent, platform: Api) -> None:  # noqa: F811
    known = acting.Action(name="scale", parameters=(acting.Parameter(name="replicas", kind="count", default="2"),))
    key = agent.Key("apps", "Deployment", "shop", "web")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asking = pool.submit(acme.api.get, f"{web}/actions?kind=deployments&name=web")
        report(east, claimed(east), answer=acting.Listed(objects=(acting.Actions(key=key, uid="u1", version="7", actions=(known,)),)))
        (item,) = asking.result(30).json()["items"]
    replicas = {"name": "replicas", "type": "count", "default": "2"}
    assert item == WEB | {
        "uid": "u1", "resourceVersion": "7",
        "actions": [{"name": "scale", "disabled": False, "reason": "", "parameters": [replicas]}],
    }  # fmt: skip
