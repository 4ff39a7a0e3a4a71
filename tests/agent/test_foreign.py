"""What others add to objects that are ours is told with who and when, and removed where that is asked for."""

import msgspec

from plane.wire import agent as wire
from plane.wire import answers
from tests.agent.conftest import Agent
from tests.agent.kube import Kube, config_map
from tests.agent.plane_end import PlaneEnd

MANAGER = "python-httpx"
ADDED = ("/data/added", "/metadata/annotations/example~1by")


def add(kube: Kube) -> None:
    kube.patch("configmaps", "web", {"data": {"added": "x"}, "metadata": {"annotations": {"example/by": "another"}}})


def told(plane: PlaneEnd, app: str) -> tuple[str, ...]:
    return tuple(extra.pointer for one in plane.objects.get(app, {}).values() for extra in one.extra)


def test_what_somebody_adds_is_told_and_is_no_drift(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True))
    add(kube)
    shared_plane.wait(lambda: told(shared_plane, app) == ADDED, "what was added")
    (one,) = shared_plane.objects[app].values()
    assert ({extra.manager for extra in one.extra}, all(extra.time for extra in one.extra)) == ({MANAGER}, True)
    assert (one.sync, shared_plane.states[app].sync) == ("Synced", "Synced")
    kube.patch("configmaps", "web", {"data": {"added": None}, "metadata": {"annotations": {"example/by": None}}})
    shared_plane.wait(lambda: told(shared_plane, app) == (), "that it is gone")


def test_a_manager_that_writes_again_is_no_news(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue")))
    add(kube)
    shared_plane.wait(lambda: told(shared_plane, app) == ADDED, "what was added")
    before = next(iter(shared_plane.objects[app].values())).extra
    kube.patch("configmaps", "web", {"data": {"added": "y", "more": "z"}})
    shared_plane.wait(lambda: len(told(shared_plane, app)) == 3, "what was added later")
    after = next(iter(shared_plane.objects[app].values())).extra
    assert [one for one in after if one.pointer in ADDED] == list(before)


def test_many_additions_are_counted(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue")))
    kube.patch("configmaps", "web", {"data": {f"k{n:02}": "x" for n in range(30)}})
    shared_plane.wait(lambda: len(told(shared_plane, app)) > 0, "what was added")
    (one,) = shared_plane.objects[app].values()
    assert (len(one.extra), one.more_extra) == (20, 10)


def test_what_was_there_before_the_first_sync_is_told(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    kube.create("configmaps", config_map(kube.namespace, "web", before="x"))
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue")))
    shared_plane.wait(lambda: told(shared_plane, app) == ("/data/before",), "what was there")


def test_what_somebody_adds_is_removed_where_that_is_asked_for(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    rule = wire.Ignore(group="", kind="ConfigMap", pointers=("/data/accepted",))
    body = config_map(kube.namespace, "web", colour="blue")
    shared_plane.final(shared_plane.apply(app, body, ignore=(rule,), foreign="revert"))
    kube.patch("configmaps", "web", {"data": {"accepted": "x", "added": "x"}})
    kube.until("configmaps", "web", lambda live: live is not None and live["data"] == {"colour": "blue", "accepted": "x"})
    shared_plane.wait(lambda: any(of == app for of, _ in shared_plane.healed), "the heal")
    (healed,) = [one for of, one in shared_plane.healed if of == app]
    assert (healed.extra, healed.fields, healed.manager, healed.failed) == (True, ("/data/added",), MANAGER, "")
    shared_plane.wait(lambda: told(shared_plane, app) == (), "that it is gone")


def test_who_wants_to_hear_nothing_of_it_hears_nothing(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    task = shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue"), foreign="ignore", self_heal=True)
    shared_plane.final(task)
    kube.patch("configmaps", "web", {"data": {"added": "x", "colour": "red"}})
    kube.until("configmaps", "web", lambda live: live is not None and live["data"] == {"colour": "blue", "added": "x"})
    shared_plane.wait(lambda: any(of == app for of, _ in shared_plane.healed), "the heal")
    assert told(shared_plane, app) == ()


def test_an_object_that_somebody_marks_as_ours_is_told_with_its_maker(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    body = config_map(kube.namespace, "web", colour="blue")
    shared_plane.final(shared_plane.apply(app, body))
    copied = config_map(kube.namespace, "copied")
    copied["metadata"]["labels"] = {wire.OWNER_LABEL: app}
    kube.create("configmaps?fieldManager=copier", copied)
    shared_plane.wait(lambda: told(shared_plane, app) == ("",), "the copy")
    (state,) = [one for one in shared_plane.objects[app].values() if one.extra]
    assert (state.key.name, state.sync, state.extra[0].manager, bool(state.extra[0].time)) == ("copied", "Synced", "copier", True)
    final = shared_plane.final(shared_plane.diff(app, body))
    assert [one.key.name for one in msgspec.json.decode(final.live, type=answers.Diff).changes] == ["copied"]
    kube.delete("configmaps", "copied")
    shared_plane.wait(lambda: told(shared_plane, app) == (), "that it is gone")
