"""Rows of the audit log as Parquet: typed columns, a group of rows at a time. Needs the extra `parquet`; nothing else imports this."""

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from plane.domain.auditing import audit, audit_formats

GROUP = 20_000  # rows of one group: what is held in memory, about twenty megabytes
_TYPES = {"seq": pa.int64(), "time": pa.timestamp("us", tz="UTC"), "leaf": pa.binary(32)}
SCHEMA = pa.schema([pa.field(name, _TYPES.get(name, pa.string()), nullable=False) for name in audit_formats.COLUMNS])


class _Passing(io.RawIOBase):
    """A file that keeps what was written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """Only that."""
        return True

    def write(self, piece: Any) -> int:  # noqa: ANN401 - any buffer
        """All of it."""
        self._pieces.append(bytes(piece))
        self._written += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        """Parquet's last bytes name the place of every group."""
        return self._written

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def written(batches: Iterator[Sequence[audit.Placed]]) -> Iterator[bytes]:
    """The file in pieces, in order; it is whole when the last has come, since what it holds is told at its end."""
    file = _Passing()
    with parquet.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for rows in _gathered(batches):
            writer.write_table(_table(rows), row_group_size=GROUP)
            yield file.taken()
    yield file.taken()


def _gathered(batches: Iterator[Sequence[audit.Placed]]) -> Iterator[list[audit.Placed]]:
    rows: list[audit.Placed] = []
    for batch in batches:
        rows += batch
        if len(rows) >= GROUP:
            yield rows
            rows = []
    if rows:
        yield rows


def _table(rows: Sequence[audit.Placed]) -> Any:  # noqa: ANN401 - pyarrow ships no types
    columns = zip(*map(_cells, rows), strict=True)
    return pa.Table.from_arrays([pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def _cells(row: audit.Placed) -> tuple[object, ...]:
    """In the order of audit_formats.COLUMNS."""
    shown = audit_formats.show(row)
    read, by = shown.read, shown.actor
    return (
        row.seq, dt.datetime.fromisoformat(read.time), read.type, read.stage, read.outcome, by.name, by.id, by.kind, by.ip, read.tenant,
        read.project, read.target, read.cluster, read.commit, read.release, read.correlation, read.request, read.message,
        bytes(read.details).decode(), read.id, row.leaf,
    )  # fmt: skip
