"""Apps against a real plane: a worker beside the API, and a test that speaks as the cluster's agent."""

import contextlib
import json
import pathlib
import threading
from collections.abc import Iterator

import msgspec
import pytest

from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.wire import agent
from tests.cli import conftest
from tests.support import planes

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hello}\n"
KEY = agent.Key("", "ConfigMap", "shop", "web")
HOOK = agent.Key("batch", "Job", "shop", "migrate")
TURN_S = 0.05


def made(key: agent.Key, result: str, *, wave: int = 0, phase: str = "Sync", message: str = "") -> agent.ObjectResult:
    return agent.ObjectResult(key=key, result=result, message=message, phase=phase, wave=wave)  # type: ignore[arg-type] # the test's own words


STEP = {"action": "apply", "group": "", "kind": "ConfigMap", "namespace": "shop", "name": "web"}
KEPT = {**STEP, "action": "keep", "name": "old", "reason": "pruning is off for this sync"}
PLANNED = {
    "phases": [{"phase": "Sync", "waves": [{"wave": 0, "steps": [STEP, KEPT]}]}],
    "needs_approval": ["it would delete 12 objects"],
    "warnings": ["spec.syncPolicy.syncOptions: Prun is no option that the plane knows; did you mean Prune?"],
}


LINES = "--- live ConfigMap shop/web\n+++ desired ConfigMap shop/web\n@@ -1 +1 @@\n-  a: {}\n+  a: {}"
EXTRA = {"pointer": "", "manager": "copier", "time": "2030-01-01T00:00:00Z"}
COMPARED = {
    "answer": "diff",
    "changes": [
        {"key": list(msgspec.structs.astuple(KEY)), "action": "update", "fields": ["/a"], "diff": LINES.format(1, 2), "former": ["helm"]},
        {"key": ["", "ConfigMap", "shop", "other"], "ignored": LINES.format(3, 4), "extra": [EXTRA]},
    ],
}


def answer(fleet: planes.Fleet, task: agent.Task) -> None:
    """The agent's live objects, or the plan of a sync, when it is asked for them."""
    data = {"greeting": "goodbye"}
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}, "data": data}
    found = {"objects": [{"key": dict(zip(KEY.__struct_fields__, msgspec.structs.astuple(KEY), strict=True)), "live": live, "diff": ""}]}
    told = PLANNED | {"digest": f"of {task.generation}"} if task.query == "plan" else COMPARED if task.terms else found
    final = agent.Final(
        task=task.id,
        app_id=task.app_id,
        generation=task.generation,
        outcome="succeeded",
        started=1.0,
        finished=2.0,
        live=msgspec.json.encode(told),
    )
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))


def do(fleet: planes.Fleet, task: agent.Task, outcome: agent.Outcome, message: str) -> None:
    """One task in two steps, and how the app stands after it."""
    hook = made(HOOK, "HookSucceeded", phase="PreSync")
    last = made(KEY, "Synced" if outcome == "succeeded" else "SyncFailed", wave=1, message=message)
    final = agent.Final(
        task=task.id,
        app_id=task.app_id,
        generation=task.generation,
        outcome=outcome,
        started=1.0,
        finished=2.0,
        message=message,
        results=(hook, last),
    )
    state = agent.AppState(
        app_id=task.app_id,
        generation=task.generation,
        release=task.release,
        sync="Synced",
        health="Healthy",
        objects=(agent.ObjectState(key=KEY, health="Healthy"),),
        full=True,
    )
    progress = agent.Progress(task=task.id, phase="PreSync", results=(hook,))
    intake.events(fleet.plane, fleet.identity, agent.Events(progress=(progress,)))
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))
    intake.state(fleet.plane, fleet.identity, agent.State(apps=(state,)))


@contextlib.contextmanager
def working(fleet: planes.Fleet, *, outcome: agent.Outcome = "succeeded", message: str = "") -> Iterator[None]:
    """A worker, and an agent that does each task and says how it went."""
    over = threading.Event()

    def turn() -> None:
        while not over.wait(TURN_S):
            fleet.work()
            for task, _ in fleet.claim():
                if task.kind == "query":
                    answer(fleet, task)
                else:
                    do(fleet, task, outcome, message)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def web(shop: planes.Fleet, devgit: DevGit, run: conftest.Run, request: pytest.FixtureRequest) -> planes.Fleet:
    """App web of a repository of this test's own, synced by hand."""
    name = request.node.name.replace("_", "-")[:60].strip("-")
    url = devgit.create(name, planes.files("web", config=CONFIG))
    run("repo", "create", name, url, "--ca", str(devgit.ca_file))
    run("app", "create", "web", "--repo", url, "--path", "web", "--revision", "main", "--cluster", "east", "--namespace", "shop")
    return shop


