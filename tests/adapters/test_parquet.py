"""Parquet files of the log are read by another reader, in groups, with types."""

import datetime as dt
import hashlib
import io
from collections.abc import Iterator

import pytest
from pyarrow import parquet as reader

from plane.adapters import parquet
from plane.domain import objects
from plane.domain.auditing import audit

COUNT = 25


def batches() -> Iterator[list[audit.Placed]]:
    for first in range(0, COUNT, 5):
        yield [placed(seq) for seq in range(first, first + 5)]


def placed(seq: int) -> audit.Placed:
    by = audit.By("01a1fdeb-1c13-7a73-85f1-76ab07c7be0e", "+ada", "user", ip="192.0.2.7")
    event = audit.Event(
        id=f"e{seq}", time=f"2026-01-01T10:00:{seq:02}.000001Z", type="app.created", actor=by, tenant="t", details={"n": seq}, message="=1"
    )
    kept, told = audit.apart(event, b"salt")
    return audit.Placed(seq, audit.leaf(kept), objects.canonical(kept), b"salt", told)


def test_a_file_has_typed_columns_and_groups_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP", 10)
    pieces = list(parquet.written(batches()))
    file = reader.ParquetFile(io.BytesIO(b"".join(pieces)))
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [10, 10, 5]
    assert len(pieces) == 4  # one with each group, and the end
    rows = file.read().to_pylist()
    assert [row["seq"] for row in rows] == list(range(COUNT))
    first = rows[0]
    assert first["time"] == dt.datetime(2026, 1, 1, 10, 0, 0, 1, tzinfo=dt.UTC)
    assert (first["actor"], first["ip"], first["message"], first["details"]) == ("+ada", "192.0.2.7", "=1", '{"n":0}')
    assert first["leaf"] == hashlib.sha256(b"\x00" + placed(0).body).digest()


def test_a_file_of_nothing_is_a_file() -> None:
    assert reader.ParquetFile(io.BytesIO(b"".join(parquet.written(iter(()))))).metadata.num_rows == 0
