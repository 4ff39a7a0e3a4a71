"""Files from somebody's disk go the way of Git's: rendered, opened, judged, released, and shown as whose they are."""

import os

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access, errors
from plane.domain.judging import policy
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import diffs, questions
from plane.server.asking import local as use
from plane.server.attending import intake
from plane.wire import agent, answers, bundle, local, rest
from tests.support import planes

MANUAL: dict[str, object] = {"syncPolicy": {}}
NAMES = authorise.Names("acme", "shop", "web")
GIT = planes.files("web", config="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {from: git}\n")
HERE = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {from: here}\n"


def caller(fleet: planes.Fleet, role: str = "admin") -> authorise.Caller:
    who = access.Actor("0" * 8 + "-0000-0000-0000-000000000001", "ada", grants=(access.Grant(role, fleet.tenant),))
    return authorise.Caller(who)


def app(fleet: planes.Fleet, devgit: DevGit, name: str, **spec: object) -> None:
    fleet.app("web", fleet.repository(devgit, name), devgit.create(name, GIT), **spec)
    fleet.work()


def wanted(**files: bytes) -> local.LocalSync:
    return local.LocalSync(files={name.replace("_", "/", 1) + ".yaml": text for name, text in files.items()})


def test_local_files_are_synced_once_and_git_still_differs(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "local-sync", **MANUAL)
    use.sync(fleet.plane, caller(fleet), NAMES, wanted(config=HERE))
    assert fleet.work() == 1
    [(task, release)] = fleet.claim()
    assert release is not None
    [body] = [msgspec.json.decode(one) for one in bundle.unpack(release.digest, release.body)]
    assert (task.revision, body["data"], body["metadata"]["namespace"]) == ("local by ada", {"from": "here"}, "shop")
    end = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(end,)))
    entry = fleet.row('SELECT "commit", actor FROM history')
    assert (entry.commit, entry.actor) == ("local by ada", "ada")
    assert fleet.row("SELECT decision FROM app_states").decision["code"] == "manual-sync"
    [asked] = [fleet.row("SELECT body FROM audit_events WHERE type = 'app.local-sync.asked'").body]
    assert "config.yaml" in str(asked)
    assert "from: here" not in str(asked)


def test_an_app_that_syncs_by_itself_refuses(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "local-automated")
    with pytest.raises(errors.Conflict, match="syncs by itself and would undo a sync of local files"):
        use.sync(fleet.plane, caller(fleet), NAMES, wanted(config=HERE))


def test_an_editor_may_not_put_files_in_the_place_of_git(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "local-editor", **MANUAL)
    with pytest.raises(errors.Forbidden, match="app:override"):
        use.sync(fleet.plane, caller(fleet, "editor"), NAMES, wanted(config=HERE))


def test_local_files_are_judged(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "local-judged", **MANUAL)
    rule = 'package plane.rules.none\n\nviolations contains {"message": "no"} if input.manifest.kind == "ConfigMap"\n'
    files = policy.PolicyFiles("house", "d1", {"rule.rego": rule})
    with fleet.owner.begin() as tx:
        row = {"tenant": fleet.tenant, "id": fleet.plane.clock.id(), "files": msgspec.json.encode(files.files).decode()}
        tx.execute(
            sa.text(
                "INSERT INTO policy_sets (tenant_id, id, name, digest, files) VALUES (:tenant, :id, 'house', 'd1', CAST(:files AS jsonb))"
            ),
            row,
        )
    with pytest.raises(policy.PolicyRefused):
        use.sync(fleet.plane, caller(fleet), NAMES, wanted(config=HERE))
    assert fleet.row("SELECT request FROM apps").request is None


@pytest.mark.parametrize(
    ("files", "error", "says"),
    [
        ({"../config.yaml": HERE}, errors.Invalid, "must be a file below the app's path"),
        ({"/etc/passwd": HERE}, errors.Invalid, "must be a file below the app's path"),
        ({".git/config": HERE}, errors.Invalid, "must be a file below the app's path"),
        ({"config.yaml": b"x" * (local.MOST_BYTES + 1)}, errors.Invalid, "bytes together"),
        ({"config.yaml": b"kind: [\n"}, errors.PlaneError, "web/config.yaml"),
        (
            {"config.yaml": HERE.replace(b"name: web", b"name: web, namespace: globex-web")},
            errors.PlaneError,
            "is outside what this tenant may use",
        ),
        ({"notes.txt": b"nothing"}, errors.Conflict, "renders to no objects"),
    ],
    ids=["above", "absolute", "git", "large", "broken", "elsewhere", "empty"],
)
def test_what_git_could_not_bring_files_cannot(
    fleet: planes.Fleet, devgit: DevGit, files: dict[str, bytes], error: type[errors.PlaneError], says: str
) -> None:
    app(fleet, devgit, f"local-{os.urandom(4).hex()}", **MANUAL)
    with pytest.raises(error, match=says):
        use.sync(fleet.plane, caller(fleet), NAMES, local.LocalSync(files=files))


def test_local_files_are_compared_with_the_cluster(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "local-diff")
    fleet.claim()
    before = fleet.row("SELECT digest FROM app_states").digest
    asked, release = use.ask_diff(fleet.plane, caller(fleet, "editor"), NAMES, local.LocalDiff(files={"config.yaml": HERE}))
    [(task, given)] = [one for one in fleet.claim() if one[0].kind == "query"]
    assert given is not None
    assert (task.query, task.release, given.digest) == ("live", release[0], release[0])
    change = answers.Change(key=agent.Key("", "ConfigMap", "shop", "web"), action="update", fields=("/data/from",))
    end = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
    live = answers.encode(answers.Diff(changes=(change,)))
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(msgspec.structs.replace(end, live=live),)))
    told = heard(fleet, asked, release)
    assert told is not None
    assert (told.commit, [item.fields for item in told.items]) == ("local by ada", [("/data/from",)])
    assert fleet.row("SELECT digest FROM app_states").digest == before  # what Git wants is what it was


def heard(fleet: planes.Fleet, asked: questions.Asked, release: use.Release) -> rest.Diff | None:
    found: rest.Diff | None = diffs.answer_of(release)(fleet.plane, caller(fleet), NAMES, asked)
    return found
