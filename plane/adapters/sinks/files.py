"""Files beside the plane's state, one per log; what is in them is an export that goes on."""

import os
import pathlib
from collections.abc import Mapping
from typing import BinaryIO

import msgspec

from plane.domain import errors
from plane.domain.auditing import audit_formats, sinks
from plane.domain.rendering import secrets

MARK = b'{"checkpoint":'
LOOK = 1 << 20  # bytes looked at from the end, and four times as many as long as there is no signed state among them


class FileSink:
    """Appends and flushes to the disk. What a process left that died in the middle is cut off, and what is there is not written again."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> None:  # noqa: ARG002 - a sink's
        """Rotated before it when the file is full."""
        assert spec.file  # noqa: S101 - this sink was chosen by it
        stem = batch.origin.replace("/", "-")
        path = self._folder / f"{stem}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            first = batch.start.size if batch.start else 0
            if path.exists() and path.stat().st_size >= spec.file.rotate_bytes and _end(path)[0] <= first:
                path.rename(self._folder / f"{stem}-until-{first:012d}.jsonl")
            with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                _append(file, batch)
            for old in sorted(self._folder.glob(f"{stem}-until-*.jsonl"))[: -spec.file.keep]:
                old.unlink()
        except OSError as e:
            raise errors.BackendDown("sink", f"{path}: cannot be written ({e.strerror})") from e


def _append(file: BinaryIO, batch: sinks.Batch) -> None:
    """The part of the batch that the file lacks, behind its last signed state."""
    size, whole = _last(file)
    if size >= batch.end.size:
        return
    file.truncate(whole)
    file.seek(whole)
    if size and batch.start and batch.start.size <= size:  # goes on where the file ends
        batch = msgspec.structs.replace(batch, start=None, rows=tuple(row for row in batch.rows if row.seq >= size))
    file.write(b"".join(audit_formats.proof_lines(batch)))
    file.flush()
    os.fsync(file.fileno())


def _end(path: pathlib.Path) -> tuple[int, int]:
    with path.open("rb") as file:
        return _last(file)


def _last(file: BinaryIO) -> tuple[int, int]:
    """The size that the last whole signed state signs, and where its line ends; (0, 0) without any."""
    end, look = file.seek(0, os.SEEK_END), LOOK
    while True:
        begin = max(0, end - look)
        file.seek(begin)
        text = file.read(end - begin)
        text = text[: text.rfind(b"\n") + 1]
        at = text.rfind(b"\n" + MARK) + 1 if b"\n" + MARK in text else 0
        if text.startswith(MARK, at):
            line = text[at : text.index(b"\n", at) + 1]
            return int(msgspec.json.decode(line)["checkpoint"]["size"]), begin + at + len(line)
        if begin == 0:
            return 0, 0
        look *= 4
