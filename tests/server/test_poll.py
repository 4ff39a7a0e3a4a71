"""What moves in a repository is noticed, whoever saw it first."""

from plane.run.devgit import DevGit
from plane.server.delivering import deliver
from plane.store import engine
from plane.store.delivering import leases, polls
from tests.support import planes


def files(greeting: str = "hello") -> dict[str, bytes]:
    return planes.files("web", config=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{greeting: {greeting}}}\n")


def follow(url: str, revision: str) -> dict[str, object]:
    return {"source": {"repoURL": url, "path": "web", "targetRevision": revision}}


def delivered(fleet: planes.Fleet) -> int:
    """Work on the apps alone: no look at the repository comes before."""
    return deliver.deliver(fleet.plane, fleet.lease(leases.apps), side_by_side=map)


def test_a_branch_that_goes_before_the_next_look_is_noticed(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("brief", files())
    repository = fleet.repository(devgit, "brief")
    fleet.work()
    devgit.commit("brief", {}, "Branch", branch="release")
    fleet.app("web", repository, url, **follow(url, "release"))
    assert delivered(fleet) == 1
    devgit.delete_branch("brief", "release")
    fleet.work()
    assert "targetRevision 'release' is unknown" in fleet.row("SELECT decision FROM app_states").decision["sentence"]


def test_a_push_that_is_taken_back_before_the_next_look_is_taken_back(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("back", files())
    repository = fleet.repository(devgit, "back")
    app = fleet.app("web", repository, url)
    fleet.work()
    first = fleet.row("SELECT seen FROM app_states").seen
    devgit.commit("back", files("oops"), "Oops")
    fleet.app("api", repository, url, **follow(url, "nowhere"))  # for which the mirror is fetched without a look
    delivered(fleet)
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE apps SET due_at = now()")
    delivered(fleet)
    assert fleet.row("SELECT seen FROM app_states WHERE app_id = :app", app=app).seen != first
    devgit._git(devgit._work("back"), "push", "--quiet", "--force", "origin", f"{first}:refs/heads/main")  # noqa: SLF001
    fleet.work()
    assert fleet.row("SELECT seen FROM app_states WHERE app_id = :app", app=app).seen == first


def test_a_look_under_way_keeps_what_was_seen_meanwhile(fleet: planes.Fleet, devgit: DevGit) -> None:
    devgit.create("meanwhile", files())
    repository = fleet.repository(devgit, "meanwhile")
    [held] = fleet.lease(leases.repositories)
    now = fleet.plane.clock.now()
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        known = polls.load(tx, fleet.tenant, repository)
        polls.saw(tx, fleet.tenant, {(repository, "release"): "a" * 40}, now)
        polls.done(tx, held, known, look=polls.Look({}, {}, 0), now=now, again=now)
    assert fleet.row("SELECT refs, poll_at = :now AS again FROM repositories", now=now) == ({"release": "a" * 40}, True)


def test_what_a_look_has_seen_is_no_news(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("known", files())
    fleet.app("web", fleet.repository(devgit, "known"), url)
    fleet.work()
    before = fleet.row("SELECT refs, poll_at FROM repositories")
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE apps SET due_at = now()")
    delivered(fleet)
    assert fleet.row("SELECT refs, poll_at FROM repositories") == before
