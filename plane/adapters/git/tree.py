"""Objects of a mirror, read through GitPython's persistent `git cat-file --batch`; nothing is ever checked out."""

import bisect
import collections
import contextlib
import functools
import os
import posixpath
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import git
import msgspec

from plane import ports
from plane.domain import errors

MAX_LISTING_BYTES = 64 * 1024**2  # of one commit: about 500,000 files
CHUNK = 1024**2
MAX_READ_BYTES = 100 * 1024**2  # of one call of read()
IDLE_READERS = 16  # persistent git processes kept for all mirrors together
LISTINGS = 32  # commits whose listings are kept

LINK, SUBMODULE = "120000", "160000"
NOUNS = {LINK: "a symbolic link", SUBMODULE: "a submodule"}


class Missing(Exception):
    """The mirror holds no such object, or the short name fits several."""


class Listing(msgspec.Struct, frozen=True):
    """One commit's files sorted by path, with the paths apart for bisecting, and what was left out: path → mode."""

    files: tuple[ports.File, ...]
    paths: tuple[str, ...]
    left_out: Mapping[str, str]


def command(mirror: Path) -> git.Git:
    """Local git on one mirror, without the machine's configuration, hooks or network."""
    found = git.Git(str(mirror))
    found.update_environment(
        GIT_DIR=str(mirror),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_COUNT="0",
        GIT_ALLOW_PROTOCOL="",
        GIT_NO_LAZY_FETCH="1",
        LC_ALL="C",
    )
    return found


class Readers:
    """A pool of persistent readers. A reader answers one question at a time; as many exist as threads read at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: collections.deque[tuple[Path, git.Git]] = collections.deque()

    @contextlib.contextmanager
    def borrow(self, mirror: Path) -> Iterator[git.Git]:
        """A reader for this thread alone; one that failed is not used again."""
        reader = self._take(mirror)
        yield reader
        with self._lock:
            self._idle.append((mirror, reader))
            surplus = self._idle.popleft()[1] if len(self._idle) > IDLE_READERS else None
        if surplus is not None:
            surplus.clear_cache()

    def _take(self, mirror: Path) -> git.Git:
        with self._lock:
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == mirror:
                    reader = self._idle[place][1]
                    del self._idle[place]
                    return reader
        return command(mirror)

    def close(self) -> None:
        """End the idle processes."""
        with self._lock:
            idle, self._idle = self._idle, collections.deque()
        for _, reader in idle:
            reader.clear_cache()


def read_object(reader: git.Git, name: str) -> tuple[str, str, bytes]:
    """Id, type and content of what a name means; Missing when nothing or several things."""
    try:
        answer: tuple[Any, Any, int, bytes] = reader.get_object_data(name)
    except ValueError as e:
        raise Missing(name) from e
    sha, kind, _, content = answer
    return sha.decode(), kind.decode(), content  # GitPython's annotations say text, its answer is bytes


class CommitTree:
    """ports.Tree of one commit. The listing is made once per commit and shared."""

    def __init__(self, mirror: Path, sha: str, *, readers: Readers) -> None:
        self._mirror, self._sha, self._readers = mirror, sha, readers

    def files(self, folder: str) -> Sequence[ports.File]:
        """All files below the folder, sorted by path; SourceRefused when there is no such folder."""
        listing = listed(self._mirror, self._sha)
        inside = clean(folder)
        if inside == ".":
            return listing.files
        first = bisect.bisect_left(listing.paths, inside + "/")
        last = bisect.bisect_left(listing.paths, inside + "0")  # `0` follows `/`
        if first == last:
            raise errors.SourceRefused(self._absent(listing, inside))
        return listing.files[first:last]

    def read(self, files: Iterable[ports.File]) -> Mapping[str, bytes]:
        """Contents by path; SourceRefused when they are too large together."""
        wanted = tuple(files)
        if sum(file.size_bytes for file in wanted) > MAX_READ_BYTES:
            raise errors.SourceRefused(f"the source's files are larger than {MAX_READ_BYTES:,} bytes together; narrow source.path")
        with self._readers.borrow(self._mirror) as reader:
            return {file.path: read_object(reader, file.blob)[2] for file in wanted}

    def _absent(self, listing: Listing, folder: str) -> str:
        parts = folder.split("/")
        for end in range(1, len(parts) + 1):
            above = "/".join(parts[:end])
            if above in listing.left_out:
                noun = NOUNS[listing.left_out[above]]
                return f"source.path {folder!r} goes through {above!r}, which is {noun}; links and submodules are never followed"
        place = bisect.bisect_left(listing.paths, folder)
        if listing.paths[place : place + 1] == (folder,):
            return f"source.path {folder!r} is a file at {self._sha[:12]}; name the folder that holds it"
        return f"source.path {folder!r} does not exist at {self._sha[:12]}"


def clean(folder: str) -> str:
    """The folder as listings write it, `.` for the root; SourceRefused for one that is absolute or leaves the repository."""
    path = posixpath.normpath(folder or ".")
    if path.startswith(("/", "../")) or path == ".." or ".." in folder.split("/"):
        raise errors.SourceRefused(f"source.path {folder!r} leaves the repository; write a path relative to its root without `..`")
    if not folder.isprintable():
        raise errors.SourceRefused("source.path holds control characters")
    return path


def bounded(child: git.Git.AutoInterrupt, *, what: str) -> bytes:
    """All that a git process prints; SourceRefused beyond the bound: a few nested trees can name more files than there are atoms."""
    kept = bytearray()
    while chunk := child.stdout.read(CHUNK):
        kept += chunk
        if len(kept) > MAX_LISTING_BYTES:
            child._terminate()  # noqa: SLF001  # GitPython's only way that does not wait for the whole output
            raise errors.SourceRefused(f"{what} names more files than fit into {MAX_LISTING_BYTES:,} bytes")
    child.wait()
    return bytes(kept)


@functools.lru_cache(maxsize=LISTINGS)
def listed(mirror: Path, sha: str) -> Listing:
    """Everything a commit names; one git process. A commit never changes, so the answer is kept."""
    text = bounded(command(mirror).ls_tree("-r", "-z", "-l", "--full-tree", sha, as_process=True), what=f"commit {sha[:12]}")
    files: list[ports.File] = []
    left_out: dict[str, str] = {}
    for line in text.split(b"\0")[:-1]:
        head, _, name = line.partition(b"\t")
        mode, _, blob, size = head.decode().split()
        path = name.decode(errors="backslashreplace")
        if mode in NOUNS:
            left_out[path] = mode
        else:
            files.append(ports.File(path, blob, int(size)))
    files.sort()
    return Listing(tuple(files), tuple(file.path for file in files), left_out)
