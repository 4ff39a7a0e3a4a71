"""Policy sets that lie in Git: read with their repository, in force once accepted, and until then as they were."""

import json
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access, errors, tenancy
from plane.domain.judging import policy_sources
from plane.run.devgit import DevGit
from plane.server import authorise, documents
from plane.server.asking import explain
from plane.server.keeping import policies, repositories
from plane.store import engine
from plane.store.delivering import policies as store
from plane.store.layout import tables
from plane.wire import documents as wire
from tests.support import planes, rules

RULE = rules.described('package plane.rules.own\n\nviolations contains {"message": "%s"} if input.manifest.kind == "ConfigMap"\n')
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
NAMES = authorise.Names("acme", "", "house")


class Shop:
    """A repository with an app and the rules that judge it."""

    def __init__(self, fleet: planes.Fleet, devgit: DevGit) -> None:
        self.fleet, self.devgit, self.name = fleet, devgit, f"rules-{fleet.tenant[-12:]}"
        self.url = devgit.create(self.name, {**planes.files("web", config=CONFIG), **self.rules("first")})

    @staticmethod
    def rules(word: str, **more: str) -> dict[str, bytes]:
        texts = {"own.rego": RULE % word, "README.md": "not a rule", ".github/x.rego": "not one either", **more}
        return {f"policies/{name}": text.encode() for name, text in texts.items()}

    @property
    def caller(self) -> authorise.Caller:
        return authorise.Caller(access.Actor(self.fleet.tenant, "cy", grants=(access.Grant("admin", self.fleet.tenant),)))

    def make(self, **spec: Any) -> wire.PolicySet:  # noqa: ANN401 - fields of the spec
        source = policy_sources.Source("shop", self.url, "policies", "main")
        wish = wire.PolicySet(
            api_version=wire.API_VERSION, metadata=wire.Metadata(name="house"), spec=tenancy.PolicySetSpec(**{"source": source, **spec})
        )
        made = documents.replace(self.fleet.plane, self.caller, policies.KIND, NAMES, wish).document
        assert isinstance(made, wire.PolicySet)
        return made

    def repository(self) -> str:
        return self.fleet.repository(self.devgit, self.name)

    def push(self, files: dict[str, bytes]) -> str:
        return self.devgit.commit(self.name, files, "Change")

    def look(self) -> wire.PolicySet:
        """The set after a look at the repository and all that follows from it."""
        with self.fleet.owner.begin() as tx:
            tx.execute(sa.update(tables.repositories).values(poll_at=self.fleet.plane.clock.now()))
        self.fleet.work()
        found = documents.get(self.fleet.plane, self.caller, policies.KIND, NAMES)
        assert isinstance(found, wire.PolicySet)
        return found

    def events(self) -> list[tuple[str, str]]:
        """What the log says of the source: type and message."""
        with self.fleet.owner.begin() as tx:
            bodies = tx.exec_driver_sql("SELECT body FROM audit_events WHERE type LIKE 'policy.source.%%' ORDER BY id").scalars()
            return [(one["type"].rpartition(".")[2], one.get("message", "")) for one in map(json.loads, bodies)]

    def told(self) -> Any:  # noqa: ANN401 - an explanation
        return explain.explain(self.fleet.plane, self.fleet.scope, project_id=self.fleet.project, app="web")


@pytest.fixture
def shop(fleet: planes.Fleet, devgit: DevGit) -> Shop:
    return Shop(fleet, devgit)


def problem(found: wire.PolicySet) -> str:
    return found.status.problem.sentence if found.status and found.status.problem else ""


def test_a_set_in_git_denies_until_it_is_read_and_then_is_what_its_files_say(shop: Shop) -> None:
    shop.repository()
    first = shop.push(shop.rules("other"))
    made = shop.make()
    assert (made.files, problem(made)) == ({}, "")
    with engine.begin(shop.fleet.plane.engine, shop.fleet.scope) as tx:
        [sentence] = store.load(tx, shop.fleet.tenant, named="acme", projects={}).dangling
    assert sentence == "policy set house has not been read from its source yet; the first look at its repository is on its way"
    found = shop.look()
    assert (list(found.files), found.status and found.status.origin and found.status.origin.kind) == (["own.rego"], "git")
    assert found.status
    assert found.status.commit == first
    assert shop.events() == [("accepted", "")]


