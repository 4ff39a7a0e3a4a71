"""The agent's own record on its disk: only appended to, chained by hashes, signed, and bounded.

A journal is a folder of segments; a segment is a file of frames, each length, CRC-32 and msgpack. Frames are written whole and synced; one
torn by a crash ends its segment. A journal that the plane takes no more of is left for a new one, which names it.
"""

import contextlib
import os
import pathlib
import shutil
import struct
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence

import msgspec

from plane.wire import journal as wire

HEAD = struct.Struct(">II")
SEGMENT_BYTES = 1024 * 1024
MOST_SEGMENTS = 32  # the oldest go, whether the plane has them or not
SENT_SEGMENTS = 4  # kept to be read on the spot though the plane has them
MOST_ENTRIES = 500  # what one signature is for
ALL = 1 << 62
FRESH = "fresh"  # a journal in the making; what is left of one is nobody's

_ENCODE = msgspec.msgpack.Encoder().encode
_FRAME = msgspec.msgpack.Decoder(wire.Frame)
_ENTRY = msgspec.msgpack.Decoder(wire.Entry)
_BEGAN = time.monotonic()


class Noted(msgspec.Struct, frozen=True):
    """A fact with its times, before it has its place."""

    at: float
    up_s: float
    fact: wire.Fact


class Segment(msgspec.Struct):
    """A file of frames, by the place of its first entry; what lies behind `size` does not count."""

    first: int
    path: pathlib.Path
    size: int = 0


class End(msgspec.Struct, frozen=True):
    """Where a chain ends: the last place and the hash there."""

    last: int
    hash: bytes


class _Cursor(msgspec.Struct, frozen=True):
    """Where the last reading ended, so that the next one need not look for it."""

    seq: int
    path: pathlib.Path
    offset: int


def noted(fact: wire.Fact) -> Noted:
    """A fact of this moment."""
    return Noted(time.time(), time.monotonic() - _BEGAN, fact)


