"""Apps made from several repositories: a push to any of them, and only what it touches."""

import os
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access, apps, errors
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import local as use
from plane.store import engine
from plane.store.delivering import further_sources, repositories
from plane.wire import bundle, local
from tests.support import planes

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: chart}\ndata: {greeting: {{ .Values.greeting }}}\n"
PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {a: '%s'}\n"


class World:
    """A chart, the values for it and plain manifests, each in a repository of its own; and an app of all three."""

    def __init__(self, fleet: planes.Fleet, devgit: DevGit) -> None:
        self.fleet, self.devgit, mark = fleet, devgit, os.urandom(4).hex()
        self.names = {kind: f"{kind}-{mark}" for kind in ("chart", "values", "plain")}
        files = {
            "chart": {"web/Chart.yaml": CHART.encode(), "web/templates/a.yaml": TEMPLATE.encode()},
            "values": {"web/prod.yaml": b"greeting: hello\n", "other/prod.yaml": b"{}\n"},
            "plain": {"web/a.yaml": (PLAIN % "one").encode(), "README.md": b"words\n"},
        }
        self.urls = {kind: devgit.create(self.names[kind], files[kind]) for kind in files}
        self.ids = {kind: fleet.repository(devgit, name) for kind, name in self.names.items()}
        source = {"repoURL": self.urls["chart"], "path": "web", "helm": {"valueFiles": ["$values/web/prod.yaml"]}}
        sources = [source, {"repoURL": self.urls["values"], "ref": "values"}, {"repoURL": self.urls["plain"], "path": "web"}]
        self.app = fleet.app("web", self.ids["chart"], self.urls["chart"], source=None, sources=sources)
        with fleet.owner.begin() as tx:
            tx.execute(sa.text("UPDATE apps SET spec = spec - 'source'"))
            place = {"tenant_id": fleet.tenant, "project_id": fleet.project}
            further_sources.keep(tx, place, self.app, msgspec.convert(sources, tuple[apps.Source, ...])[1:])

    def push(self, kind: str, path: str, text: str) -> int:
        """Commit, look at all repositories and work; how many tasks came of it."""
        self.devgit.commit(self.names[kind], {path: text.encode()}, path)
        with self.fleet.owner.begin() as tx:
            tx.execute(sa.text("UPDATE repositories SET poll_at = now()"))
        return self.fleet.work()

    def given(self) -> dict[str, Any]:
        """Data of the objects that the agent is given, by name."""
        [(task, release)] = self.fleet.claim()
        assert release is not None
        bodies = [msgspec.json.decode(text) for text in bundle.unpack(task.release, release.body)]
        return {body["metadata"]["name"]: body["data"] for body in bodies}


@pytest.fixture
def world(fleet: planes.Fleet, devgit: DevGit) -> World:
    """Looked at once."""
    made = World(fleet, devgit)
    assert fleet.work() == 1
    return made


def test_a_release_is_made_from_all_of_them(world: World) -> None:
    assert world.given() == {"chart": {"greeting": "hello"}, "plain": {"a": "one"}}


@pytest.mark.parametrize(
    ("kind", "path", "text", "changed"),
    [
        ("values", "web/prod.yaml", "greeting: bye\n", {"chart": {"greeting": "bye"}, "plain": {"a": "one"}}),
        ("plain", "web/a.yaml", PLAIN % "two", {"chart": {"greeting": "hello"}, "plain": {"a": "two"}}),
        ("chart", "web/values.yaml", "greeting: default\n", None),
    ],
)
def test_a_push_to_any_of_them_is_seen(world: World, kind: str, path: str, text: str, changed: dict[str, Any] | None) -> None:
    world.given()
    tasks = world.push(kind, path, text)
    assert tasks == (0 if changed is None else 1)  # a value that the ref overrides makes the same release
    if changed:
        with world.fleet.owner.begin() as tx:
            tx.execute(sa.text("UPDATE tasks SET state = 'done' WHERE generation = 1"))
        assert world.given() == changed


