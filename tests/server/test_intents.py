"""What the log says of a sync before it begins: whose commit it is, who allowed it, in whose name it is done."""

import os
import pathlib
import subprocess
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain.deciding import approvals as deciding
from plane.domain.deciding import decide
from plane.run.devgit import DevGit
from plane.store import engine
from plane.store.delivering import approvals
from plane.store.layout import tables
from plane.store.showing import apps
from tests.support import planes, recorded

CONFIG = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
Details = dict[str, Any]


def made(fleet: planes.Fleet, devgit: DevGit, repository: str) -> None:
    url = devgit.create(repository, {"web/config.yaml": CONFIG})
    fleet.app("web", fleet.repository(devgit, repository), url)


def say(fleet: planes.Fleet, **spec: object) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.projects).values(spec=spec))


def intents(fleet: planes.Fleet) -> list[Details]:
    """Details of the syncs that began, in order."""
    return [one.details for one in recorded.events(fleet.owner, "app.sync.started")]


def run(*command: str, cwd: pathlib.Path | None = None, env: dict[str, str] | None = None) -> str:
    return subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def sign_newest(devgit: DevGit, repository: str, key: pathlib.Path) -> None:
    """Put a commit of the same files, signed, in place of the newest."""
    bare = devgit.root / "repositories" / f"{repository}.git"
    told = {"PATH": os.environ["PATH"], "HOME": str(key.parent), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    who = {f"GIT_{role}_{what}": "ada@acme.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*words: str) -> str:
        return run("git", *words, cwd=bare, env=told | who)

    signing = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key}")
    git("update-ref", "refs/heads/main", git(*signing, "commit-tree", "-S", "-m", "signed", "main^{tree}"))


@pytest.fixture
def key(tmp_path: pathlib.Path) -> pathlib.Path:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ada"))
    return tmp_path / "ada"


def test_a_sync_names_the_key_that_signed_its_commit(fleet: planes.Fleet, devgit: DevGit, key: pathlib.Path) -> None:
    say(fleet, signatureKeys=[{"publicKey": key.with_suffix(".pub").read_text().strip()}])
    made(fleet, devgit, "signed")
    sign_newest(devgit, "signed", key)
    fleet.work()
    [told] = intents(fleet)
    assert (told["signature"], told["verification"], told["signed_by"]) == (
        "ssh",
        "valid",
        run("ssh-keygen", "-l", "-f", f"{key}.pub").split()[1],
    )


def test_a_signature_that_nobody_checked_counts_for_nothing(fleet: planes.Fleet, devgit: DevGit, key: pathlib.Path) -> None:
    made(fleet, devgit, "unchecked")
    sign_newest(devgit, "unchecked", key)
    fleet.work()
    [told] = intents(fleet)
    assert (told["signature"], told["verification"], told.get("signed_by")) == ("ssh", "not_checked", None)


def test_a_sync_tells_who_approved_its_release_and_in_whose_name_it_is_done(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, destinationServiceAccounts=[{"defaultServiceAccount": "deployer", "namespace": "shop"}])
    fleet.knows("accounts")
    made(fleet, devgit, "approved")
    fleet.work()
    digest = str(fleet.row("SELECT digest FROM releases").digest)
    given = {"to": "deletions", "by": "ada", "by_id": fleet.tenant, "at": "2026-01-01T00:00:00Z", "release": digest, "event": fleet.project}
    older = {**given, "to": "policy", "at": "2025-01-01T00:00:00Z"}
    other = {**given, "release": "sha256:other"}
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        app = str(fleet.row("SELECT id FROM apps").id)
        for one in (given, older, other):
            approvals.add(tx, fleet.tenant, app, msgspec.convert(one, deciding.Approval))
        apps.approve(tx, fleet.tenant, app, digest, fleet.plane.clock.now())
        order = msgspec.convert({"to": "order", "by": "eve", "by_id": fleet.project, "at": "2026-02-02T00:00:00Z"}, deciding.Approval)
        request = decide.Request("ci", on_behalf_of="repo:acme/web:ref:main", agreed=(order,))
        apps.ask(tx, fleet.tenant, app, {"request": msgspec.to_builtins(request)}, fleet.plane.clock.now())
    fleet.work()
    first, second = intents(fleet)
    assert "approvals" not in first
    assert [(one["to"], one["by"]) for one in second["approvals"]] == [("order", "eve"), ("policy", "ada"), ("deletions", "ada")]
    assert second["approvals"][2] == given
    assert [second[name] for name in ("asked_by", "on_behalf_of", "run_as")] == ["ci", "repo:acme/web:ref:main", "shop:deployer"]
