"""CSV of events is what the library's writer would make of the same cells, whatever stands in them."""

import csv
import io

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import objects
from plane.domain.auditing import audit, audit_formats

CELLS = st.text(st.sampled_from("\",\r\n='a ä{}"), max_size=12)
EVENT = audit.Event(
    id="01900000-0000-7000-8000-000000000001",
    time="2026-01-01T10:00:00.000000Z",
    type="app.updated",
    actor=audit.By("01900000-0000-7000-8000-000000000002"),
    tenant="00000000-0000-7000-8000-00000000acfe",
)


@given(CELLS, CELLS, st.dictionaries(CELLS, CELLS, max_size=2))
def test_any_text_is_quoted_as_the_library_does_it(message: str, kind: str, told: dict[str, str]) -> None:
    event = msgspec.structs.replace(EVENT, message=message, actor=msgspec.structs.replace(EVENT.actor, kind=kind), details=told)
    body = objects.canonical(event)
    written = audit_formats.csv_lines([audit.Placed(7, audit.leaf_of(body), body)]).decode()
    [cells] = csv.reader(io.StringIO(written, newline=""))
    again = io.StringIO()
    csv.writer(again, lineterminator="\r\n").writerow(cells)
    assert again.getvalue() == written
    found = dict(zip(audit_formats.COLUMNS, cells, strict=True))
    assert (found["actor_kind"], found["message"].removeprefix("'")) == (kind, message.removeprefix("'"))
    assert not found["message"].startswith(audit_formats.FORMULA)
    assert msgspec.json.decode(found["details"] or b"{}") == told
