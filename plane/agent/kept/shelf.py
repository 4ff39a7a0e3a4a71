"""The last accepted release of every app, on disk: what the agent heals from and restarts with while the plane is away.

One file, only appended to: a claim of many tasks costs one write and one fsync. Each frame is length, CRC-32 and msgpack; a frame torn by a
crash ends the file. Secret values in it are sealed, and both the release and the task are verified again when they are read.
"""

import contextlib
import fcntl
import os
import pathlib
import struct
import threading
import uuid
import zlib
from collections.abc import Iterable, Mapping

import msgspec

from plane.domain import errors, objects
from plane.domain.comparing import fights
from plane.wire import agent

HEAD = struct.Struct(">II")
COMPACT_BYTES = 4 * 1024 * 1024  # below this, garbage is not worth a rewrite
HOLDS = 256


class ShelfTaken(errors.PlaneError):
    """Another process uses the same folder."""

    code = "state-dir-taken"


class Kept(msgspec.Struct, frozen=True, tag="kept"):
    """An app's accepted task, as it was signed, with its release."""

    app: str
    task: agent.SignedTask


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The last word on the app's task was accepted by the plane."""

    app: str


class Fought(msgspec.Struct, frozen=True, tag="fought"):
    """What of the app's last accepted task is not put back any more: all of it, in place of what was said before."""

    app: str
    left: tuple[tuple[objects.ObjectKey, fights.Left], ...]


class Dropped(msgspec.Struct, frozen=True, tag="dropped"):
    """The app is gone."""

    app: str


class _Slot(msgspec.Struct):
    offset: int
    size: int
    digest: str
    finished: bool = False
    left: tuple[tuple[objects.ObjectKey, fights.Left], ...] = ()


Entry = Kept | Finished | Fought | Dropped


