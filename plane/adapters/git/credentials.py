"""How a credential reaches git: through memory files that only the child inherits, never argv, URL, environment or a disk.

All of git's configuration is one sealed memory file, handed over as `GIT_CONFIG_GLOBAL=/proc/self/fd/N`. Against GIT_ASKPASS that saves a
program on disk and a round trip per request; against GIT_CONFIG_* variables it keeps the value out of every environment, where crash
reports and `ps e` would find it. ssh closes all it inherits, so its key is a 0600 file on tmpfs for the time of the call.
"""

import base64
import contextlib
import fcntl
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from plane import ports
from plane.adapters.git import url as git_url
from plane.domain import errors

DEFAULT_USER = "x-access-token"  # hosts that take a bare token ignore the user name but want one
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  # tmpfs on every Linux
SSH_CONNECT_S = 15
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE

# Harmless and common in old history; every other complaint of fsck refuses the transfer.
TOLERATED = ("zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate")

CONFIG = """
[core]
    hooksPath = /dev/null
    fsmonitor = false
    symlinks = false
    askPass =
    bigFileThreshold = 32m
[credential]
    helper =
[protocol]
    allow = never
[protocol "https"]
    allow = always
[protocol "ssh"]
    allow = always
[http]
    followRedirects = false
    sslVerify = true
    proxy =
    lowSpeedLimit = 1000
    lowSpeedTime = 30
[fetch]
    fsckObjects = true
    recurseSubmodules = false
    unpackLimit = 1
    writeCommitGraph = false
[transfer]
    fsckObjects = true
    bundleURI = false
[submodule]
    recurse = false
[gc]
    auto = 0
[maintenance]
    auto = false
[ssh]
    variant = ssh
""" + "".join(f'[fetch "fsck"]\n    {name} = ignore\n' for name in TOLERATED)


class Lent(msgspec.Struct, frozen=True):
    """What one child gets: variables without secrets, and the memory files behind them."""

    environment: dict[str, str]
    files: tuple[int, ...]


@contextlib.contextmanager
def lend(auth: ports.GitAuth, address: git_url.Address, pinned: tuple[str, ...]) -> Iterator[Lent]:
    """Prepare the credential for one call; nothing of it is left afterwards."""
    with contextlib.ExitStack() as stack:
        ca = stack.enter_context(_memory_file(auth.ca_pem)) if auth.ca_pem else None
        lines = _http(auth, address, pinned, ca) if address.scheme == "https" else ()
        config = stack.enter_context(_memory_file("\n".join((CONFIG, *lines))))
        environment = {"GIT_CONFIG_GLOBAL": f"/proc/self/fd/{config}"}
        if address.scheme == "ssh":
            environment["GIT_SSH_COMMAND"] = stack.enter_context(_ssh(auth, address, pinned))
        yield Lent(environment, (config,) if ca is None else (config, ca))


def _http(auth: ports.GitAuth, address: git_url.Address, pinned: tuple[str, ...], ca: int | None) -> Iterator[str]:
    """Settings for this one host; the header is bound to it, so that no other host can be given it."""
    yield f'[http "https://{address.netloc}/"]'
    if address.host not in pinned:
        hosts = ",".join(f"[{text}]" if ":" in text else text for text in pinned)
        yield f'curloptResolve = "{address.host}:{address.port}:{hosts}"'
    if ca is not None:
        yield f'sslCAInfo = "/proc/self/fd/{ca}"'
    if auth.password is not None:
        yield f'extraHeader = "Authorization: Basic {basic(auth).decode()}"'


def basic(auth: ports.GitAuth) -> bytes:
    """The value of a Basic authorisation header; SourceRefused for a user name that would end early."""
    if ":" in auth.username or not auth.username.isprintable():
        raise errors.SourceRefused("the repository's user name must not contain a colon or control characters")
    password = auth.password.reveal() if auth.password else b""
    return base64.b64encode((auth.username or DEFAULT_USER).encode() + b":" + password)


@contextlib.contextmanager
def _memory_file(text: str) -> Iterator[int]:
    file = os.memfd_create("git", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.write(file, text.encode())
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, SEALS)
        yield file
    finally:
        os.close(file)


@contextlib.contextmanager
def _ssh(auth: ports.GitAuth, address: git_url.Address, pinned: tuple[str, ...]) -> Iterator[str]:
    """The ssh command line git is to use: one key, one known host, no configuration, no forwarding, no questions."""
    if not auth.known_hosts.strip():
        raise errors.SourceRefused(f"{address}: its host key is unknown; add the host's line to the repository's known hosts")
    folder = Path(tempfile.mkdtemp(prefix="plane-ssh-", dir=MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None))
    try:
        key, hosts = folder / "key", folder / "known_hosts"
        key.touch(mode=0o600)
        key.write_bytes((auth.ssh_key.reveal().strip() + b"\n") if auth.ssh_key else b"")
        hosts.write_text(auth.known_hosts.rstrip() + "\n")
        options = {
            "HostName": pinned[0],
            "HostKeyAlias": f"[{address.host}]:{address.port}" if address.port != git_url.DEFAULT_PORTS["ssh"] else address.host,
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "CheckHostIP": "no",
            "UpdateHostKeys": "no",
            "IdentityFile": str(key),
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "PreferredAuthentications": "publickey",
            "BatchMode": "yes",
            "ConnectTimeout": str(SSH_CONNECT_S),
            "ProxyCommand": "none",
            "ClearAllForwardings": "yes",
            "ForwardAgent": "no",
            "ControlMaster": "no",
            "ControlPath": "none",
            "PermitLocalCommand": "no",
        }
        yield shlex.join(("ssh", "-F", "/dev/null", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))))
    finally:
        shutil.rmtree(folder)
