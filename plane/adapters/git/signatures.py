"""Whether one of certain keys signed a commit: verified by Git, with GnuPG or ssh-keygen and a keyring of these keys alone."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from plane.domain.permitting import signing

ANSWER_S = 20.0
_PROGRAMS = {"pgp": "gpg", "ssh": "ssh-keygen"}


def problem(folder: Path, sha: str, kind: str, keys: Sequence[str]) -> str:
    """Why the commit does not count as signed, or the empty string.

    Args:
        folder: a bare repository that holds the commit.
        sha: in full.
        kind: `openpgp`, `ssh`, or what else the commit carries.
        keys: OpenPGP public key blocks and SSH public keys.
    """
    of = {"openpgp": "pgp", "ssh": "ssh"}.get(kind)
    if of is None:
        return "it is not signed" if kind in {"", "none"} else f"its signature is of kind {kind}, which is not verified"
    mine = [key for key in keys if signing.kind(key) == of]
    if not mine:
        return f"it is signed with {kind}, and none of the keys is of that kind"
    program = shutil.which(_PROGRAMS[of])
    if program is None:
        return f"{_PROGRAMS[of]} is not installed where the worker runs, so its signature cannot be verified"
    with tempfile.TemporaryDirectory(prefix="plane-keys-") as home:
        settings = _openpgp(Path(home), program, mine) if of == "pgp" else _ssh(Path(home), program, mine)
        done = _run(["git", f"--git-dir={folder}", *settings, "verify-commit", "--raw", sha], home)
    if done is None:
        return f"its signature was not verified within {ANSWER_S:g} s"
    return "" if done.returncode == 0 else f"its {kind} signature is not by one of the keys, or does not hold"


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
