"""Signatures of commits: real Git, GnuPG and ssh-keygen."""

import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator

import msgspec
import pytest

from plane.adapters.git import signatures
from plane.domain import errors
from plane.domain.permitting import signing

KINDS = {"pgp": "openpgp", "expired": "openpgp", "ssh": "ssh"}  # signers whose commits there are, and what Git calls their signatures


class Signer(msgspec.Struct, frozen=True):
    """Somebody with a key of a kind, and how Git is told of it."""

    public: str
    key: str
    settings: tuple[str, ...]
    environment: dict[str, str]


class Signed(msgspec.Struct, frozen=True):
    """A repository with a commit each: by nobody, by PGP, by SSH."""

    folder: pathlib.Path
    commits: dict[str, str]
    signers: dict[str, Signer]


def run(*command: str, cwd: pathlib.Path, **environment: str) -> str:
    told = {"PATH": os.environ["PATH"], "HOME": str(cwd), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, **environment}
    return subprocess.run(command, cwd=cwd, env=told, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def ssh_signer(folder: pathlib.Path, name: str) -> Signer:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name), cwd=folder)
    settings = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={folder / name}")
    key = run("ssh-keygen", "-l", "-E", "sha256", "-f", f"{name}.pub", cwd=folder).split()[1]
    return Signer((folder / f"{name}.pub").read_text(), key, settings, {})


def pgp_signer(folder: pathlib.Path, name: str, *, ends: str = "0") -> Signer:
    home, person = {"GNUPGHOME": str(folder)}, f"{name}@acme.example"
    past = ("--faked-system-time", "20200101T000000!") if ends != "0" else ()
    alone = ("--batch", "--passphrase", "", "--pinentry-mode", "loopback")
    run("gpg", *alone, *past, "--quick-generate-key", person, "ed25519", "sign", ends, cwd=folder, **home)
    public = run("gpg", "--armor", "--export", person, cwd=folder, **home)
    listed = run("gpg", "--with-colons", "--list-keys", person, cwd=folder, **home)
    key = next(line for line in listed.splitlines() if line.startswith("fpr:")).split(":")[9]
    program = folder / f"gpg-{name}"
    program.write_text(f'#!/bin/sh\nexec gpg {" ".join(past)} "$@"\n')
    program.chmod(0o700)
    return Signer(public, key, ("-c", f"gpg.program={program}", "-c", f"user.signingkey={key}"), home)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    folder = tmp_path_factory.mktemp("signed")
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:  # a socket's path must be short
        keys = pathlib.Path(home)
        signers = {"ssh": ssh_signer(folder, "ada"), "stranger": ssh_signer(folder, "eve"), "pgp": pgp_signer(keys, "ada")}
        signers |= {"other_pgp": pgp_signer(keys, "eve"), "expired": pgp_signer(keys, "old", ends="1y")}
        run("git", "init", "--quiet", "--bare", "repo.git", cwd=folder)
        repo = folder / "repo.git"
        tree = run("git", "hash-object", "-t", "tree", "-w", os.devnull, cwd=repo)
        who = {f"GIT_{role}_{what}": "ada@acme.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

        def commit(signer: Signer | None) -> str:
            settings, sign = (signer.settings, ("-S",)) if signer else ((), ())
            environment = who | (signer.environment if signer else {})
            return run("git", *settings, "commit-tree", *sign, "-m", "one", tree, cwd=repo, **environment)

        yield Signed(repo, {"none": commit(None)} | {name: commit(signers[name]) for name in KINDS}, signers)
        run("gpgconf", "--kill", "all", cwd=folder, GNUPGHOME=home)


@pytest.mark.parametrize(
    ("by", "keys", "reason", "why"),
    [
        ("pgp", ("pgp",), "valid", ""),
        ("pgp", ("ssh", "pgp", "stranger"), "valid", ""),
        ("ssh", ("ssh",), "valid", ""),
        ("ssh", ("stranger", "pgp", "ssh"), "valid", ""),
        ("ssh", ("stranger",), "unknown_key", "its ssh signature is by key {}, which is none of the keys"),
        ("pgp", ("other_pgp",), "unknown_key", "its openpgp signature is by key {}, which is none of the keys"),
        ("expired", ("expired",), "expired_key", "its openpgp signature is by key {}, which has expired"),
    ],
)
def test_a_commit_counts_as_signed_by_the_named_keys_alone(signed: Signed, by: str, keys: tuple[str, ...], reason: str, why: str) -> None:
    found = signatures.check(signed.folder, signed.commits[by], KINDS[by], [signed.signers[name].public for name in keys])
    key = signed.signers[by].key
    known = key if by in keys else key[-len(found.key) :]  # of a key that GnuPG has not got it knows the id alone
    assert (found.reason, found.key, found.problem) == (reason, known, why.format(known))


@pytest.mark.parametrize(
    ("kind", "keys", "reason", "why"),
    [
        ("none", ("pgp", "ssh"), "unsigned", "it is not signed"),
        ("ssh", ("pgp",), "unknown_key", "it is signed with ssh, and none of the keys is of that kind"),
        ("openpgp", ("ssh",), "unknown_key", "it is signed with openpgp, and none of the keys is of that kind"),
        ("x509", ("ssh",), "unknown_signature_type", "its signature is of kind x509, which is not verified"),
    ],
)
def test_where_no_key_could_have_signed_none_is_asked(signed: Signed, kind: str, keys: tuple[str, ...], reason: str, why: str) -> None:
    found = signatures.check(signed.folder, signed.commits["none"], kind, [signed.signers[name].public for name in keys])
    assert (found.reason, found.key, found.problem) == (reason, "", why)


def test_what_a_commit_says_of_its_signature_is_not_believed(signed: Signed) -> None:
    keys = [signed.signers["ssh"].public]
    assert signatures.check(signed.folder, signed.commits["none"], "ssh", keys) == signing.Checked(
        "invalid", problem="its ssh signature does not hold"
    )


def test_a_signature_moved_to_another_commit_does_not_hold(signed: Signed) -> None:
    for by, kind in KINDS.items():
        text = run("git", "cat-file", "commit", signed.commits[by], cwd=signed.folder) + "\n\nanother message\n"
        (signed.folder / "forged").write_text(text)
        forged = run("git", "hash-object", "-t", "commit", "-w", "forged", cwd=signed.folder)
        found = signatures.check(signed.folder, forged, kind, [one.public for one in signed.signers.values()])
        assert (found.reason, found.problem) == ("invalid", f"its {kind} signature does not hold")


def test_a_signature_that_nobody_can_verify_is_no_bad_one(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(errors.BackendDown, match="gpg is not installed where the worker runs, so no openpgp signature can be verified"):
        signatures.check(signed.folder, signed.commits["pgp"], "openpgp", [signed.signers["pgp"].public])


@pytest.mark.parametrize(
    ("text", "kind"),
    [("ssh-ed25519 AAAAC3Nz ada", "ssh"), ("ecdsa-sha2-nistp256 AAAA", "ssh"), ("ssh-dss AAAA", ""), ("4AEE18F83AFDEB23", ""), ("", "")],
)
def test_a_key_is_a_block_or_a_line(text: str, kind: str) -> None:
    assert signing.kind(text) == kind
    assert signing.kind(f"{signing.BEGIN}\n\nabc\n{signing.END}\n") == "pgp"
