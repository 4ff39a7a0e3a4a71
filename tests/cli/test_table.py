from hypothesis import given
from hypothesis import strategies as st

from plane.cli import table

WIDTHS = st.lists(st.integers(0, 200), min_size=1, max_size=9)


@given(WIDTHS, st.integers(0, 300))
def test_columns_fit_or_are_as_small_as_they_get(widths: list[int], room: int) -> None:
    fitted = table.fit(widths, room)
    total = sum(fitted) + table.GAP * (len(fitted) - 1)
    assert total <= room or all(width <= table.SMALLEST for width in fitted)


@given(WIDTHS)
def test_columns_that_fit_are_left_alone(widths: list[int]) -> None:
    assert table.fit(widths, sum(widths) + table.GAP * len(widths)) == widths


def test_the_widest_column_gives_way() -> None:
    lines = table.lay(["NAME", "MESSAGE"], [["web", "everything is as Git wants it"]], room=20)
    assert lines == ["NAME  MESSAGE", "web   everything is…"]


def test_wide_characters_count_double() -> None:
    lines = table.lay(["A", "B"], [["日本", "x"], ["abcd", "y"]], room=0)
    assert lines == ["A     B", "日本  x", "abcd  y"]


def test_a_cell_cannot_drive_the_terminal() -> None:
    assert table.lay(["A"], [["a\x1b[2Jb\nc"]], room=0)[1] == "a\\x1b[2Jb c"


def test_a_wide_character_is_not_cut_in_two() -> None:
    assert table.cut("日本語", 4) == "日…"


def test_a_mark_that_joins_a_letter_takes_no_column() -> None:
    assert table.width("e\u0301") == 1


def test_known_states_are_coloured_and_the_gap_is_not() -> None:
    assert table.lay(["A", "B"], [["Degraded", "x"]], room=0, coloured=True)[1] == "\x1b[31mDegraded\x1b[0m  x"
