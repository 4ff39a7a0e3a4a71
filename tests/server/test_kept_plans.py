"""Plans that people keep: made of what the agent tells, compared with what it tells later, and synced as they are or not at all."""

import msgspec
import pytest

from plane.domain import access, errors
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import kept_plans, orders
from plane.server.attending import intake
from plane.store.showing import plans as store
from plane.wire import agent, planned, rest
from tests.support import planes

CONFIG = planes.files("web", config="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
NAMES = authorise.Names("acme", "shop", "web")
BY_HAND: dict[str, object] = {"syncPolicy": {}}
KEEP = planned.KeepPlan(name="lunch", prune=True, sync_options=("PruneLast=true",))


def caller(fleet: planes.Fleet, role: str = "editor") -> authorise.Caller:
    grant = access.Grant(role, fleet.tenant)
    return authorise.Caller(access.Actor("00000000-0000-0000-0000-000000000001", "bob", grants=(grant,)))


def tell(fleet: planes.Fleet, action: str, digest: str) -> agent.Task:
    """Let the agent answer the question that waits."""
    [(task, _)] = fleet.claim()
    step = {"action": action, "group": "", "kind": "ConfigMap", "namespace": "shop", "name": "web"}
    live = msgspec.json.encode({"phases": [{"phase": "Sync", "waves": [{"wave": 0, "steps": [step]}]}], "digest": digest})
    final = agent.Final(
        task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0, live=live
    )
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))
    return task


def kept(fleet: planes.Fleet, body: planned.KeepPlan = KEEP, digest: str = "sha256:one") -> planned.KeptPlan:
    wanted = kept_plans.ask(fleet.plane, caller(fleet), NAMES, body)
    keep = kept_plans.keeping(body, wanted)
    assert keep(fleet.plane, caller(fleet), NAMES, wanted.asked) is None
    tell(fleet, "apply", digest)
    found = keep(fleet.plane, caller(fleet), NAMES, wanted.asked)
    assert isinstance(found, planned.KeptPlan)
    return found


@pytest.fixture
def app(fleet: planes.Fleet, devgit: DevGit, request: pytest.FixtureRequest) -> str:
    name = f"plans-{abs(hash(request.node.name))}"
    made = fleet.app("web", fleet.repository(devgit, name), devgit.create(name, CONFIG), **BY_HAND)
    fleet.work()
    return made


def test_a_plan_is_kept_with_what_it_was_told_and_found_by_number_and_name(fleet: planes.Fleet, app: str) -> None:
    found = kept(fleet)
    assert (found.number, found.name, found.made_by, found.prune, found.sync_options) == (1, "lunch", "bob", True, ("PruneLast=true",))
    assert found.plan is not None
    assert [step.name for phase in found.plan.phases for wave in phase.waves for step in wave.steps] == ["web"]
    assert [kept_plans.get(fleet.plane, caller(fleet, "viewer"), NAMES, plan) for plan in ("1", "lunch")] == [found, found]
    [listed] = kept_plans.listed(fleet.plane, caller(fleet, "viewer"), NAMES).items
    assert (listed.number, listed.plan) == (1, None)
    with pytest.raises(errors.NotFound):
        kept_plans.get(fleet.plane, caller(fleet), NAMES, "2")
    with pytest.raises(errors.Forbidden):
        kept_plans.ask(fleet.plane, caller(fleet, "viewer"), NAMES, KEEP)


def test_the_newest_plans_are_kept(fleet: planes.Fleet, app: str) -> None:
    for _ in range(store.MOST + 1):
        kept(fleet)
    numbers = [one.number for one in kept_plans.listed(fleet.plane, caller(fleet), NAMES).items]
    assert numbers == list(range(store.MOST + 1, 1, -1))


@pytest.mark.parametrize(("action", "digest", "same"), [("apply", "sha256:one", True), ("prune", "sha256:two", False)])
def test_a_plan_is_compared_with_what_the_same_sync_would_do_now(
    fleet: planes.Fleet, app: str, action: str, digest: str, *, same: bool
) -> None:
    kept(fleet)
    wanted = kept_plans.ask_again(fleet.plane, caller(fleet, "viewer"), NAMES, "lunch")
    task = tell(fleet, action, digest)
    assert (task.query, task.options.prune, task.options.once.sync_options) == ("plan", True, ("PruneLast=true",))
    found = kept_plans.comparing("lunch", wanted)(fleet.plane, caller(fleet, "viewer"), NAMES, wanted.asked)
    assert isinstance(found, planned.PlanComparison)
    told = [(one.change, one.was, one.now) for one in found.differences]
    assert (found.same, told) == (same, [] if same else [("changed", "apply in wave 0", "prune in wave 0")])


def test_a_sync_of_a_plan_brings_all_that_it_was_told_and_its_digest(fleet: planes.Fleet, app: str) -> None:
    kept(fleet)
    orders.sync(fleet.plane, caller(fleet), NAMES, rest.Sync(plan="1"))
    fleet.work()
    [(task, _)] = fleet.claim()
    assert (task.kind, task.options.prune) == ("apply", True)
    assert task.options.once == agent.Once(sync_options=("PruneLast=true",), plan="sha256:one")


def test_a_sync_of_a_plan_that_says_more_is_refused(fleet: planes.Fleet, app: str) -> None:
    kept(fleet)
    with pytest.raises(errors.Invalid, match="brings all that the sync is told"):
        orders.sync(fleet.plane, caller(fleet), NAMES, rest.Sync(plan="1", force=True))


def test_a_plan_of_a_commit_that_git_left_behind_is_refused(fleet: planes.Fleet, app: str) -> None:
    kept(fleet)
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE app_plans SET release = 'sha256:older', commit = 'abcdef0123456789'")
    with pytest.raises(errors.Conflict, match=r"plan 1 of app 'web' is of commit abcdef012345, and Git wants [0-9a-f]{12} by now"):
        orders.sync(fleet.plane, caller(fleet), NAMES, rest.Sync(plan="1"))


def test_an_app_that_syncs_by_itself_has_no_use_for_a_plan(fleet: planes.Fleet, app: str) -> None:
    kept(fleet)
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("""UPDATE apps SET spec = jsonb_set(spec, '{syncPolicy}', '{"automated": {}}')""")
    with pytest.raises(errors.Conflict, match="syncs by itself"):
        orders.sync(fleet.plane, caller(fleet), NAMES, rest.Sync(plan="1"))
