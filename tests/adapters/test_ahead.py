"""Pieces are made while others travel: the same ones, two at a time, and none after their reader has gone."""

import threading
from collections.abc import Iterator

import pytest

from plane.adapters import ahead
from tests.support import waiting


def test_pieces_come_in_order_and_end() -> None:
    assert list(ahead.ahead(iter(range(50)))) == list(range(50))


def test_the_next_piece_is_made_before_it_is_asked_for_and_no_further_one() -> None:
    made, second = [], threading.Event()

    def pieces() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    reader = ahead.ahead(pieces())
    assert next(reader) == 0
    assert second.wait(waiting.PATIENCE_S)
    reader.close()  # type: ignore[attr-defined]  # it is a generator
    assert made in ([0, 1], [0, 1, 2])


def test_what_went_wrong_is_told_in_its_place() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        message = "the database is away"
        raise RuntimeError(message)

    reader = ahead.ahead(pieces())
    assert next(reader) == 1
    with pytest.raises(RuntimeError, match="the database is away"):
        next(reader)
