"""The record from the command line: files that prove themselves, and a verifier that needs no plane."""

import base64
import pathlib
import subprocess
import sys

from pyarrow import parquet

from plane.adapters.trusting import stamps
from plane.cli.auditing import audit_delivery
from plane.domain.auditing import details
from plane.server import record
from plane.store import engine
from tests.cli import conftest
from tests.support import far_ends, planes, stamping


def test_a_file_alone_does_not_show_that_a_log_continues(run: conftest.Run, tmp_path: pathlib.Path) -> None:
    said = run("audit", "verify", "--offline", str(tmp_path / "audit.jsonl"), "--known", str(tmp_path / "known"), code=2).stderr
    assert "--known has the plane prove that the log continues, and --offline asks nobody" in said
    assert not (tmp_path / "known").exists()


def test_nobody_is_asked_to_confirm_that_nobody_is_forgotten(run: conftest.Run) -> None:
    said = run("audit", "erase", code=2).stderr
    assert "say whom: NAME of a person or service, or --author NAME of commits" in said
    assert "Go on?" not in said


def test_a_file_is_verified_without_asking_anybody(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("user", "create", "eve", "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    file = tmp_path / "audit.jsonl"
    run("audit", "export", "--since", "1970-01-01", "-o", str(file))
    stranger = str(tmp_path / "no-contexts.yaml")  # who was never told of a plane
    said = run("audit", "verify", "--offline", str(file), PLANE_CONFIG=stranger).output
    assert "nothing is wrong; every event between its ends is in the file" in said
    file.write_text(file.read_text().replace('"target":"person/eve"', '"target":"person/bob"', 1))
    assert "the event was altered" in run("audit", "verify", "--offline", str(file), code=1).output


def test_the_verifier_runs_where_nothing_of_the_plane_is(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("user", "create", "eve", "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    run("audit", "export", "--since", "1970-01-01", "-o", str(tmp_path / "audit.jsonl"))
    (tmp_path / "verifier.py").write_text(run("audit", "verifier").output)
    done = subprocess.run(
        [sys.executable, "-I", "verifier.py", "audit.jsonl"], cwd=tmp_path, capture_output=True, text=True, check=False
    )  # -I: without this folder and ours on the path
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing is wrong" in done.stdout


def test_a_rewritten_log_is_not_the_one_that_was_remembered(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("user", "create", "eve", "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    known = tmp_path / "known"
    assert "nothing is wrong" in run("audit", "verify", "--known", str(known)).output
    run("user", "create", "bob", "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    assert "nothing is wrong" in run("audit", "verify", "--known", str(known)).output
    origin, _, *rest = known.read_text().splitlines()
    known.write_text("\n".join([origin, "1000", *rest]))
    assert "was cut or put back" in run("audit", "verify", "--known", str(known), code=1).output
    known.write_text("my notes\n")
    assert (
        "holds no signed state of a log; name a file that --known may write" in run("audit", "verify", "--known", str(known), code=2).stderr
    )
    known.write_text("\n".join([origin, "1", *rest]))
    assert "the log was rewritten" in run("audit", "verify", "--known", str(known), code=1).output


def test_what_is_searched_for_is_found_newest_first(shop: planes.Fleet, run: conftest.Run) -> None:
    for name in ("eve", "bob"):
        run("user", "create", name, "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    found = run("audit", "search", "--type", "access.person.created").output.splitlines()
    assert ["person/bob" in found[1], "person/eve" in found[2], len(found)] == [True, True, 3]
    assert "Nothing of that kind" in run("audit", "search", "--type", "app.*").output
    for command in ("search", "report changes", "tail", "export"):
        said = run("audit", *command.split(), "--type", "access.person.create", code=2).stderr
        assert "no events of type 'access.person.create'; did you mean access.person.created" in said
    assert "nobody here is called 'zoe'" in run("audit", "search", "--actor", "zoe", code=2).output


def test_an_export_goes_on_where_it_broke_off(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    for name in ("eve", "bob"):
        run("user", "create", name, "--role", "viewer")
        planes.seal(shop.plane, shop.owner)
    file = tmp_path / "audit.jsonl"
    run("audit", "export", "--since", "1970-01-01", "-o", str(file))
    whole = file.read_text()
    end = whole.splitlines()[-2].partition('"size":')[2].partition(",")[0]
    asked = f'{{"since": "1970-01-01T00:00:00Z", "format": "jsonl", "compression": "none", "end": {end}}}'
    file.write_text(whole[: len(whole) * 2 // 3])
    file.with_name("audit.jsonl.resume").write_text(asked)
    run("audit", "export", "--resume", "-o", str(file))
    same = file.read_text() == whole
    assert same


def test_formulas_do_not_reach_a_spreadsheet_and_the_manifest_lies_beside(
    shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path
) -> None:
    run("user", "create", "eve", "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    for form in ("csv", "ocsf", "cloudevents"):
        file = tmp_path / form
        run("audit", "export", "--format", form, "-o", str(file))
        assert "access.person.created" in file.read_text()
        assert file.with_name(f"{form}.manifest.json").read_text().startswith('{"manifest":')
    run("audit", "export", "--format", "parquet", "-o", str(tmp_path / "log.parquet"))
    assert "access.person.created" in parquet.read_table(tmp_path / "log.parquet")["type"].to_pylist()
    refused = run("audit", "export", "--format", "parquet", "--compress", "gzip", "-o", str(tmp_path / "no"), code=2).stderr
    assert "is not for parquet, which compresses by itself" in refused
    run("audit", "export", "--compress", "gzip", "-o", str(tmp_path / "audit.jsonl.gz"))
    assert "nothing is wrong" in run("audit", "verify", "--offline", str(tmp_path / "audit.jsonl.gz")).output


def test_the_four_figures_are_counted_from_syncs_and_rollbacks() -> None:
    def told(minute: int, kind: str, commit: str, outcome: str = "success", **details: object) -> dict[str, object]:
        about = {"project": "shop", "target": "app/web", "commit": commit, "outcome": outcome}
        return {"type": kind, "time": f"2026-01-01T10:{minute:02}:00Z", **about, "details": details}

    found = audit_delivery.rows(
        audit_delivery.figures(
            [
                told(0, "app.sync.started", "c1", committed_at="2026-01-01T09:50:00Z"),
                told(1, "app.sync.completed", "c1"),
                told(2, "app.sync.started", "c2"),
                told(3, "app.sync.completed", "c2", "failure"),
                told(4, "app.sync.completed", "c2"),  # its retry: restored after a minute, and no failed change
                told(5, "app.sync.completed", "c2"),  # again: no deployment
                told(6, "app.sync.started", "c1", rolled_back="c2"),
                told(9, "app.sync.completed", "c1", "failure", trigger="rollback"),
                told(10, "app.sync.completed", "c1", trigger="rollback"),  # restored, and neither a deployment nor a change
                told(11, "app.sync.completed", "c2"),  # the same commit once more is another change
            ]
        ),
        days=2,
    )
    assert [one["project"] for one in found] == ["shop", "all"]
    every = {"deployments": 3, "perDay": 1.5, "leadSeconds": 540.0, "failureRate": 0.333, "restoreSeconds": 150.0}
    assert [{name: one[name] for name in every} for one in found] == [every, every]


def test_saved_questions_are_answered(shop: planes.Fleet, run: conftest.Run) -> None:
    run("user", "create", "eve", "--role", "editor")
    planes.seal(shop.plane, shop.owner)
    assert "access.role.granted" in run("audit", "report", "privileged-actions").output
    assert "eve" in run("audit", "report", "deployers").output
    assert "eve" in run("audit", "report", "access-review").output
    assert "Nothing since" in run("audit", "report", "deletions").output
    assert "person/eve" in run("audit", "tail").output
    assert "eve" in run("audit", "report", "deployers", "--only-in", "shop").output
    assert "No project has an app on cluster east." in run("audit", "report", "deployers", "--cluster", "east").output  # no app is there
    assert "access.role.granted" in run("audit", "report", "about", "person", "eve").output
    assert "Nothing since" in run("audit", "report", "unapproved-syncs").output
    assert "all" in run("audit", "report", "dora").output
    assert "No waiver is in force." in run("audit", "report", "waivers").output
    assert "Nothing since" in run("audit", "report", "waiver-changes").output
    assert "Nothing had run there" in run("at", "1h", "app", "web").output
    assert "No app has had the commit 3f9a" in run("audit", "trail", "3f9a").output


def test_reports_say_what_they_cannot_answer(shop: planes.Fleet, run: conftest.Run) -> None:
    run("user", "create", "eve", "--role", "editor")
    run("user", "disable", "eve")
    planes.seal(shop.plane, shop.owner)
    assert "access.person.created" in run("audit", "report", "about", "person", "eve").output
    assert "Nothing about the person nobody" in run("audit", "report", "about", "person", "nobody").output
    for report in ("deployers", "waivers"):
        assert "projects and apps belong to tenants" in run("audit", "report", report, "-T", "-", code=2).stderr
    assert "is not after --since" in run("audit", "report", "changes", "--since", "1d", "--until", "2d", code=2).stderr
    assert "is still to come" in run("at", "2999-01-01", "app", "web", code=2).stderr
    assert "(No such file or directory)" in run("audit", "verify", "--offline", "/nowhere", code=2).stderr
    assert "no-such' was not found" in run("audit", "report", "about", "app", "web", "--only-in", "no-such", code=4).stderr


def test_time_stamps_say_when_states_were_there(shop: planes.Fleet, run: conftest.Run, tmp_path: pathlib.Path) -> None:
    run("user", "create", "eve", "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    note = run("audit", "checkpoint").stdout
    query, _ = stamps.request(note.encode())
    with stamping.authority(tmp_path / "house") as house, stamping.authority(tmp_path / "other") as other:
        for name, authority in (("house.pem", house), ("other.pem", other)):
            (tmp_path / name).write_text(authority.pem)
        stamp = base64.b64encode(house.answer(far_ends.Received("POST", "/", {}, query))[1]).decode()
    size = int(note.splitlines()[1])
    told = details.Stamped(size=size, note=note, stamp=stamp, stamped_at="2026-01-01T00:00:00Z")
    with engine.begin(shop.plane.engine, shop.scope) as tx:
        record.append(shop.plane, tx, shop.scope, "audit.stamped", details=told)
    planes.seal(shop.plane, shop.owner)
    trusted, file, notes = str(tmp_path / "house.pem"), tmp_path / "audit.jsonl", tmp_path / "notes"
    assert f"1 time stamps hold; {size} events were there by 20" in run("audit", "verify", "--authority", trusted).output
    run("audit", "export", "--since", "1970-01-01", "-o", str(file))
    notes.write_text(run("audit", "stamps").stdout)
    verify = ("audit", "verify", "--offline", str(file), "--authority")
    assert f"1 time stamps hold; {size} events" in run(*verify, trusted).output
    assert "2 time stamps hold" not in run(*verify, trusted, "--witness", str(notes)).output  # the same one, told twice
    assert f"the time stamp of the state at {size} does not hold" in run(*verify, str(tmp_path / "other.pem"), code=1).output
    notes.write_text(notes.read_text().replace(f"\n{size}\n", f"\n{size - 1}\n", 1))
    said = run(*verify, trusted, "--witness", str(notes), code=1).output
    assert f"the time stamp of the state at {size - 1} does not hold" in said