class Journal:
    """An open journal; one per folder and process. `disk` names the folder, `seal` gives the keys of the moment.

    `clean`: whether its last word, when it was opened, was that the agent had been stopped; a new one has none.
    """

    def __init__(self, folder: pathlib.Path, disk: str, seal: Callable[[], wire.Seal]) -> None:
        self._folder, self._disk, self._seal = folder, disk, seal
        self._turn = threading.Lock()  # `add` runs in a thread beside the event loop's reads
        self._cursor: _Cursor | None = None
        self.id, self._segments, self.end, self.clean = "", list[Segment](), End(0, b""), True
        shutil.rmtree(folder / FRESH, ignore_errors=True)
        for path in sorted(folder.glob("*"), reverse=True):
            if self._open(path):
                break

    def add(self, facts: Sequence[Noted]) -> int:
        """Write facts; on disk when this returns, OSError when there is no room. Blocking: run it in a thread.

        Returns the place of the first of them.
        """
        with self._turn:
            if not self.id:
                self._begin([noted(wire.Begun(self._disk))])
            first = self.end.last + 1
            for start in range(0, len(facts), MOST_ENTRIES):
                self._write(facts[start : start + MOST_ENTRIES])
            return first

    def begin(self, known: wire.Known, reason: str) -> None:
        """Leave this journal for a new one, together with what the plane does not know of it; OSError when there is no room."""
        left = [_ENTRY.decode(entry) for frame in self.after(known.seq, most_bytes=ALL) for entry in frame.entries]
        unknown = [Noted(one.at, one.up_s, one.fact) for one in left if one.seq > known.seq]
        with self._turn:
            self._begin([noted(wire.Begun(self._disk, self.id, self.end.last, reason)), *unknown])

    def after(self, seq: int, *, most_bytes: int = SEGMENT_BYTES) -> tuple[wire.Frame, ...]:
        """The frames that hold what comes after a place, the oldest first; no more once they are so large together."""
        found, size = [], 0
        with self._turn:
            for frame, length in self._frames(seq):
                found.append(frame)
                size += length
                if size >= most_bytes:
                    break
        return tuple(found)

    def agrees(self, known: wire.Known) -> bool:
        """Whether what the plane knows is what stands here; what was let go of counts as the same."""
        if known.seq == 0 or known.seq >= self.end.last:
            return known.seq == 0 or End(known.seq, known.hash) == self.end
        following = self.after(known.seq, most_bytes=1)
        return (
            not following or following[0].first > known.seq + 1 or (following[0].first, following[0].before) == (known.seq + 1, known.hash)
        )

    def sent(self, seq: int) -> None:
        """The plane knows all up to this place: let go of old segments."""
        with self._turn:
            known = sum(following.first <= seq + 1 for following in self._segments[1:])
            for _ in range(known - SENT_SEGMENTS):
                self._drop_oldest()

    def _open(self, folder: pathlib.Path) -> bool:
        """Take a folder up; False when there is no whole frame in it."""
        for path in sorted(folder.glob("*"), reverse=True):
            frames = list(_scan(path.read_bytes()))
            if frames:
                newest, size = frames[-1]
                os.truncate(path, size)
                self._segments = [Segment(int(one.name), one, one.stat().st_size) for one in sorted(folder.glob("*"))]
                self.id, self.end = folder.name, _end(newest)
                self.clean = isinstance(_ENTRY.decode(newest.entries[-1]).fact, wire.Stopped)
                return True
            path.unlink()
        folder.rmdir()
        return False

    def _begin(self, facts: Sequence[Noted]) -> None:
        """A new journal is there with all of its first entries, or not at all."""
        fresh = self._folder / FRESH
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        name = f"{int(self.id.partition('-')[0] or 0) + 1:06d}-{uuid.uuid4().hex[:16]}"
        frames, end = [], End(0, wire.origin(name))
        for start in range(0, len(facts), MOST_ENTRIES):
            frames.append(self._frame(name, end, facts[start : start + MOST_ENTRIES]))
            end = _end(frames[-1])
        text = b"".join(map(_packed, frames))
        _append(fresh / _file(1), 0, text)
        before, path = self._folder / self.id, self._folder / name
        fresh.rename(path)
        _sync(self._folder)
        self.id, self.end, self._segments = name, end, [Segment(1, path / _file(1), len(text))]
        for old in self._folder.iterdir():
            if old not in {before, path}:
                shutil.rmtree(old, ignore_errors=True)

    def _write(self, facts: Sequence[Noted]) -> None:
        frame = self._frame(self.id, self.end, facts)
        text, segment = _packed(frame), self._segments[-1]
        fresh = segment.size >= SEGMENT_BYTES
        if fresh:
            segment = Segment(frame.first, segment.path.with_name(_file(frame.first)))
        _append(segment.path, segment.size, text)
        if fresh:
            _sync(segment.path.parent)
            self._segments.append(segment)
        segment.size += len(text)
        self.end = _end(frame)
        if len(self._segments) > MOST_SEGMENTS:
            self._drop_oldest()

    def _frame(self, name: str, end: End, facts: Sequence[Noted]) -> wire.Frame:
        entries = tuple(_ENCODE(wire.Entry(end.last + n, one.at, one.up_s, one.fact)) for n, one in enumerate(facts, 1))
        seal, last = self._seal(), end.last + len(entries)
        signature = seal.sign(name, last, wire.chain(end.hash, entries))
        return wire.Frame(first=end.last + 1, before=end.hash, entries=entries, generation=seal.generation, signature=signature)

    def _frames(self, seq: int) -> Iterator[tuple[wire.Frame, int]]:
        """With their sizes."""
        cursor = self._cursor if self._cursor and self._cursor.seq == seq else None
        start = max((n for n, one in enumerate(self._segments) if one.first <= seq + 1), default=0)
        for segment in self._segments[start:]:
            skipped = cursor.offset if cursor and cursor.path == segment.path else 0
            text, before = segment.path.read_bytes()[: segment.size], skipped
            for frame, end in _scan(text, skipped):
                if frame.last > seq:
                    self._cursor = _Cursor(frame.last, segment.path, end)
                    yield frame, end - before
                before = end

    def _drop_oldest(self) -> None:
        gone = self._segments.pop(0)
        with contextlib.suppress(OSError):
            gone.path.unlink()


def _scan(text: bytes, offset: int = 0) -> Iterator[tuple[wire.Frame, int]]:
    """Whole frames, each with where it ends."""
    while offset + HEAD.size <= len(text):
        length, crc = HEAD.unpack_from(text, offset)
        payload = text[offset + HEAD.size : offset + HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload) != crc:
            return
        offset += HEAD.size + length
        yield _FRAME.decode(payload), offset


def _packed(frame: wire.Frame) -> bytes:
    payload = _ENCODE(frame)
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def _end(frame: wire.Frame) -> End:
    return End(frame.last, wire.chain(frame.before, frame.entries))


def _file(first: int) -> str:
    return f"{first:020d}"


def _append(path: pathlib.Path, at: int, text: bytes) -> None:
    """On disk when this returns; what an error leaves behind `at` is cut off."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        left, here = memoryview(text), at
        while left:
            done = os.pwrite(file, left, here)
            left, here = left[done:], here + done
        os.fsync(file)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file, at)
        raise
    finally:
        os.close(file)


def _sync(folder: pathlib.Path) -> None:
    """Let a new name in the folder outlive a loss of power."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
