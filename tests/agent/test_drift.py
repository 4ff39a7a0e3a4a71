"""Between tasks: what somebody changed is put back, with or without the plane, and nothing of a secret is told."""

import base64

from plane.domain import objects
from plane.domain.comparing import fights
from plane.domain.rendering import secrets
from plane.wire import agent as wire
from plane.wire import journal
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Body, Kube, config_map
from tests.agent.plane_end import PlaneEnd

CANARY = "canary-7f3b91"


def colour(body: Body | None) -> str:
    return str(body["data"]["colour"]) if body else ""


def heals(plane: PlaneEnd, app: str) -> list[wire.Healed]:
    return [healed for of, healed in plane.healed if of == app]


def test_a_changed_field_is_put_back_and_told_with_who_changed_it(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    kube.until("configmaps", "web", lambda body: colour(body) == "blue")
    shared_plane.wait(lambda: bool(heals(shared_plane, app)), "a heal")
    healed = heals(shared_plane, app)[0]
    assert (healed.action, healed.fields, healed.failed) == ("update", ("/data/colour",), "")
    assert healed.manager.startswith("python-httpx")


def test_a_deleted_object_and_a_stolen_label_come_back(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    bodies = [config_map(kube.namespace, name, colour="blue") for name in ("gone", "bare")]
    shared_plane.final(shared_plane.apply(app, *bodies, self_heal=True))
    kube.delete("configmaps", "gone")
    kube.patch("configmaps", "bare", {"metadata": {"labels": {wire.OWNER_LABEL: None}}})
    kube.until("configmaps", "gone", lambda body: colour(body) == "blue")
    kube.until("configmaps", "bare", lambda body: body is not None and body["metadata"].get("labels") == {wire.OWNER_LABEL: app})


def test_without_self_heal_drift_is_told_and_left(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue")))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    shared_plane.state(app, lambda state: state.sync == "OutOfSync")
    assert [one.fields for one in shared_plane.objects[app].values()] == [("/data/colour",)]
    assert colour(kube.get("configmaps", "web")) == "red"


def test_nothing_is_put_back_while_no_sync_may_start_and_all_of_it_afterwards(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str
) -> None:
    made = shared_plane.release(app, config_map(kube.namespace, "web", colour="blue"))
    shared_plane.final(shared_plane.apply(app, release=made, self_heal=True, pauses=((0, 0),)))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    shared_plane.state(app, lambda state: state.sync == "OutOfSync")
    assert colour(kube.get("configmaps", "web")) == "red"
    assert heals(shared_plane, app) == []
    shared_plane.final(shared_plane.observe(app, made, self_heal=True))
    kube.until("configmaps", "web", lambda body: colour(body) == "blue")


def test_a_field_that_is_ignored_is_no_drift(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    rule = wire.Ignore(group="", kind="ConfigMap", pointers=("/data/colour",))
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue", size="s"), self_heal=True, ignore=(rule,)))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    kube.patch("configmaps", "web", {"data": {"size": "xl"}})
    kube.until("configmaps", "web", lambda body: body is not None and body["data"]["size"] == "s")
    assert [one.fields for one in heals(shared_plane, app)] in ([], [("/data/size",)])


def test_what_others_add_is_no_drift(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True))
    kube.patch("configmaps", "web", {"metadata": {"annotations": {"example/by": "another"}}})
    final = shared_plane.final(shared_plane.query(app))
    assert b'"diff":""' in final.live
    shared_plane.state(app, lambda state: state.sync == "Synced")


def test_drift_is_healed_and_noted_while_the_plane_is_away_and_after_a_kill(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    first = start()
    plane.final(plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True))
    plane.wait(lambda: bool(plane.noted(journal.TaskEnded)), "the journal")
    plane.away = True
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    kube.until("configmaps", "web", lambda body: colour(body) == "blue")
    first.kill()
    kube.patch("configmaps", "web", {"data": {"colour": "green"}})
    start()
    kube.until("configmaps", "web", lambda body: colour(body) == "blue")
    plane.away = False
    plane.wait(lambda: bool(heals(plane, app)), "the heals told later")
    plane.wait(lambda: len(plane.noted(journal.Started)) == 2 and bool(plane.noted(journal.Healed)), lambda: str(plane.journals))
    assert [one.clean for one in plane.noted(journal.Started)] == [True, False]
    assert [(one.work, one.outcome, one.counts) for one in plane.noted(journal.TaskEnded)] == [("apply", "succeeded", {"Synced": 1})]
    assert {(one.app, one.one.noted) for one in plane.noted(journal.Healed)} == {(app, False)}
    assert all(healed.noted for healed in heals(plane, app))
    [entries] = plane.journals.values()
    assert [one.seq for one in entries] == list(range(1, len(entries) + 1))


def test_a_sealed_value_is_applied_healed_and_told_to_nobody(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    agent = start()
    plane.wait(lambda: plane.capabilities is not None, agent.log)
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": kube.namespace},
        "data": {"password": "hmac-sha256:00"},
    }
    place = secrets.Place(objects.ObjectKey("", "Secret", kube.namespace, "login"), "/data/password")
    value = base64.b64encode(CANARY.encode())
    final = plane.final(plane.apply(app, body, sealed=[(place, value)], self_heal=True))
    assert final.outcome == "succeeded", final.message
    assert kube.there("secrets", "login")["data"] == {"password": value.decode()}
    kube.patch("secrets", "login", {"data": {"password": base64.b64encode(b"other").decode()}})
    kube.until("secrets", "login", lambda found: found is not None and found["data"]["password"] == value.decode())
    plane.wait(lambda: bool(heals(plane, app)), "a heal")
    answer = plane.final(plane.query(app))
    told = repr((plane.finals, plane.states, plane.healed, answer)) + agent.log()
    assert CANARY not in told
    assert value.decode() not in told


def test_a_value_sealed_for_another_object_is_refused(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    agent = start()
    plane.wait(lambda: plane.capabilities is not None, agent.log)
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": kube.namespace},
        "data": {"password": "hmac-sha256:00"},
    }
    made = plane.release(app, body)
    place = secrets.Place(objects.ObjectKey("", "Secret", kube.namespace, "other"), "/data/password")
    stolen = plane.sealed(app, made.digest, place, b"eA==")
    key = wire.Key("", "Secret", kube.namespace, "login")
    moved = wire.ReleaseBundle(
        digest=made.digest, body=made.body, sealed=(wire.SealedValue(key, "/data/password", stolen.ciphertext),), key_id=plane.key_id
    )
    final = plane.final(plane.apply(app, release=moved))
    assert "was not made for this agent, object and release" in final.message
    assert kube.get("secrets", "login") is None


def test_a_difference_that_the_api_server_does_not_see_is_none(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    meta = {"name": "web", "namespace": kube.namespace, "labels": {"colour": "blue"}}
    amount = {"storageClassName": "none", "capacity": "1024Mi"}  # an amount in a place where the comparison does not know it
    body = {"apiVersion": "storage.k8s.io/v1", "kind": "CSIStorageCapacity", "metadata": meta, **amount}
    shared_plane.final(shared_plane.apply(app, body))
    kube.patch("storage.k8s.io/v1/csistoragecapacities", "web", {"metadata": {"labels": {"colour": "red"}}})
    shared_plane.state(app, lambda state: state.sync == "OutOfSync")
    assert [one.fields for one in shared_plane.objects[app].values()] == [("/metadata/labels/colour",)]


def test_who_never_gives_in_is_named_and_left_alone_until_the_next_sync_and_over_a_restart(
    start: Start, plane: PlaneEnd, kube: Kube, app: str
) -> None:
    def fight(name: str) -> str:
        return "".join(one.fight for key, one in plane.objects.get(app, {}).items() if key.name == name)

    def work() -> str:
        wanted = [config_map(kube.namespace, name, colour="blue") for name in ("web", "gone", "more")]
        return plane.apply(app, *wanted, self_heal=True, foreign="revert")

    def attack() -> None:
        kube.patch("configmaps", "web?fieldManager=rival", {"data": {"colour": "red"}})
        kube.delete("configmaps", "gone")
        kube.patch("configmaps", "more?fieldManager=rival", {"data": {"added": "yes"}})

    first = start()
    plane.final(work())
    for _ in range(fights.TIMES):
        attack()
        for name in ("web", "gone", "more"):
            kube.until("configmaps", name, lambda body: body is not None and body["data"] == {"colour": "blue"})
    attack()
    plane.wait(lambda: all(map(fight, ("web", "gone", "more"))), "the fights")
    assert fight("web").startswith(f"gitops-plane and rival change /data/colour of ConfigMap {kube.namespace}/web in turn")
    assert fight("gone").startswith(f"ConfigMap {kube.namespace}/gone is deleted, or loses its owner label, each time it is made")
    assert fight("more").startswith(f"rival adds /data/added to ConfigMap {kube.namespace}/more each time gitops-plane takes it away")
    first.kill()
    plane.objects.clear()
    second = start()
    ready = "agent.readied"
    plane.wait(lambda: all(map(fight, ("web", "gone", "more"))) and bool(second.events(ready)), "the fights after the restart")
    assert (colour(kube.get("configmaps", "web")), kube.get("configmaps", "gone")) == ("red", None)
    plane.final(work())
    assert [colour(kube.get("configmaps", name)) for name in ("web", "gone")] == ["blue", "blue"]
    plane.wait(lambda: not any(map(fight, ("web", "gone", "more"))), "the end of the fights")
