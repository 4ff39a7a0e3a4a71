"""Whoever keeps signed states elsewhere finds a log that was cut, put back or rewritten, though the database knows nothing of it."""

import ipaddress
import pathlib
from collections.abc import Iterator

import msgspec
import pytest
import sqlalchemy as sa

from plane.adapters.git import transport, witness
from plane.cli.auditing import verifier
from plane.server import context
from tests.adapters import git_hosts
from tests.server.test_audit_tampering import exported, forge
from tests.server.test_send import add, again, drain, status, write
from tests.support import verifying

LOCAL = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> Iterator[tuple[git_hosts.Repository, git_hosts.Host]]:
    made = git_hosts.Repository(tmp_path / "hosts" / "witness")
    made.commit({"README": "kept by the auditors"})
    made.run("config", "http.receivepack", "true")
    made.run("config", "receive.denyNonFastForwards", "true")
    with git_hosts.https(tmp_path / "hosts") as host:
        yield made, host


def witnessed(plane: context.Plane, owner: sa.Engine, host: git_hosts.Host) -> context.Plane:
    """The log goes to the repository."""
    plane = msgspec.structs.replace(plane, sinks={"git": witness.GitSink(transport.Transport(allowed=LOCAL))})
    add(plane, owner, {"git": {"url": host.url("witness"), "caPem": host.ca_pem}})
    return plane


def cloned(repository: git_hosts.Repository, folder: pathlib.Path) -> str:
    """What an auditor has."""
    folder.mkdir()
    git_hosts.git(folder, "clone", "-q", "--branch", "audit", str(repository.folder), ".")
    return str(folder)


def test_a_repository_gets_every_state_and_finds_a_log_that_was_put_back(
    plane: context.Plane, owner: sa.Engine, repository: tuple[git_hosts.Repository, git_hosts.Host], tmp_path: pathlib.Path
) -> None:
    kept, host = repository
    plane = witnessed(plane, owner, host)
    for number in range(3):
        write(plane, owner, 2, first=2 * number)
        again(owner)
        drain(plane)
    assert status(plane).behind == 0
    assert kept.run("rev-list", "--count", "audit") == "3"
    notes = verifier.witnessed([cloned(kept, tmp_path / "auditor")])
    assert sorted(size for _, size in notes) == [3, 5, 7]
    whole = exported(plane)
    found = verifying.verified(whole, (), verifier.NONE, notes)
    assert (found.findings, found.witnessed) == ([], 3)
    old = [line for line in whole if '"seq":6' not in line]
    assert any("a witness holds a state of 7 events" in one or "missing" in one for one in verifying.verified(old, (), {}, notes).findings)


def test_a_log_behind_its_witness_is_told_while_it_runs(
    plane: context.Plane, owner: sa.Engine, repository: tuple[git_hosts.Repository, git_hosts.Host]
) -> None:
    plane = witnessed(plane, owner, repository[1])
    write(plane, owner, 4)
    again(owner)
    drain(plane)
    forge(
        owner, "DELETE FROM audit_checkpoints WHERE size > 1", "DELETE FROM audit_leaves WHERE seq >= 1",
        "DELETE FROM audit_events WHERE id NOT IN (SELECT event_id FROM audit_leaves)",
        "UPDATE audit_heads SET size = 1, peaks = (SELECT leaf FROM audit_leaves WHERE seq = 0)",
        "UPDATE sinks SET position = 0, retry_at = now()",
    )  # fmt: skip
    drain(plane)
    assert "it was cut or put back" in status(plane).problem
    write(plane, owner, 4)
    again(owner)
    drain(plane)
    assert "another state of 5 events: the log was rewritten" in status(plane).problem


def test_a_branch_that_others_moved_is_not_forced(
    plane: context.Plane, owner: sa.Engine, repository: tuple[git_hosts.Repository, git_hosts.Host]
) -> None:
    kept, host = repository
    plane = witnessed(plane, owner, host)
    write(plane, owner, 1)
    again(owner)
    drain(plane)
    kept.run("checkout", "-q", "audit")
    kept.commit({"note-of-ours": "looked at"})
    kept.run("checkout", "-q", "main")
    write(plane, owner, 1)
    again(owner)
    drain(plane)
    assert kept.run("ls-tree", "--name-only", "audit").splitlines()[0] == "note-of-ours"
    assert kept.run("rev-list", "--count", "audit") == "3"
