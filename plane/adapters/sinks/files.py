"""Files beside the plane's state, one per log; what is in them is an export that goes on."""

import os
import pathlib
from collections.abc import Mapping

from plane.domain import errors
from plane.domain.auditing import audit_formats, sinks
from plane.domain.rendering import secrets


class FileSink:
    """Appends and flushes to the disk. A batch that comes twice after a crash is there twice; its places say so."""

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
            if path.exists() and path.stat().st_size >= spec.file.rotate_bytes:
                path.rename(self._folder / f"{stem}-until-{first:012d}.jsonl")
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(b"".join(audit_formats.proof_lines(batch)))
                file.flush()
                os.fsync(file.fileno())
            for old in sorted(self._folder.glob(f"{stem}-until-*.jsonl"))[: -spec.file.keep]:
                old.unlink()
        except OSError as e:
            raise errors.BackendDown("sink", f"{path}: cannot be written ({e.strerror})") from e
