"""What agents did by themselves comes into the log once, with both clocks; a journal that does not hold is said to be broken."""

import hashlib
import pathlib
import shutil

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

from plane.agent.kept import journal as disk
from plane.domain import access
from plane.domain.auditing import audit
from plane.run.devgit import DevGit
from plane.server.attending import enrol, intake, journals
from plane.server.auditing import gaps
from plane.wire import agent, journal, signing
from tests.server import test_gaps
from tests.support import counting, planes

KEY = agent.Key("", "ConfigMap", "shop", "web")
HEAL = agent.Healed(key=KEY, at=1_000_000_000.0, action="update", fields=("/data/a",), manager="kubectl-edit")
FILES = planes.files("web", config="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")


class Book:
    """An agent's journal on its disk, and its way to the plane."""

    def __init__(self, fleet: planes.Fleet, folder: pathlib.Path, *, generation: int = 1) -> None:
        self.fleet, self.folder = fleet, folder
        seal = journal.Seal(fleet.agent, fleet.signing, generation)
        self.disk = disk.Journal(folder, "disk-1", lambda: seal)

    def note(self, *facts: journal.Fact) -> None:
        self.disk.add([disk.noted(one) for one in facts])

    def send(self, after: int = 0) -> journal.Known:
        frames = self.disk.after(after, most_bytes=disk.ALL)
        return journals.take(self.fleet.plane, self.fleet.identity, journal.Journal(id=self.disk.id, frames=frames))

    def ask(self) -> journal.Known:
        return journals.take(self.fleet.plane, self.fleet.identity, journal.Journal(id=self.disk.id))


@pytest.fixture
def book(fleet: planes.Fleet, tmp_path: pathlib.Path) -> Book:
    return Book(fleet, tmp_path / "journal")


def logged(fleet: planes.Fleet, tenant: str = "") -> list[audit.Event]:
    """A tenant's log in the order of its writing; without a tenant the platform's."""
    with fleet.owner.begin() as tx:
        query = sa.text("SELECT body FROM audit_events WHERE tenant_id = :tenant ORDER BY xid, id")
        rows = tx.execute(query, {"tenant": tenant or access.PLATFORM_TENANT})
        return [msgspec.json.decode(bytes(row.body), type=audit.Event) for row in rows]


@pytest.fixture
def app(fleet: planes.Fleet) -> str:
    return fleet.app("web", fleet.plane.clock.id(), "https://git.example/web.git")


def test_what_an_agent_did_while_the_plane_was_away_is_in_the_log_once_with_both_clocks(fleet: planes.Fleet, book: Book, app: str) -> None:
    book.note(
        journal.Started("0.1.0"),
        journal.PlaneLost(1_000_000_000.0, "no answer"),
        journal.Drifted(app, "sha256:0f", KEY, ("/data/a",), "kubectl-edit", away=True),
        journal.Drifted(app, "sha256:0f", KEY, ("/data/a",), "kubectl-edit"),  # of that the plane hears as a state
        journal.Healed(app, "sha256:0f", HEAL, away=True),
        journal.PlaneFound(61.5),
        journal.Stopped(),
    )
    assert book.send().seq == 8
    assert book.send().seq == 8
    seen, healed = logged(fleet, fleet.tenant)
    assert (seen.type, healed.type) == ("app.drift.seen", "app.drift.healed")
    assert (healed.target, healed.project, healed.cluster, healed.actor.kind) == ("app/web", "shop", "east", "agent")
    assert healed.occurred_at == "2001-09-09T01:46:40Z"
    assert healed.time > healed.occurred_at
    assert (healed.details["away"], healed.details["journal"]["seq"], healed.details["journal"]["journal"]) == (True, 6, book.disk.id)
    kinds = ["agent.journal.begun", "agent.started", "agent.plane.lost", "agent.plane.found", "agent.stopped"]
    assert [one.type for one in logged(fleet)] == kinds


