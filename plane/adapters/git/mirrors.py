"""Bare mirrors of repositories: one folder each, one fetch at a time each, everything else read from them."""

import contextlib
import datetime as dt
import fcntl
import functools
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import git as gitpython
import msgspec

from plane import ports
from plane.adapters.git import signatures
from plane.adapters.git import transport as git_transport
from plane.adapters.git import tree as git_tree
from plane.domain import errors
from plane.domain.permitting import signing

HEAD = "refs/plane/HEAD"  # where a mirror keeps the remote's HEAD
REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
FETCH = (
    "fetch",
    "--quiet",
    "--prune",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--atomic",
)
LS_REMOTE = ("ls-remote", "--quiet")
MAX_PACKS = 50  # every fetch leaves one; beyond this, small ones are joined
REPACK_S = 300
YOUNG_S = 3600.0

# How what stands behind `gpgsig` begins, https://git-scm.com/docs/gitformat-signature
SIGNATURES = {
    "-----BEGIN PGP SIGNATURE-----": "openpgp",
    "-----BEGIN SSH SIGNATURE-----": "ssh",
    "-----BEGIN SIGNED MESSAGE-----": "x509",
}

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_REVISION = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.+/@#-]*[A-Za-z0-9_+/@#-])?")
_SHA = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,39}")
_TIMED = re.compile(r"(?P<author>.*?) <[^>]*> (?P<seconds>\d+) [+-]\d{4}")


