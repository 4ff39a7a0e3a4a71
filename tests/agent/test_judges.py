"""Health as users' scripts say it: taken up at once, bounded, and nobody else waits for it."""

from collections.abc import Callable, Iterator

import pytest

from plane.domain import objects
from plane.domain.rendering import secrets
from plane.wire import agent as wire
from plane.wire import scripted
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Body, Kube, config_map
from tests.agent.plane_end import PROJECT, TENANT, PlaneEnd

PHASE = "hs = {}\nhs.status = obj.data.phase\nhs.message = obj.data.why or ''\nreturn hs\n"


@pytest.fixture
def judged(shared_plane: PlaneEnd) -> Iterator[PlaneEnd]:
    """The worker's plane, which takes its checks back afterwards."""
    yield shared_plane
    shared_plane.judge()


def check(lua: str = PHASE, **given: str | bool) -> scripted.Check:
    return scripted.Check(**{"name": "maps", "group": "", "kind": "ConfigMap", "lua": lua} | given)  # type: ignore[arg-type]


def phase(namespace: str, name: str, status: str, why: str = "") -> Body:
    return config_map(namespace, name) | {"data": {"phase": status, "why": why}}


def is_(status: str, message: str = "") -> Callable[[wire.AppState], bool]:
    return lambda state: state.health == status and message in state.message


def test_a_script_judges_what_is_there_already_and_what_changes(agent: Agent, judged: PlaneEnd, kube: Kube, app: str) -> None:
    judged.final(judged.apply(app, phase(kube.namespace, "web", "Degraded", "too small")))
    judged.state(app, is_("Healthy"))
    judged.judge(check())
    judged.state(app, is_("Degraded", f"ConfigMap {kube.namespace}/web: too small"))
    judged.final(judged.apply(app, phase(kube.namespace, "web", "Suspended")))
    judged.state(app, is_("Suspended"))
    judged.judge()
    judged.state(app, is_("Healthy"))


def test_a_wave_waits_for_what_the_script_says(agent: Agent, judged: PlaneEnd, kube: Kube, app: str) -> None:
    judged.judge(check())
    first = phase(kube.namespace, "first", "Degraded", "no")
    first["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "-1"}
    final = judged.final(judged.apply(app, first, config_map(kube.namespace, "second")))
    assert final.outcome == "failed"
    assert "Degraded: no" in final.message
    assert kube.get("configmaps", "second") is None


def test_the_inner_level_wins_and_another_tenants_script_is_never_asked(agent: Agent, judged: PlaneEnd, kube: Kube, app: str) -> None:
    judged.final(judged.apply(app, phase(kube.namespace, "web", "Healthy")))
    says = "return {{status = 'Suspended', message = [[{}]]}}".format
    judged.judge(check(says("theirs"), tenant="globex", local=True), check(says("everybody's")))
    judged.state(app, is_("Suspended", "everybody's"))
    judged.judge(check(says("everybody's")), check(says("the tenant's"), tenant=TENANT))
    judged.state(app, is_("Suspended", "the tenant's"))
    judged.judge(check(says("another project's"), tenant=TENANT, project="hall"), check(says("the cluster's"), local=True))
    judged.state(app, is_("Suspended", "the cluster's"))
    judged.judge(check(says("the tenant's"), tenant=TENANT, local=True), check(says("the project's"), tenant=TENANT, project=PROJECT))
    judged.state(app, is_("Suspended", "the project's"))


def test_a_script_that_fails_or_never_ends_is_named_and_holds_nobody_up(agent: Agent, judged: PlaneEnd, kube: Kube, app: str) -> None:
    judged.judge(check("local x = 1\nreturn {status = obj.none.phase}", tenant=TENANT), check("while true do end", kind="LimitRange"))
    # A kind of this test's own: what other tests have left of a kind waits for the script, too, ten seconds each.
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "s", "namespace": kube.namespace}, "spec": {"limits": []}}
    judged.final(judged.apply(app, config_map(kube.namespace, "web"), limits))
    late = "its health script maps took longer than 1 s and was stopped"  # at line 1, unless the machine is too busy to say so
    judged.wait(lambda: any(one.message.startswith(late) for one in judged.objects.get(app, {}).values()), "the script to be stopped")
    told = "its health script acme/maps went wrong: line 2: attempt to index field 'none' (a nil value)"
    judged.state(app, is_("Unknown", told))
    other = f"{app}-other"
    role = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa", "namespace": kube.namespace}}
    judged.final(judged.apply(other, role))
    judged.state(other, is_("Healthy"))


def test_a_script_sees_no_secret_value(agent: Agent, judged: PlaneEnd, kube: Kube, app: str) -> None:
    saying = "return {status = 'Degraded', message = tostring(obj.data and obj.data.key)}"
    judged.judge(check(saying), check(saying, kind="Secret"))
    place = secrets.Place(objects.ObjectKey("", "ConfigMap", kube.namespace, "web"), "/data/key")
    body = config_map(kube.namespace, "web") | {"data": {"key": "sealed"}}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": kube.namespace},
        "stringData": {"key": "hunter2"},
    }
    judged.final(judged.apply(app, body, secret, sealed=[(place, b"hunter2")]))
    judged.state(app, is_("Degraded"))
    judged.wait(lambda: sum(one.health == "Degraded" for one in judged.objects[app].values()) == 2, "both to be judged")
    assert sorted(one.message for one in judged.objects[app].values()) == ["nil", "••••"]


def test_scripts_outlive_the_plane_and_forged_ones_are_refused(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    first = start()
    plane.judge(check())
    plane.final(plane.apply(app, phase(kube.namespace, "web", "Degraded", "so")))
    plane.state(app, is_("Degraded", "so"))
    first.terminate()
    plane.forge = True
    plane.judge(check("return {status = 'Healthy'}"))
    plane.states.clear()
    second = start()
    plane.state(app, is_("Degraded", "so"))
    plane.wait(lambda: bool(second.events("checks.refused")), second.log)
    assert len(second.events("checks.refused")) == 1