def test_a_sync_is_followed_to_its_end_wave_by_wave(web: planes.Fleet, run: conftest.Run) -> None:
    with working(web):
        said = run("app", "sync", "web", "--watch").output.splitlines()
    assert said[:-1] == ["PreSync, wave 0", "  HookSucceeded Job shop/migrate", "Sync, wave 1", "  Synced        ConfigMap shop/web"]
    assert said[-1].startswith("app/web synced to ")
    assert said[-1].endswith(": 1 HookSucceeded, 1 Synced")


def test_a_failed_sync_is_exit_1_with_the_objects_words(web: planes.Fleet, run: conftest.Run) -> None:
    with working(web, outcome="failed", message="field is immutable"):
        result = run("app", "sync", "web", "--watch", code=1)
    assert result.stderr.splitlines() == ["Error: app/web: the sync failed: field is immutable", "  ConfigMap web: field is immutable"]


def test_a_sync_that_is_not_followed_says_how_to(web: planes.Fleet, run: conftest.Run) -> None:
    assert run("app", "sync", "web").output == "app/web syncing; follow it with `plane app wait web`\n"
    assert "is waiting;" in run("app", "sync", "web", code=5).stderr


def test_a_sync_of_chosen_objects_is_asked_for_as_typed(web: planes.Fleet, run: conftest.Run) -> None:
    run("app", "sync", "web", "--resource", "!:Secret:*", "-l", "tier=front", "--strategy", "apply", "--sync-option", "Replace=true")
    asked = web.row("SELECT request FROM apps").request["terms"]
    assert asked == {"resources": ["!:Secret:*"], "labels": "tier=front", "strategy": "apply", "sync_options": ["Replace=true"]}


def test_a_choice_that_cannot_be_read_is_said_by_its_field(web: planes.Fleet, run: conftest.Run) -> None:
    assert "resources[0]: 'web' names no object" in run("app", "sync", "web", "--resource", "web", code=2).stderr


def test_a_followed_sync_as_json_is_the_task(web: planes.Fleet, run: conftest.Run) -> None:
    with working(web):
        task = json.loads(run("app", "sync", "web", "--watch", "-o", "json").stdout)
    assert (task["outcome"], len(task["results"])) == ("succeeded", 2)


def test_wait_ends_when_the_app_is_well(web: planes.Fleet, run: conftest.Run) -> None:
    with working(web):
        run("app", "sync", "web")
        assert run("app", "wait", "web", "--timeout", "30s").output == "app/web Synced and Healthy\n"


def test_wait_gives_up_with_the_reason(web: planes.Fleet, run: conftest.Run) -> None:
    web.work()
    said = run("app", "wait", "web", "--timeout", "1s", code=1).stderr.splitlines()
    assert said[0].startswith("Error: app/web is still Unknown and Unknown after 1s: Git and cluster differ and this app syncs by hand")
    assert said[1] == "  see `plane app explain web`"


def test_a_sync_that_nothing_will_let_through_ends_with_the_sentence(web: planes.Fleet, run: conftest.Run, devgit: DevGit) -> None:
    edited = json.loads(run("app", "get", "web", "-o", "json").output)
    edited["spec"]["source"]["path"] = "nowhere"
    del edited["status"]
    run("apply", "-f", "-", typed=json.dumps(edited))
    with working(web):
        said = run("app", "sync", "web", "--watch", code=1).stderr.splitlines()
    assert "nowhere" in said[0]
    assert said[1] == "  the request stays and is done once that is mended; `plane app terminate web` takes it back"


def test_diff_shows_what_a_sync_would_change(web: planes.Fleet, run: conftest.Run) -> None:
    with working(web):
        run("app", "sync", "web", "--watch")
        shown = run("app", "diff", "web", code=1).output.splitlines()
    assert shown[:2] == ["--- cluster/ConfigMap/shop/web", "+++ git/ConfigMap/shop/web"]
    assert {"-  greeting: goodbye", "+  greeting: hello"} <= set(shown)