class _Mirror:
    """The state of one mirror in this process: who is fetching, and how many fetches have ended well or badly."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.begun = 0
        self.last: tuple[int, Mapping[str, str] | errors.PlaneError] = (0, {})


class Mirrors:
    """All mirrors of one state folder (ports.Git). They live below `state`; several processes may share it."""

    def __init__(self, state: Path, *, transport: git_transport.Transport) -> None:
        self._state, self._transport = state, transport
        self._lock = threading.Lock()
        self._mirrors: dict[str, _Mirror] = {}
        self._readers = git_tree.Readers()
        self._signed = functools.lru_cache(4096)(signatures.check)

    def refs(self, remote: ports.GitRemote) -> Mapping[str, str]:
        """The remote's refs now; an annotated tag stands for its commit."""
        folder = self._mirror(remote).folder
        answer = self._transport.run(remote, git_transport.Call(LS_REMOTE, folder, self._transport.limits.refs_s, ("HEAD", *_patterns())))
        return _peeled(line.split("\t", 1) for line in answer.splitlines() if "\t" in line)

    def fetch(self, remote: ports.GitRemote) -> Mapping[str, str]:
        """Bring the mirror up to date and return its refs.

        Callers that come while a fetch runs share the next one: the running one may have asked before their push.
        """
        mirror = self._mirror(remote)
        seen = mirror.begun
        with mirror.lock:
            number, result = mirror.last
            if number <= seen:
                mirror.begun += 1
                result = self._outcome(remote, mirror.folder)
                mirror.last = (mirror.begun, result)
        if isinstance(result, errors.PlaneError):
            raise result
        return result

    def size(self, remote: ports.GitRemote) -> int:
        """Bytes of its packs."""
        return git_transport.folder_bytes(self._mirror(remote).folder)

    def resolve(self, remote: ports.GitRemote, revision: str) -> ports.Commit:
        """Branch, tag, full or short sha, HEAD → commit; a full sha is never taken for a branch of that name."""
        if not _REVISION.fullmatch(revision) or ".." in revision or "@{" in revision:
            raise errors.SourceRefused(f"targetRevision {revision[:80]!r} is not a branch, tag or commit; name one, without ^, ~, : or ..")
        with self._readers.borrow(self._mirror(remote).folder) as reader:
            found = tuple(_meanings(reader, revision))
        if not found:
            raise errors.SourceRefused(f"targetRevision {revision!r} is unknown; there is no such branch, tag or commit in the repository")
        if len({commit.sha for commit in found}) > 1:
            raise errors.SourceRefused(
                f"targetRevision {revision!r} names both a branch and a tag; write refs/heads/{revision} or refs/tags/{revision}"
            )
        return found[0]

    def tree(self, remote: ports.GitRemote, sha: str) -> git_tree.CommitTree:
        """The files of a commit that the mirror holds; SourceRefused when it does not."""
        folder = self._mirror(remote).folder
        if not self._holds(folder, sha):
            raise errors.SourceRefused(f"commit {sha[:12]} is not in the repository any more")
        return git_tree.CommitTree(folder, sha, readers=self._readers)

    def checked(self, remote: ports.GitRemote, commit: ports.Commit, keys: Sequence[str]) -> signing.Checked:
        """Whether one of these keys signed a commit; an answer is remembered, as neither ever changes."""
        return self._signed(self._mirror(remote).folder, commit.sha, commit.signature, tuple(keys))

    def changed(self, remote: ports.GitRemote, old: str, new: str) -> frozenset[str] | None:
        """Paths that differ between two commits; None when `old` is not there any more."""
        folder = self._mirror(remote).folder
        if not self._holds(folder, old):
            return None
        before, after = git_tree.listed(folder, old), git_tree.listed(folder, new)
        # From the two bounded listings, not by diff-tree: that one holds every difference before it prints the first.
        files = {file.path for file in set(before.files) ^ set(after.files)}
        return frozenset(files | {path for path, _ in before.left_out.items() ^ after.left_out.items()})

    def forget_others(self, keep: Collection[str]) -> int:
        """Remove mirrors of other repositories than these, unless younger than an hour; a reader at work in one reads on."""
        before = time.time() - YOUNG_S
        found = [one for one in self._state.glob("*.git") if one.stem not in keep and one.stat().st_mtime < before]
        for folder in found:
            with self._lock:
                self._mirrors.pop(folder.stem, None)
            shutil.rmtree(folder, ignore_errors=True)  # what is left is found by the next call
        return len(found)

    def close(self) -> None:
        """End the reading processes."""
        self._readers.close()

    def _holds(self, folder: Path, sha: str) -> bool:
        if not _SHA.fullmatch(sha):
            raise errors.SourceRefused(f"{sha[:80]!r} is not a full commit id")
        with self._readers.borrow(folder) as reader:
            return _commit(reader, sha) is not None

    def _mirror(self, remote: ports.GitRemote) -> _Mirror:
        if not _ID.fullmatch(remote.id):
            raise errors.SourceRefused(f"{remote.id[:80]!r} cannot be the id of a repository")
        with self._lock:
            if remote.id not in self._mirrors:
                folder = (self._state / f"{remote.id}.git").resolve()
                with _room(folder):
                    _create(folder)
                self._mirrors[remote.id] = _Mirror(folder)
            return self._mirrors[remote.id]

    def _outcome(self, remote: ports.GitRemote, folder: Path) -> Mapping[str, str] | errors.PlaneError:
        try:
            with _room(folder), _alone(folder):
                self._transfer(remote, folder)
                _join_packs(folder)
                return _mirrored(folder)
        except errors.PlaneError as e:
            return e

    def _transfer(self, remote: ports.GitRemote, folder: Path) -> None:
        limits = self._transport.limits
        try:
            self._transport.run(remote, git_transport.Call(FETCH, folder, limits.fetch_s, (f"+HEAD:{HEAD}", *REFSPECS)))
        except errors.BackendDown as e:
            if "find remote ref HEAD" not in str(e):  # an empty repository, or a HEAD that names no branch
                raise
            self._transport.run(remote, git_transport.Call(FETCH, folder, limits.fetch_s, REFSPECS))
            git_tree.command(folder).update_ref("-d", HEAD)
        finally:
            for leftover in (folder / "objects" / "pack").glob("tmp_*"):  # of a transfer that was cut off
                leftover.unlink(missing_ok=True)