def test_a_commit_that_does_not_compile_leaves_the_one_before_in_force(shop: Shop) -> None:
    shop.fleet.app("web", shop.repository(), shop.url)
    shop.make()
    first = shop.look()
    shop.push(shop.rules("second", **{"bad.rego": "package plane.rules.bad\n\nviolations contains x if {\n\ty == 1\n}\n"}))
    found = shop.look()
    assert found.files == first.files
    assert "bad.rego:3:21: var x is unsafe" in problem(found)
    assert found.status
    assert first.status
    assert found.status.commit != first.status.commit
    [warning] = [one for one in shop.told().warnings if one.startswith("policy set house")]
    assert "var x is unsafe" in warning
    assert f"what was read before (commit {first.status.commit[:12]}) holds" in warning
    shop.look()
    assert [kind for kind, _ in shop.events()] == ["accepted", "refused"]
    shop.push(shop.rules("third", **{"bad.rego": RULE.replace(".own", ".bad") % "mended"}))
    mended = shop.look()
    assert (problem(mended), sorted(mended.files)) == ("", ["bad.rego", "own.rego"])
    assert [one.violation.message for one in shop.told().violations] == ["mended", "third"]
    assert [kind for kind, _ in shop.events()] == ["accepted", "refused", "accepted"]


def test_a_file_that_no_database_keeps_is_refused_and_stops_no_look(shop: Shop) -> None:
    shop.repository()
    shop.push({"policies/data.json": b'{"a": "\0"}'})
    shop.make()
    assert problem(shop.look()) == "data.json is no UTF-8 text, or holds the character NUL"


def test_a_commit_that_touches_no_rule_makes_no_version(shop: Shop) -> None:
    shop.repository()
    shop.make()
    first = shop.look()
    shop.push({"elsewhere": b"x"})
    second = shop.look()
    assert first.status
    assert second.status
    assert (second.status.version, second.status.commit != first.status.commit) == (first.status.version, True)
    assert shop.make(mode="warn").files == first.files
    assert shop.events() == [("accepted", "")]


def test_a_projects_rules_hold_for_its_policy_sets(shop: Shop) -> None:
    shop.repository()
    shop.make()
    key = {"publicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGfT9FrFvLE7ANnbCqDAHZ2bMcqNkCqEDs1XrSjWqDvZ"}
    for spec, sentence in (
        ({"signatureKeys": [key]}, "must be signed by one of the signatureKeys of project shop"),
        ({"sourceRepos": ["https://git.example/*"]}, "is not among the sourceRepos of project shop"),
    ):
        with shop.fleet.owner.begin() as tx:
            tx.execute(sa.update(tables.projects).values(spec=spec))
        found = shop.look()
        assert (found.files, sentence in problem(found)) == ({}, True), problem(found)
    with shop.fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.projects).values(spec={}))
    assert list(shop.look().files) == ["own.rego"]


def test_a_repository_that_comes_later_is_read_when_it_comes(shop: Shop) -> None:
    assert "is not registered in project shop; add it with `plane repo create`" in problem(shop.make())
    shop.repository()
    assert list(shop.look().files) == ["own.rego"]
    with pytest.raises(errors.Conflict, match="is the source of policy set 'house'"):
        documents.delete(shop.fleet.plane, shop.caller, repositories.KIND, authorise.Names("acme", "shop", shop.name))


def test_a_refresh_looks_at_a_refused_commit_again(shop: Shop) -> None:
    shop.repository()
    shop.make(source=policy_sources.Source("shop", shop.url, "nothing", "main"))
    assert "nothing" in problem(shop.look())
    assert [kind for kind, _ in shop.events()] == ["refused"]
    policies.refresh(shop.fleet.plane, shop.caller, NAMES)
    assert shop.fleet.row("SELECT seen FROM policy_sets").seen == ""
    assert "nothing" in problem(shop.look())
    assert list(shop.make(source=policy_sources.Source("shop", shop.url, "policies", "main")).files) == []
    assert list(shop.look().files) == ["own.rego"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"repo_url": "file:///etc"}, "spec.source.repoURL"),
        ({"path": "../x"}, "spec.source.path"),
        ({"target_revision": "a..b"}, "spec.source.targetRevision"),
        ({"project": "none"}, "spec.source.project"),
    ],
)
def test_a_wrong_source_is_refused_by_field(shop: Shop, change: dict[str, str], field: str) -> None:
    source = msgspec.structs.replace(policy_sources.Source("shop", shop.url, "policies"), **change)
    with pytest.raises(errors.Invalid) as refused:
        shop.make(source=source)
    assert list(refused.value.problems) == [field]
