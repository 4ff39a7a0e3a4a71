"""What the agent notes while its disk takes nothing: kept as far as there is room, counted beyond."""

import asyncio
import contextlib
import pathlib
from collections.abc import Callable, Iterator

import aiohttp
import pytest

from plane.adapters import link
from plane.agent import diary
from plane.agent.kept import journal
from plane.wire import journal as wire
from tests.agent import test_journal
from tests.support import waiting

MOST, BEFORE, AFTER = 20, 25, 3


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(waiting.PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is watched rings no bell
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def occupied(place: pathlib.Path) -> Iterator[None]:
    """A file stands where a folder should be made."""
    place.touch()
    yield
    place.unlink()


async def fill(book: journal.Journal, place: pathlib.Path) -> None:
    """More than is kept, on a disk that takes nothing, then a little more, then room."""
    async with aiohttp.ClientSession() as session:
        written = diary.Diary(book, link.Plane(session, "https://plane.example", claim_wait_s=1))
        keeping = asyncio.create_task(written.keep())
        with occupied(place):
            for count in range(BEFORE):
                written.note(wire.PlaneFound(count))
            await until(lambda: written.trouble)
            for count in range(BEFORE, BEFORE + AFTER):
                written.note(wire.PlaneFound(count))
        await until(lambda: not written.trouble)
        keeping.cancel()


def test_every_fact_that_a_full_disk_cost_is_counted(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diary, "WAITING", MOST)
    monkeypatch.setattr(diary, "FULL_S", 0.05)
    book = test_journal.opened(tmp_path)
    asyncio.run(fill(book, tmp_path / "journal"))
    told = test_journal.facts(book)
    missed = sum(one.count for one in told if isinstance(one, wire.Missed))
    assert (missed, len([one for one in told if isinstance(one, wire.PlaneFound)])) == (BEFORE + AFTER - MOST, MOST)