@pytest.mark.parametrize(("kind", "path"), [("values", "other/prod.yaml"), ("plain", "README.md")])
def test_a_push_beside_what_is_read_makes_nothing_due(world: World, kind: str, path: str) -> None:
    looked = "SELECT updated_at FROM app_states"
    before = world.fleet.row(looked)
    assert world.push(kind, path, "x: 1\n") == 0
    assert world.fleet.row(looked) == before


def test_a_source_whose_repository_is_not_registered_is_named(world: World) -> None:
    with world.fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE app_sources SET repository_id = NULL WHERE number = 2"))
        tx.execute(sa.text("UPDATE apps SET due_at = now(), hard = true"))
    world.fleet.work()
    told = world.fleet.row("SELECT problem FROM app_states").problem["sentence"]
    assert f"repository {world.urls['plain']} is not registered in project shop" in told


def test_a_repository_that_comes_later_is_tied_to_the_sources_that_name_it(world: World) -> None:
    with world.fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE app_sources SET repository_id = NULL"))
        tx.execute(sa.text("UPDATE apps SET due_at = NULL"))
    fleet = world.fleet
    place = {"tenant": fleet.tenant, "project": fleet.project}
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        url = world.urls["plain"].removesuffix(".git")
        repositories.adopt(tx, **place, repository=world.ids["plain"], url=url, now=fleet.plane.clock.now())
    rows = "SELECT array_agg(number) FROM app_sources WHERE repository_id IS NOT NULL"
    assert fleet.row(rows)[0] == [2]
    assert fleet.row("SELECT due_at IS NOT NULL FROM apps")[0]


ADA = authorise.Caller(access.Actor("00000000-0000-0000-0000-000000000001", "ada", grants=(access.Grant("admin"),)))
NAMES = authorise.Names("acme", "shop", "web")


def sent(world: World, **given: dict[str, bytes]) -> dict[str, Any]:
    """What the agent is given when somebody syncs files of his own, by the source that they stand in for."""
    with world.fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET spec = jsonb_set(spec, '{syncPolicy}', '{}')"))
    use.sync(world.fleet.plane, ADA, NAMES, local.LocalSync(sources={word.removeprefix("n"): files for word, files in given.items()}))
    world.fleet.work()
    return world.given()


def test_local_files_take_the_place_of_one_source_and_git_that_of_the_others(world: World) -> None:
    made = sent(world, values={"web/prod.yaml": b"greeting: here\n"}, n3={"b.yaml": (PLAIN % "local").encode()})
    assert made == {"chart": {"greeting": "here"}, "plain": {"a": "local"}}
    assert world.fleet.row('SELECT "commit" FROM releases ORDER BY created_at DESC LIMIT 1').commit == "local by ada"


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"n4": {"a.yaml": b"a: b"}}, "sources['4']", "is no source; app 'web' has 1, 2 (ref values), 3"),
        ({"n2": {"a.yaml": b"a: b"}, "values": {"a.yaml": b"a: b"}}, "sources['values']", "is given twice"),
        ({"n1": {}}, "sources['1']", "holds no file"),
        ({"n1": {"../a.yaml": b"a: b"}}, "sources['1']['../a.yaml']", "must be a file below the app's path"),
        ({}, "files", "say which files"),
    ],
)
def test_files_that_stand_in_for_nothing_are_refused(world: World, given: dict[str, dict[str, bytes]], field: str, rule: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        sent(world, **given)
    assert refused.value.problems[field].startswith(rule)


def test_files_that_do_not_say_which_source_they_stand_in_for_are_refused(world: World) -> None:
    with pytest.raises(errors.Invalid, match="has 3 sources; say whose place they take: 1, 2"):
        use.ask_diff(world.fleet.plane, ADA, NAMES, local.LocalDiff(files={"a.yaml": b"a: b"}))