def _patterns() -> tuple[str, ...]:
    return ("refs/heads/*", "refs/tags/*")


def _create(folder: Path) -> None:
    if not (folder / "HEAD").exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        git_tree.command(folder).init("--quiet", "--bare", "--template=", "--initial-branch=main")


@contextlib.contextmanager
def _room(folder: Path) -> Iterator[None]:
    """What the disk refuses is no fault of the repository's: BackendDown with the disk's own words."""
    try:
        yield
    except (OSError, gitpython.GitCommandError) as e:
        said = e.strerror if isinstance(e, OSError) else next(iter(str(e.stderr).strip(" '\n").splitlines()[-1:]), "")
        raise errors.BackendDown("git", f"the mirror {folder.name} cannot be written: {said}; make room in the state folder") from e


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes that share the mirror out; the kernel frees the lock of one that dies."""
    with (folder / "plane.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _join_packs(folder: Path) -> None:
    if len(list((folder / "objects" / "pack").glob("*.pack"))) > MAX_PACKS:
        with contextlib.suppress(gitpython.GitCommandError, subprocess.TimeoutExpired):  # only tidying: the next fetch tries again
            git_tree.command(folder).repack("--geometric=2", "-d", "-q", kill_after_timeout=REPACK_S)


def _mirrored(folder: Path) -> Mapping[str, str]:
    """The mirror's refs under the remote's names."""
    text = git_tree.command(folder).for_each_ref("--format=%(objectname)%09%(refname)%0a%(*objectname)%09%(refname)^{}")
    lines = (line.split("\t", 1) for line in text.splitlines() if line and not line.startswith("\t"))
    return _peeled([sha, "HEAD" if name == HEAD else name] for sha, name in lines)


def _peeled(lines: Iterator[list[str]]) -> Mapping[str, str]:
    """Make a mapping ref → sha; `^{}` lines, which follow their tag, take its place."""
    return {name.removesuffix("^{}"): sha for sha, name in lines}


def _meanings(reader: gitpython.Git, revision: str) -> Iterator[ports.Commit]:
    """Every commit the word may mean; names win over short ids, a full id over names."""
    if _SHA.fullmatch(revision):
        names: tuple[str, ...] = (revision,)
    elif revision == "HEAD":
        names = (HEAD,)
    elif revision.startswith(("refs/heads/", "refs/tags/")):
        names = (revision,)
    else:
        names = (f"refs/heads/{revision}", f"refs/tags/{revision}")
    found = [
        msgspec.structs.replace(commit, floating=name == HEAD or name.startswith("refs/heads/"))
        for name in names
        if (commit := _commit(reader, name))
    ]
    if not found and _SHORT.fullmatch(revision) and (commit := _commit(reader, revision)):
        found = [commit]
    yield from found


def _commit(reader: gitpython.Git, name: str) -> ports.Commit | None:
    try:
        sha, _, data = git_tree.read_object(reader, f"{name}^{{commit}}")
    except git_tree.Missing:
        return None
    return _described(sha, data.decode(errors="replace"))


def _described(sha: str, text: str) -> ports.Commit:
    head, _, message = text.partition("\n\n")
    fields = dict(line.split(" ", 1) for line in reversed(head.splitlines()) if " " in line)
    author, committer = (_TIMED.match(fields.get(role, "")) for role in ("author", "committer"))
    names = [found["author"] if found else "" for found in (author, committer)]
    when = dt.datetime.fromtimestamp(int(committer["seconds"]), dt.UTC).isoformat().replace("+00:00", "Z") if committer else ""
    signature = next((kind for begin, kind in SIGNATURES.items() if fields.get("gpgsig", "").startswith(begin)), "none")
    return ports.Commit(sha, names[0], when, message.split("\n", 1)[0][:200], committer=names[1], signature=signature)
