"""Whether one of certain keys signed a commit: verified by Git, with GnuPG or ssh-keygen and a keyring of these keys alone."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from plane.domain import errors
from plane.domain.permitting import signing

ANSWER_S = 20.0
_PROGRAMS = {"pgp": "gpg", "ssh": "ssh-keygen"}
_STATUS = re.compile(r"^\[GNUPG:\] ([A-Z_]+) ([0-9A-F]+)", re.MULTILINE)
_SSH = re.compile(r'^Good "git" signature .*\bwith \S+ key (SHA256:\S+)', re.MULTILINE)
_OPENPGP: dict[str, signing.Reason] = {
    "EXPKEYSIG": "expired_key",
    "REVKEYSIG": "revoked_key",
    "NO_PUBKEY": "unknown_key",
    "BADSIG": "invalid",
}
_WORDS = {
    "expired_key": "is by key {}, which has expired",
    "revoked_key": "is by key {}, which was revoked",
    "unknown_key": "is by key {}, which is none of the keys",
    "invalid": "does not hold",
}


def check(folder: Path, sha: str, kind: str, keys: Sequence[str]) -> signing.Checked:
    """Whether one of these keys signed the commit.

    Args:
        folder: a bare repository that holds the commit.
        sha: in full.
        kind: `openpgp`, `ssh`, or what else the commit carries.
        keys: OpenPGP public key blocks and SSH public keys.

    Raises:
        BackendDown: the program that could say so is not there, or takes too long.
    """
    of = {"openpgp": "pgp", "ssh": "ssh"}.get(kind)
    if kind in {"", "none"}:
        return signing.Checked("unsigned", problem="it is not signed")
    if of is None:
        return signing.Checked("unknown_signature_type", problem=f"its signature is of kind {kind}, which is not verified")
    mine = [key for key in keys if signing.kind(key) == of]
    if not mine:
        return signing.Checked("unknown_key", problem=f"it is signed with {kind}, and none of the keys is of that kind")
    program = shutil.which(_PROGRAMS[of])
    if program is None:
        raise errors.BackendDown("git", f"{_PROGRAMS[of]} is not installed where the worker runs, so no {kind} signature can be verified")
    with tempfile.TemporaryDirectory(prefix="plane-keys-") as home:
        settings = _openpgp(Path(home), program, mine) if of == "pgp" else _ssh(Path(home), program, mine)
        done = _run(["git", f"--git-dir={folder}", *settings, "verify-commit", "--raw", sha], home)
    if done is None:
        raise errors.BackendDown("git", f"the {kind} signature of commit {sha[:12]} was not verified within {ANSWER_S:g} s")
    told = done.stderr.decode(errors="replace")
    reason, key = _told_by_gpg(told) if of == "pgp" else _told_by_ssh(told)
    if done.returncode == 0:
        return signing.Checked("valid", key)
    return signing.Checked(reason, key, f"its {kind} signature {_WORDS[reason].format(key)}")


def _told_by_gpg(text: str) -> tuple[signing.Reason, str]:
    """Why it does not hold if it does not, and whose it is. Source: doc/DETAILS of GnuPG."""
    lines = dict(reversed(_STATUS.findall(text)))
    word = next((word for word in _OPENPGP if word in lines), "BADSIG")
    return _OPENPGP[word], lines.get("VALIDSIG") or lines.get(word, "")


def _told_by_ssh(text: str) -> tuple[signing.Reason, str]:
    """`Good` is also said of a key that is none of ours."""
    found = _SSH.search(text)
    return ("unknown_key", found[1]) if found else ("invalid", "")


def _openpgp(home: Path, program: str, keys: Sequence[str]) -> list[str]:
    """A keyring of these keys alone; one that cannot be read is left out, and then signs nothing."""
    for number, key in enumerate(keys):
        file = home / f"{number}.asc"
        file.write_text(key)
        _run([program, "--batch", "--quiet", "--no-autostart", "--import", str(file)], str(home))
    return ["-c", "gpg.format=openpgp", "-c", f"gpg.program={program}", "-c", "gpg.minTrustLevel=undefined"]


def _ssh(home: Path, program: str, keys: Sequence[str]) -> list[str]:
    signers = home / "signers"
    signers.write_text("".join(f'* namespaces="git" {" ".join(key.split()[:2])}\n' for key in keys))
    return ["-c", f"gpg.ssh.program={program}", "-c", f"gpg.ssh.allowedSignersFile={signers}"]


def _run(command: Sequence[str], home: str) -> subprocess.CompletedProcess[bytes] | None:
    """None: it took too long. Nothing of the plane's own environment reaches it."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": home, "GNUPGHOME": home, "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }  # fmt: skip
    try:
        return subprocess.run(
            command, env=environment, cwd=home, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=ANSWER_S
        )
    except subprocess.TimeoutExpired:
        return None