def test_a_heal_that_stands_in_the_journal_is_not_told_a_second_time_by_the_state(fleet: planes.Fleet, book: Book, devgit: DevGit) -> None:
    url = devgit.create("journals", FILES)
    app = fleet.app("web", fleet.repository(devgit, "journals"), url)
    fleet.work()
    [(task, _)] = fleet.claim()
    heals = (msgspec.structs.replace(HEAL, noted=True), msgspec.structs.replace(HEAL, key=agent.Key("", "ConfigMap", "shop", "other")))
    told = agent.AppState(app_id=app, generation=task.generation, release="", sync="Synced", health="Healthy", healed=heals)
    intake.state(fleet.plane, fleet.identity, agent.State(apps=(told,)))
    book.note(journal.Healed(app, "", HEAL))
    book.send()
    healed = [one.details["object"] for one in logged(fleet, fleet.tenant) if one.type == "app.drift.healed"]
    assert healed == ["ConfigMap shop/other", "ConfigMap shop/web"]


def test_the_end_of_a_task_is_taken_from_the_journal_only_where_nobody_told_it(fleet: planes.Fleet, book: Book, devgit: DevGit) -> None:
    url = devgit.create("journals-known", FILES)
    fleet.app("web", fleet.repository(devgit, "journals-known"), url)
    fleet.work()
    [(task, _)] = fleet.claim()
    final = agent.Final(task=task.id, app_id=task.app_id, generation=1, outcome="succeeded", started=1.0, finished=2.0)
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))
    book.note(journal.TaskBegun(task.id, task.app_id, "apply", 1), journal.TaskEnded(task.id, task.app_id, "apply", 1, "succeeded"))
    book.send()
    assert "app.task.recovered" not in [one.type for one in logged(fleet, fleet.tenant)]
    failed = agent.ObjectResult(key=KEY, result="SyncFailed", message="no")
    book.note(journal.TaskEnded(task.id, task.app_id, "apply", 1, "failed", message="no", counts={"SyncFailed": 1}, objects=(failed,)))
    book.send()
    recovered = logged(fleet, fleet.tenant)[-1]
    assert (recovered.type, recovered.stage, recovered.outcome, recovered.correlation) == (
        "app.task.recovered",
        "outcome",
        "failure",
        task.id,
    )
    assert recovered.details["failed"] == [{"object": "ConfigMap shop/web", "message": "no"}]


def test_a_post_of_what_the_plane_knows_takes_nine_statements_however_many_apps(fleet: planes.Fleet, book: Book, devgit: DevGit) -> None:
    named = [f"web-{number}" for number in range(5)]
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
    url = devgit.create("journals-many", {path: text for name in named for path, text in planes.files(name, config=config).items()})
    repository = fleet.repository(devgit, "journals-many")
    for name in named:
        fleet.app(name, repository, url)
    fleet.work()
    begun = [task for task, _ in fleet.claim()]
    finals = [agent.Final(task=task.id, app_id=task.app_id, generation=1, outcome="succeeded", started=1.0, finished=2.0) for task in begun]
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=tuple(finals)))
    book.note(*(journal.TaskBegun(task.id, task.app_id, "apply", 1) for task in begun))
    book.send()
    book.note(*(journal.TaskEnded(task.id, task.app_id, "apply", 1, "succeeded") for task in begun))
    with counting.statements(fleet.plane.engine) as sent:
        assert book.send(after=2 + len(begun) - 1).seq == 1 + 2 * len(begun)
    assert (len(begun), len(sent)) == (5, 9), sent


def test_a_journal_resolves_what_was_missed(fleet: planes.Fleet, book: Book, app: str, owner: sa.Engine) -> None:
    task = test_gaps.begin(fleet, owner, state="")
    test_gaps.found(fleet, owner)
    book.note(journal.TaskEnded(task, app, "apply", 1, "succeeded"))
    book.send()
    planes.seal(fleet.plane, owner)
    assert [kind for kind, _ in test_gaps.found(fleet, owner)][-3:] == ["audit.gap", "app.task.recovered", "audit.gap.resolved"]
    assert gaps.look(fleet.plane) == 0


def test_a_hole_is_said_and_what_follows_is_taken(fleet: planes.Fleet, book: Book, app: str) -> None:
    for _ in range(4):
        book.note(journal.Healed(app, "", HEAL))
    book.send()
    for _ in range(3):
        book.note(journal.Healed(app, "", HEAL))
    assert book.send(after=7).seq == 8
    assert book.send(after=7).seq == 8
    [broken] = [one for one in logged(fleet) if one.type == "agent.journal.broken"]
    assert (broken.outcome, broken.message) == ("failure", "entries 6 to 7 were never told")
    assert len(logged(fleet, fleet.tenant)) == 5


