"""Signatures of commits: real Git, GnuPG and ssh-keygen."""

import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator

import msgspec
import pytest

from plane.adapters.git import signatures
from plane.domain.permitting import signing


class Signer(msgspec.Struct, frozen=True):
    """Somebody with a key of a kind, and how Git is told of it."""

    public: str
    settings: tuple[str, ...]
    environment: dict[str, str]


class Signed(msgspec.Struct, frozen=True):
    """A repository with a commit each: by nobody, by PGP, by SSH."""

    folder: pathlib.Path
    commits: dict[str, str]
    pgp: Signer
    ssh: Signer
    stranger: Signer


def run(*command: str, cwd: pathlib.Path, **environment: str) -> str:
    told = {"PATH": os.environ["PATH"], "HOME": str(cwd), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, **environment}
    return subprocess.run(command, cwd=cwd, env=told, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def ssh_signer(folder: pathlib.Path, name: str) -> Signer:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name), cwd=folder)
    settings = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={folder / name}")
    return Signer((folder / f"{name}.pub").read_text(), settings, {})


def pgp_signer(folder: pathlib.Path) -> Signer:
    home = {"GNUPGHOME": str(folder)}
    made = (
        "--batch",
        "--passphrase",
        "",
        "--pinentry-mode",
        "loopback",
        "--quick-generate-key",
        "ada@acme.example",
        "ed25519",
        "sign",
        "0",
    )
    run("gpg", *made, cwd=folder, **home)
    public = run("gpg", "--armor", "--export", "ada@acme.example", cwd=folder, **home)
    return Signer(public, ("-c", "user.signingkey=ada@acme.example"), home)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    folder = tmp_path_factory.mktemp("signed")
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:  # a socket's path must be short
        pgp, ssh, stranger = pgp_signer(pathlib.Path(home)), ssh_signer(folder, "ada"), ssh_signer(folder, "eve")
        run("git", "init", "--quiet", "--bare", "repo.git", cwd=folder)
        repo = folder / "repo.git"
        tree = run("git", "hash-object", "-t", "tree", "-w", os.devnull, cwd=repo)
        who = {f"GIT_{role}_{what}": "ada@acme.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

        def commit(signer: Signer | None) -> str:
            settings, sign = (signer.settings, ("-S",)) if signer else ((), ())
            environment = who | (signer.environment if signer else {})
            return run("git", *settings, "commit-tree", *sign, "-m", "one", tree, cwd=repo, **environment)

        yield Signed(repo, {"none": commit(None), "openpgp": commit(pgp), "ssh": commit(ssh)}, pgp, ssh, stranger)
        run("gpgconf", "--kill", "all", cwd=folder, GNUPGHOME=home)


@pytest.mark.parametrize(
    ("kind", "keys", "why"),
    [
        ("openpgp", ("pgp",), ""),
        ("openpgp", ("ssh", "pgp", "stranger"), ""),
        ("ssh", ("ssh",), ""),
        ("ssh", ("stranger", "pgp", "ssh"), ""),
        ("none", ("pgp", "ssh"), "it is not signed"),
        ("ssh", ("stranger",), "its ssh signature is not by one of the keys, or does not hold"),
        ("ssh", ("pgp",), "it is signed with ssh, and none of the keys is of that kind"),
        ("openpgp", ("ssh",), "it is signed with openpgp, and none of the keys is of that kind"),
    ],
)
def test_a_commit_counts_as_signed_by_the_named_keys_alone(signed: Signed, kind: str, keys: tuple[str, ...], why: str) -> None:
    public = [getattr(signed, name).public for name in keys]
    assert signatures.problem(signed.folder, signed.commits[kind], kind, public) == why


def test_what_a_commit_says_of_its_signature_is_not_believed(signed: Signed) -> None:
    assert signatures.problem(signed.folder, signed.commits["none"], "ssh", [signed.ssh.public]).startswith("its ssh signature is not by")
    assert "is of kind x509" in signatures.problem(signed.folder, signed.commits["ssh"], "x509", [signed.ssh.public])


def test_a_signature_moved_to_another_commit_does_not_hold(signed: Signed) -> None:
    text = run("git", "cat-file", "commit", signed.commits["ssh"], cwd=signed.folder) + "\n\nanother message\n"
    (signed.folder / "forged").write_text(text)
    forged = run("git", "hash-object", "-t", "commit", "-w", "forged", cwd=signed.folder)
    assert signatures.problem(signed.folder, forged, "ssh", [signed.ssh.public]) != ""


@pytest.mark.parametrize(
    ("text", "kind"),
    [("ssh-ed25519 AAAAC3Nz ada", "ssh"), ("ecdsa-sha2-nistp256 AAAA", "ssh"), ("ssh-dss AAAA", ""), ("4AEE18F83AFDEB23", ""), ("", "")],
)
def test_a_key_is_a_block_or_a_line(text: str, kind: str) -> None:
    assert signing.kind(text) == kind
    assert signing.kind(f"{signing.BEGIN}\n\nabc\n{signing.END}\n") == "pgp"
