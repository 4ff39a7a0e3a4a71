"""SOPS documents, opened by the sops program."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from plane import ports
from plane.domain import errors
from plane.domain.reading import documents

MAX_BYTES = 5 * 1024 * 1024
TIMEOUT_S = 20.0
Form = Literal["yaml", "dotenv", "binary"]

CHANGED = (
    "the SOPS file was changed after it was encrypted, by hand or by a kustomization (its MAC does not match); "
    "edit it with `sops edit` and commit the result"
)
FOREIGN_KEY = (
    "none of the project's age keys opens the SOPS file; "
    "add the project's recipient with `sops updatekeys`, or give the project the right key"
)
REASONS = {51: CHANGED, 52: CHANGED, 128: FOREIGN_KEY}  # by exit code: MAC mismatch, MAC not found, no data key

# Identities that name a plugin would start a program; only plain ones, also post-quantum, are let through.
IDENTITY = re.compile(rb"AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+")

# Every other kind of recipient makes sops call an address or a program that the file names.
FOREIGN = {
    "pgp": "PGP",
    "kms": "AWS KMS",
    "gcp_kms": "Google Cloud KMS",
    "azure_kv": "Azure Key Vault",
    "hc_vault": "Vault transit",
    "hckms": "Huawei Cloud KMS",
}


class Sops:
    """`ports.Sops`. Sync, thread-safe; one process per document, nothing on disk."""

    def __init__(self, program: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._program = program
        self._timeout_s = timeout_s

    def open(self, text: bytes, keys: ports.SopsKeys, *, where: str, form: Form = "yaml") -> bytes:
        """The clear text. What sops itself says is never quoted: it may hold a hash of the values."""
        if len(text) > MAX_BYTES:
            raise errors.SecretRefused(f"the SOPS document is larger than {MAX_BYTES // 1024**2} MiB; split it", where=where)
        for metadata in _flat(text) if form == "dotenv" else _metadata(text, where):
            _check(metadata, where)
        with _key_file(_identities(keys, where)) as (fd, path):
            done = self._run(text, form, (fd, path), where)
        if done.returncode:
            raise _refusal(done.returncode, where)
        return done.stdout

    def _run(self, text: bytes, form: Form, key: tuple[int, str], where: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [self._program, "decrypt", f"--input-type={form}", f"--output-type={form}"],
                input=text,
                env={"SOPS_AGE_KEY_FILE": key[1], "HOME": "/nonexistent", "PATH": ""},
                cwd="/",
                pass_fds=(key[0],),
                capture_output=True,
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise errors.BackendDown("sops", f"{where}: no answer within {self._timeout_s:g} s") from None
        except OSError as error:
            raise errors.BackendDown("sops", f"the program cannot be started: {error.strerror}") from None


def _metadata(text: bytes, where: str) -> Iterator[Mapping[str, Any]]:
    """The `sops` block of every document in the text."""
    try:
        values = [document.value for document in documents.read(text, file=where) if document.value is not None]
    except documents.Unreadable:
        raise errors.SecretRefused("the SOPS document is no valid YAML or JSON", where=where) from None
    for value in values:
        metadata = value.get("sops") if isinstance(value, dict) else None
        if not isinstance(metadata, dict):
            raise errors.SecretRefused("a document of this file has no `sops` block; encrypt the whole file with sops", where=where)
        yield metadata


def _flat(text: bytes) -> Iterator[Mapping[str, Any]]:
    """The metadata of a file of NAME=value lines, as far as `_check` looks: `sops_kms__list_0__map_arn` says that there is a kms."""
    names = re.findall(rb"^sops_([a-z_]+?)(?:__|=)", text, re.MULTILINE)
    yield {name.decode(): True for name in names}


def _check(metadata: Mapping[str, Any], where: str) -> None:
    groups = [metadata, *(group for group in metadata.get("key_groups") or () if isinstance(group, dict))]
    foreign = sorted(word for name, word in FOREIGN.items() if any(group.get(name) for group in groups))
    if foreign:
        raise errors.SecretRefused(
            f"the SOPS file has recipients other than age ({', '.join(foreign)}); encrypt it to age recipients only, then commit it",
            where=where,
        )
    if not metadata.get("mac"):
        raise errors.SecretRefused("the SOPS file has no MAC, so it may have been changed; encrypt it again with sops", where=where)


def _identities(keys: ports.SopsKeys, where: str) -> bytes:
    lines = [line.strip() for line in keys.age.reveal().splitlines()]
    lines = [line for line in lines if line and not line.startswith(b"#")]
    if not lines or not all(IDENTITY.fullmatch(line) for line in lines):
        raise errors.SecretRefused(
            "the project's SOPS key is no age identity; enter the line that begins with AGE-SECRET-KEY-1", where=where
        )
    return b"\n".join(lines) + b"\n"


@contextlib.contextmanager
def _key_file(identities: bytes) -> Iterator[tuple[int, str]]:
    """The identities as a file without a name, in memory only; sops may open it once per recipient, which a pipe could not bear."""
    fd = os.memfd_create("age", os.MFD_CLOEXEC)
    try:
        os.write(fd, identities)
        yield fd, f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


def _refusal(code: int, where: str) -> errors.SecretRefused:
    reason = REASONS.get(code, f"sops could not decrypt the file (exit code {code}); check it with `sops decrypt`")
    return errors.SecretRefused(reason, where=where)
