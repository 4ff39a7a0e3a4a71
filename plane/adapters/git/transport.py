"""The one place that runs `git` against a network: address checked and pinned, environment empty, time and size bounded."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from plane import ports
from plane.adapters.git import credentials, failures
from plane.adapters.git import url as git_url
from plane.domain import errors
from plane.domain.permitting import quotas

TICK_S = 0.1  # how often size and time are looked at; the child's end itself is noticed at once


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one transfer; a repository beyond them is refused, and its mirror keeps what it had."""

    refs_s: float = 20
    fetch_s: float = 300
    mirror_bytes: int = 2 * 1024**3
    answer_bytes: int = 32 * 1024**2


class Call(msgspec.Struct, frozen=True):
    """One run of git: `arguments` stand before and `refspecs` after the URL; the size of `folder` is held to the quota."""

    arguments: tuple[str, ...]
    folder: Path
    seconds: float
    refspecs: tuple[str, ...] = ()


class Transport:
    """Thread-safe: every call has its own child, configuration and key file."""

    def __init__(
        self,
        program: str = "git",
        *,
        allowed: Sequence[git_url.Network] = (),
        limits: Limits | None = None,
        resolve: git_url.Resolver = git_url.lookup,
    ) -> None:
        self._program = shutil.which(program) or program
        self._allowed, self._resolve = tuple(allowed), resolve
        self.limits = limits or Limits()

    def run(self, remote: ports.GitRemote, call: Call) -> str:
        """What git printed.

        Raises:
            SourceRefused: the address, the credential, the host key or the size is not acceptable. BackendDown: no answer in time.
        """
        address = git_url.parse(remote.url)
        pinned = git_url.pin(address, allowed=self._allowed, resolve=self._resolve)
        command = (self._program, *call.arguments, "--end-of-options", str(address), *call.refspecs)
        with (
            credentials.lend(remote.auth, address, pinned) as lent,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            subprocess.Popen(  # no shell; every argument is ours or was parsed above
                command,
                cwd=call.folder,
                env=self._environment(call) | lent.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                pass_fds=lent.files,
                start_new_session=True,
            ) as child,
        ):
            self._watch(child, call, out, remote)
            if child.returncode == 0:
                return _text(out)
            raise failures.explain(failures.redact(_text(err), remote.auth), address)

    def _environment(self, call: Call) -> dict[str, str]:
        """All that git sees of the world; nothing of the plane's own environment reaches it."""
        return {
            "PATH": os.pathsep.join((str(Path(self._program).parent), os.defpath)),
            "HOME": "/nonexistent",
            "LC_ALL": "C",  # the sentences are told apart by git's English words
            "GIT_DIR": str(call.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": "https:ssh",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ATTR_NOSYSTEM": "1",
        }

    def _watch(self, child: subprocess.Popen[bytes], call: Call, out: IO[bytes], remote: ports.GitRemote) -> None:
        """Wait for the child; end its whole group when time, answer or mirror grow beyond their bounds."""
        handle = os.pidfd_open(child.pid)
        try:
            deadline = time.monotonic() + call.seconds
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            while not ended.poll(TICK_S * 1000):
                self._hold(call, out, deadline, remote)
            self._hold(call, out, deadline, remote)
        finally:
            os.close(handle)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # also what git may have left behind; the child itself is not reaped yet
            child.wait()

    def _hold(self, call: Call, out: IO[bytes], deadline: float, remote: ports.GitRemote) -> None:
        address = git_url.parse(remote.url)
        if time.monotonic() > deadline:
            raise errors.BackendDown("git", f"{address} gave no complete answer within {call.seconds:g} s; it is too slow or too large")
        if os.fstat(out.fileno()).st_size > self.limits.answer_bytes:
            raise errors.SourceRefused(f"{address}: it has more refs than fit into {self.limits.answer_bytes:,} bytes")
        held = folder_bytes(call.folder)
        if held > self.limits.mirror_bytes:
            raise errors.SourceRefused(f"{address}: it is larger than the {self.limits.mirror_bytes:,} bytes allowed for one repository")
        if remote.quota_bytes is not None and held > remote.quota_bytes:
            over = f"{address}: it has {held:,} bytes or more, and the tenant's quota is {remote.quota_bytes:,} for one repository"
            ways = "split it, or take large files out of its history and create the Repository anew, or ask the platform team for more"
            raise quotas.MirrorTooLarge(f"{over}; {ways}")


def folder_bytes(folder: Path) -> int:
    """The size of a mirror's packs, unfinished ones included; git keeps all it fetches there."""
    total = 0
    with contextlib.suppress(FileNotFoundError), os.scandir(folder / "objects" / "pack") as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # a finished pack was renamed meanwhile
                total += entry.stat(follow_symlinks=False).st_size
    return total


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
