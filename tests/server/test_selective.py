"""A sync of chosen objects: no history, nothing to roll back to, and automation as before."""

import msgspec

from plane.domain.deciding import decide
from plane.domain.planning import terms
from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.store import engine
from plane.store.showing import apps
from plane.wire import agent
from tests.support import planes

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hello}\n"
WISH = terms.Terms(resources=(":ConfigMap:web",), sync_options=("Replace=true",))
BY_HAND: dict[str, object] = {"syncPolicy": {}}


def ask(fleet: planes.Fleet, app: str, request: decide.Request) -> agent.Task:
    """The task that a request becomes."""
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        apps.ask(tx, fleet.tenant, app, {"request": msgspec.to_builtins(request)}, fleet.plane.clock.now())
    fleet.work()
    [(task, _)] = fleet.claim()
    return task


def end(fleet: planes.Fleet, task: agent.Task, outcome: agent.Outcome = "succeeded") -> None:
    final = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome=outcome, started=1.0, finished=2.0)
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))


def numbers(fleet: planes.Fleet) -> list[int]:
    return list(fleet.row("SELECT coalesce(array_agg(number), '{}') AS n FROM history").n)


def code(fleet: planes.Fleet) -> str:
    decision = fleet.row("SELECT decision FROM app_states").decision
    return str(decision.get("code", decision["type"]))


def app(fleet: planes.Fleet, devgit: DevGit, name: str, **spec: object) -> str:
    url = devgit.create(name, planes.files("web", config=CONFIG))
    return fleet.app("web", fleet.repository(devgit, name), url, **spec)


def test_chosen_objects_make_no_history_and_leave_the_rest_to_a_person(fleet: planes.Fleet, devgit: DevGit) -> None:
    web = app(fleet, devgit, "selective", **BY_HAND)
    task = ask(fleet, web, decide.Request("ada", terms=WISH))
    assert task.options.once == agent.Once(resources=WISH.resources, sync_options=WISH.sync_options)
    end(fleet, task)
    assert (numbers(fleet), code(fleet)) == ([], "manual-sync")


def test_a_dry_run_makes_no_history(fleet: planes.Fleet, devgit: DevGit) -> None:
    end(fleet, ask(fleet, app(fleet, devgit, "selective-dry", **BY_HAND), decide.Request("ada", dry_run=True)))
    assert numbers(fleet) == []


def test_automation_goes_on_where_it_was(fleet: planes.Fleet, devgit: DevGit) -> None:
    web = app(fleet, devgit, "selective-auto")
    fleet.work()
    [(first, _)] = fleet.claim()
    end(fleet, first)
    assert code(fleet) == "nothing"
    second = ask(fleet, web, decide.Request("ada", terms=WISH))
    assert second.options.self_heal
    end(fleet, second)
    assert (numbers(fleet), code(fleet)) == ([1], "nothing")


def test_the_rest_of_a_release_is_neither_healed_nor_forgotten(fleet: planes.Fleet, devgit: DevGit) -> None:
    web = app(fleet, devgit, "selective-first")
    task = ask(fleet, web, decide.Request("ada", terms=WISH))
    assert not task.options.self_heal
    end(fleet, task)
    [(whole, _)] = fleet.claim()
    assert (whole.options.once, whole.options.self_heal, code(fleet)) == (agent.Once(), True, "apply")


def test_what_a_namespace_shall_carry_goes_with_its_creation_alone(fleet: planes.Fleet, devgit: DevGit) -> None:
    carried = {"labels": {"team": "shop"}, "annotations": {"owner": "ann"}}
    web = app(fleet, devgit, "namespace", syncPolicy={"managedNamespaceMetadata": carried})
    without = ask(fleet, web, decide.Request("ada")).options
    assert (without.create_namespace, without.namespace_labels) == ("", {})
    told = ask(fleet, web, decide.Request("ada", terms=terms.Terms(sync_options=("PruneLast=true,CreateNamespace=true",)))).options
    assert (told.create_namespace, told.namespace_labels, told.namespace_annotations) == ("shop", {"team": "shop"}, {"owner": "ann"})