class Shelf:
    """An open shelf; one per folder and process."""

    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "releases"
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise ShelfTaken(f"another agent uses {folder}; give each its own --state-dir") from e
        self.identity = _identity(folder / "identity")
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self._slots: dict[str, _Slot] = {}
        self._live_bytes = 0
        self._turn = threading.Lock()  # `keep` runs in a thread beside the event loop's reads
        self._end = self._scan()

    def apps(self) -> tuple[str, ...]:
        """Apps that have a release here."""
        return tuple(self._slots)

    def holds(self) -> tuple[str, ...]:
        """Digests of releases whose task was not finished: those the plane may send again."""
        return tuple(sorted(slot.digest for slot in self._slots.values() if not slot.finished and slot.digest))[:HOLDS]

    def read(self, app: str) -> agent.SignedTask | None:
        """The accepted task of an app with its bundle."""
        slot = self._slots.get(app)
        if slot is None:
            return None
        with self._turn:
            entry = _decode(os.pread(self._file, slot.size, slot.offset))
        return entry.task if isinstance(entry, Kept) else None

    def bundle(self, digest: str) -> agent.ReleaseBundle | None:
        """A release by its digest."""
        for app, slot in self._slots.items():
            if slot.digest == digest:
                task = self.read(app)
                return task.bundle if task else None
        return None

    def keep(self, tasks: Mapping[str, agent.SignedTask]) -> None:
        """Store accepted tasks by app; on disk when this returns, OSError when the disk is full. Blocking: run it in a thread."""
        self._append([Kept(app, task) for app, task in tasks.items()])
        os.fsync(self._file)
        if self._end > COMPACT_BYTES and self._end > 2 * self._live_bytes:
            with self._turn:
                self._compact()

    def finish(self, app: str) -> None:
        """Not synced: losing it costs one `holds` entry."""
        if app in self._slots:
            self._note([Finished(app)])

    def fought(self, app: str, left: Mapping[objects.ObjectKey, fights.Left]) -> None:
        """Not synced: losing it costs some heals until the fight is seen again."""
        if app in self._slots:
            self._note([Fought(app, tuple(sorted(left.items())))])

    def fights(self, app: str) -> dict[objects.ObjectKey, fights.Left]:
        """What was left alone of an app when that was last told."""
        slot = self._slots.get(app)
        return dict(slot.left) if slot else {}

    def drop(self, apps: Iterable[str]) -> None:
        """Forget apps. Losing it costs nothing: the cluster's fence says at the next start that they are gone."""
        self._note([Dropped(app) for app in apps if app in self._slots])

    def close(self) -> None:
        """Release the folder."""
        os.close(self._file)
        os.close(self._lock)

    def _note(self, entries: list[Entry]) -> None:
        """What a full disk may swallow: known until the process ends, whether or not it is written."""
        try:
            self._append(entries)
        except OSError:
            for entry in entries:
                self._index(entry, 0, 0)

    def _append(self, entries: list[Entry]) -> None:
        frames = [_frame(entry) for entry in entries]
        with self._turn:
            try:
                _write(self._file, b"".join(frames), self._end)
            except OSError as e:  # what was written of it lies behind the end and is overwritten
                raise OSError(e.errno, f"{e.strerror}; make room in the agent's state folder", str(self._path)) from e
            for entry, frame in zip(entries, frames, strict=True):
                self._index(entry, self._end + HEAD.size, len(frame) - HEAD.size)
                self._end += len(frame)

    def _scan(self) -> int:
        """Index the file; returns the end of its last whole frame."""
        size, at = os.fstat(self._file).st_size, 0
        while at + HEAD.size <= size:
            length, crc = HEAD.unpack(os.pread(self._file, HEAD.size, at))
            payload = os.pread(self._file, length, at + HEAD.size)
            if len(payload) < length or zlib.crc32(payload) != crc:
                break
            with contextlib.suppress(msgspec.MsgspecError):  # an entry of a newer agent
                self._index(_decode(payload), at + HEAD.size, length)
            at += HEAD.size + length
        os.ftruncate(self._file, at)
        return at

    def _index(self, entry: Entry, offset: int, size: int) -> None:
        old = self._slots.get(entry.app)
        match entry:
            case Kept(app=app, task=task):
                self._live_bytes += size - (old.size if old else 0)
                self._slots[app] = _Slot(offset, size, task.bundle.digest if task.bundle else "")
            case Finished():
                if old:
                    old.finished = True
            case Fought(left=left):
                if old:
                    old.left = left
            case Dropped(app=app):
                self._live_bytes -= old.size if old else 0
                self._slots.pop(app, None)

    def _compact(self) -> None:
        """Rewrite what is alive and put it in place in one step; without room for that everything stays where it is."""
        fresh = self._path.with_suffix(".new")
        file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            offsets, end = self._rewrite(file)
            os.fsync(file)
            fresh.replace(self._path)
        except OSError:
            os.close(file)
            fresh.unlink(missing_ok=True)
            return
        os.close(self._file)
        self._file, self._end = file, end
        for app, offset in offsets.items():
            self._slots[app].offset = offset

    def _rewrite(self, file: int) -> tuple[dict[str, int], int]:
        """Where each app's task lies in the new file, and its end."""
        at, offsets = 0, dict[str, int]()
        for app, slot in self._slots.items():
            payload = os.pread(self._file, slot.size, slot.offset)
            frame = HEAD.pack(len(payload), zlib.crc32(payload)) + payload
            frame += (_frame(Finished(app)) if slot.finished else b"") + (_frame(Fought(app, slot.left)) if slot.left else b"")
            _write(file, frame, at)
            offsets[app] = at + HEAD.size
            at += len(frame)
        return offsets, at


def _frame(entry: Entry) -> bytes:
    payload = msgspec.msgpack.encode(entry)
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def _decode(payload: bytes) -> Entry:
    found: Entry = msgspec.msgpack.decode(payload, type=Kept | Finished | Fought | Dropped)
    return found


def _write(file: int, data: bytes, at: int) -> None:
    left = memoryview(data)
    while left:
        done = os.pwrite(file, left, at)
        left, at = left[done:], at + done


def _identity(path: pathlib.Path) -> str:
    """Who takes the lease from this folder: the same after a restart, so that it need not wait for its own lease to run out."""
    if not path.exists():
        path.write_text(f"{os.uname().nodename}-{uuid.uuid4().hex[:8]}")
    return path.read_text()