def test_a_disk_that_was_put_back_is_found_and_goes_on_in_a_journal_of_its_own(fleet: planes.Fleet, book: Book, app: str) -> None:
    book.note(journal.Healed(app, "", HEAL))
    shutil.copytree(book.folder, book.folder.with_name("old"))
    book.note(journal.Healed(app, "", HEAL))
    book.send()
    old = Book(fleet, book.folder.with_name("old"))
    old.note(journal.Healed(app, "other", HEAL))
    refused = old.send(after=2)
    assert refused.refused == "it has other entries up to 3 than those that were told before"
    assert old.send(after=2).refused
    assert not old.disk.agrees(old.ask())
    old.disk.begin(msgspec.structs.replace(refused, seq=2), refused.refused)
    assert not old.send().refused
    assert [one.release for one in logged(fleet, fleet.tenant)] == ["", "", "other"]
    told = [(one.type, one.outcome) for one in logged(fleet)]
    assert told == [("agent.journal.begun", "success"), ("agent.journal.broken", "failure"), ("agent.journal.begun", "failure")]
    assert logged(fleet)[-1].details["known"] == 3


def test_entries_that_the_agent_did_not_sign_are_not_taken(fleet: planes.Fleet, book: Book, app: str) -> None:
    book.note(journal.Healed(app, "", HEAL))
    [*_, last] = book.disk.after(0)
    forged = msgspec.structs.replace(last, signature=bytes(64))
    known = journals.take(fleet.plane, fleet.identity, journal.Journal(id=book.disk.id, frames=(forged,)))
    assert known.refused == f"the signature of entries {last.first} to {last.last} does not hold"
    assert logged(fleet, fleet.tenant) == []
    [broken] = logged(fleet)
    assert broken.details["name"] == book.disk.id


def test_entries_signed_before_a_rotation_hold_after_it(fleet: planes.Fleet, book: Book, app: str) -> None:
    book.note(journal.Healed(app, "", HEAL))
    raw = hashlib.sha256(b"the next key").digest()
    coming = ed25519.Ed25519PrivateKey.from_private_bytes(raw)
    public = coming.public_key().public_bytes_raw()
    proof = coming.sign(signing.rotation_text(fleet.agent, public, public))
    enrol.rotate(fleet.plane, fleet.identity, agent.Rotate(signing_key=public, sealing_key=public, proof=proof))
    assert not book.send().refused
    after = Book(msgspec.structs.replace(fleet, signing=coming), book.folder, generation=2)
    after.note(journal.Healed(app, "", HEAL))
    assert not after.send(after=2).refused
    assert len(logged(fleet, fleet.tenant)) == 2


def test_an_app_of_another_cluster_is_the_platforms_to_know(fleet: planes.Fleet, book: Book) -> None:
    stranger = planes.make_fleet(fleet.plane, fleet.owner, tenant="globex", project="shop", cluster="west")
    theirs = stranger.app("web", fleet.plane.clock.id(), "https://git.example/web.git")
    book.note(journal.Healed(theirs, "", HEAL), journal.Healed("no id'; --", "", HEAL))
    book.send()
    assert logged(fleet, stranger.tenant) == logged(fleet, fleet.tenant) == []
    assert [one.target for one in logged(fleet)[1:]] == [f"app/{theirs}", "app/no id'; --"]


def test_a_fact_of_a_newer_agent_is_passed_over_and_still_counts(fleet: planes.Fleet, book: Book) -> None:
    entry = msgspec.msgpack.encode({"seq": 1, "at": 1.0, "up_s": 1.0, "fact": {"type": "of-next-year"}})
    seal = journal.Seal(fleet.agent, fleet.signing, 1)
    before = journal.origin("000001-new")
    signature = seal.sign("000001-new", 1, journal.chain(before, (entry,)))
    frame = journal.Frame(first=1, before=before, entries=(entry,), generation=1, signature=signature)
    assert journals.take(fleet.plane, fleet.identity, journal.Journal(id="000001-new", frames=(frame,))).seq == 1
    assert logged(fleet) == []