def test_diff_shows_whom_an_object_is_taken_over_from_and_what_rules_leave_out(web: planes.Fleet, run: conftest.Run) -> None:
    web.work()
    with working(web):
        shown = run("app", "diff", "web", "--show-ignored", code=1).output.splitlines()
        told = json.loads(run("app", "diff", "web", "--show-ignored", "-o", "json", code=1).stdout)
    assert shown[:3] == ["ConfigMap/shop/web: taken over from helm", "--- cluster/ConfigMap/shop/web", "+++ git/ConfigMap/shop/web"]
    assert shown[4:8] == ["-  a: 1", "+  a: 2", "--- cluster/ConfigMap/shop/other", "+++ ignored/ConfigMap/shop/other"]
    assert shown[-1] == "extra: ConfigMap/shop/other: the whole object was added by copier, last at 2030-01-01T00:00:00Z"
    assert [(one["fields"], one["former"]) for one in told["items"]] == [(["/a"], ["helm"])]


def test_plan_shows_what_a_sync_would_do_in_order(web: planes.Fleet, run: conftest.Run) -> None:
    web.work()
    with working(web):
        shown = run("app", "plan", "web", "--resource", ":ConfigMap:*", "--sync-option", "Replace=true")
        told = json.loads(run("app", "plan", "web", "-o", "json").stdout)
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines[:3] == [
        ["PHASE", "WAVE", "ACTION", "OBJECT", "WHY"],
        ["Sync", "0", "apply", "ConfigMap/shop/web", "-"],
        ["Sync", "0", "keep", "ConfigMap/shop/old", "pruning", "is", "off", "for", "this", "sync"],
    ]
    assert shown.stdout.splitlines()[3] == "A person must agree first: it would delete 12 objects"
    assert shown.stderr.startswith("Warning: spec.syncPolicy.syncOptions: Prun is no option")
    assert told["phases"] == PLANNED["phases"]
    assert told["release"].startswith("sha256:")


def test_a_plan_is_kept_compared_and_synced(web: planes.Fleet, run: conftest.Run) -> None:
    web.work()
    with working(web):
        kept = run("app", "plan", "web", "--prune", "--save", "--as", "lunch").stdout
        assert kept.splitlines()[-1] == "kept as plan 1; `plane app sync web --plan 1` does exactly this, or nothing"
        assert run("app", "plans", "web").stdout.splitlines()[1].split()[:2] == ["1", "lunch"]
        assert run("app", "plans", "web", "lunch").stdout == "".join(kept.splitlines(keepends=True)[:-1])
        assert run("app", "plan", "web", "--compare", "lunch").stdout == "a sync would do exactly what plan 1 says\n"
        assert "leave the other fields out" in run("app", "sync", "web", "--plan", "lunch", "--prune", code=2).stderr
        run("app", "sync", "web", "--plan", "lunch", "--watch")
        assert run("app", "plan", "web", "--compare", "1", code=1).stdout == "the steps are the same; what they would write differs\n"
    assert "--as names a plan" in run("app", "plan", "web", "--as", "lunch", code=2).stderr
    assert "leave the other options out" in run("app", "plan", "web", "--compare", "1", "--prune", code=2).stderr


def test_a_plan_of_what_cannot_be_read_asks_nobody(web: planes.Fleet, run: conftest.Run) -> None:
    web.work()
    assert "syncOptions[0]: Prun is no option" in run("app", "plan", "web", "--sync-option", "Prun=true", code=2).stderr


def test_explain_says_the_sentence_first(web: planes.Fleet, run: conftest.Run) -> None:
    web.work()
    lines = run("app", "explain", "web").output.splitlines()
    assert lines[0].startswith("Git and cluster differ and this app syncs by hand")
    assert {line.split()[0] for line in lines[1:]} >= {"sync", "health"}


def test_after_a_sync_history_tasks_resources_and_manifests_are_there(web: planes.Fleet, run: conftest.Run) -> None:
    with working(web):
        run("app", "sync", "web", "--watch")
        run("app", "wait", "web", "--timeout", "30s")
    [entry] = json.loads(run("app", "history", "web", "-o", "json").output)["items"]
    assert (entry["number"], entry["actor"], entry["trigger"]) == (1, "admin", "manual")
    shown = run("app", "resources", "web").output.splitlines()[1].split()
    assert shown == ["-", "ConfigMap", "shop", "web", "Synced", "Healthy", "-", "-", "-"]
    [task] = json.loads(run("task", "list", "web", "-o", "json").output)["items"]
    assert "HookSucceeded" in run("task", "get", "web", task["id"]).output
    assert "greeting: hello" in run("app", "manifests", "web").output
    assert run("app", "manifests", "web", "--release", entry["release"]).output == run("app", "manifests", "web").output


