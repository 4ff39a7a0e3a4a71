"""Senders that are killed at one point of their work after another: every event arrives, in order, and a file is never torn."""

import datetime as dt
import json
import pathlib
import subprocess
import sys

import sqlalchemy as sa

from plane.server import context
from tests.server import test_send as sending
from tests.support import far_ends, verifying

STEP = 19  # points between two deaths: a third of a second each


def test_a_sender_killed_anywhere_loses_nothing_and_tears_no_file(
    plane: context.Plane, owner: sa.Engine, owner_url: str, database_url: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "otlp").mkdir()
    with far_ends.http_end(tmp_path / "otlp", dt.datetime.now(dt.UTC)) as end:
        sending.add(plane, owner, {"file": {}}, name="files")
        sending.add(plane, owner, {"otlp": {"url": f"https://localhost:{end.port}", "caPem": end.ca_pem}}, name="collector")
        for number in range(3):
            sending.write(plane, owner, 4, first=number * 4)
        command = [sys.executable, "-m", "tests.support.dying", database_url, owner_url, str(tmp_path / "audit"), str(STEP)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        received = [record for got in end.requests for record in records(got.body)]
    assert int(done.stdout) > 5
    [file] = (tmp_path / "audit").iterdir()
    lines = file.read_text().splitlines()
    assert verifying.verified(lines, part=True).findings == []
    places = [json.loads(line)["event"]["seq"] for line in lines if line.startswith('{"event"')]
    assert places == list(range(14))
    assert list(dict.fromkeys(received)) == list(range(14))  # again from where it had come, never out of order


def records(body: bytes) -> list[int]:
    told = json.loads(body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    return [int(attribute["value"]["stringValue"]) for one in told for attribute in one["attributes"] if attribute["key"] == "audit.seq"]