def test_health_tells_since_when_and_because_of_what(web: planes.Fleet, run: conftest.Run) -> None:
    assert "No change of health of app/web is known" in run("app", "health", "web", "--since", "1h").stderr
    web.work()
    app = str(web.row("SELECT id FROM apps").id)
    ill = agent.ObjectState(key=KEY, health="Degraded", message="no such thing")
    told = agent.AppState(
        app_id=app, generation=1, release="", sync="Synced", health="Degraded", objects=(ill,), message="web: no such thing"
    )
    intake.state(web.plane, web.identity, agent.State(apps=(told,)))
    shown = [line.split(maxsplit=4)[1:] for line in run("app", "health", "web", "--since", "1h").output.splitlines()[1:]]
    assert shown == [["ConfigMap/shop/web", "-", "Degraded", "no such thing"], ["app/web", "Unknown", "Degraded", "web: no such thing"]]
    [line] = [line for line in run("app", "explain", "web").output.splitlines() if line.startswith("health")]
    assert line.split()[1:3] == ["Degraded", "since"]
    assert line.endswith("because web: no such thing")


def test_rollback_asks_for_an_older_release(web: planes.Fleet, run: conftest.Run) -> None:
    with working(web):
        run("app", "sync", "web", "--watch")
        assert run("app", "rollback", "web", "1", "--watch").output.splitlines()[-1].startswith("app/web synced to ")
    assert "was not found" in run("app", "rollback", "web", "99", code=4).stderr


def test_an_app_without_a_sync_has_nothing_to_terminate(web: planes.Fleet, run: conftest.Run) -> None:
    assert run("app", "terminate", "web", code=5).stderr == "Error: app 'web' has no sync under way\n"


def test_an_app_that_was_never_applied_is_gone_at_once(web: planes.Fleet, run: conftest.Run) -> None:
    assert run("app", "delete", "web").output == "app/web deleting\n"
    with working(web):
        assert run("app", "wait", "web", "--deleted", "--timeout", "30s").output == "app/web is gone\n"


def test_what_an_app_needs_is_deleted_when_the_app_is_gone(web: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text("---\n".join(run("get", kind, "-o", "yaml").output for kind in ("apps", "repos", "projects")))
    with working(web):
        run("app", "sync", "web", "--watch")
        gone = run("delete", "-f", str(file), "--timeout", "60s").output.splitlines()
    assert gone[0] == "app/web deleting"
    assert gone[-1] == "project/shop deleted"


def test_refresh_and_repo_test(web: planes.Fleet, run: conftest.Run) -> None:
    assert run("app", "refresh", "web", "--hard").output.startswith("app/web refreshing")
    [repo] = json.loads(run("repo", "list", "-o", "json").output)["items"]
    assert run("repo", "test", repo["metadata"]["name"]).output == f"repo/{repo['metadata']['name']} answers: 2 refs\n"


def test_an_app_is_held_seen_held_and_let_go(web: planes.Fleet, run: conftest.Run) -> None:
    assert run("app", "hold", "web", "--reason", "migration", "--until", "2h").output.startswith("app/web held until 20")
    assert "migration" in run("app", "list").output
    web.work()
    assert "closed: held by" in run("app", "explain", "web").output
    assert run("app", "unhold", "web").output == "app/web released\n"
    assert "is not held" in run("app", "unhold", "web", code=5).stderr
    assert run("project", "hold", "shop", "--reason", "incident").output == "project/shop held until `plane project unhold shop`\n"


def test_a_folder_is_synced_in_the_place_of_git(web: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "config.yaml").write_text(CONFIG.replace("hello", "here"))
    web.work()
    run("app", "sync", "web", "--local", str(here))
    asked = web.row("SELECT request FROM apps").request
    assert (asked["revision"], asked["digest"][:7]) == ("local by admin", "sha256:")
    assert "leave one of them out" in run("app", "sync", "web", "--local", str(here), "--revision", "main", code=2).stderr
