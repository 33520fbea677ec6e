"""`picks.csv`: what is written is read, and what is wrong is named."""

import csv
import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pool_of_five import PICKS

from jaxsel.annotation.picks import (
    COLUMNS,
    Pick,
    extended,
    parse_picks,
    picks_text,
    read_picks,
    write_picks,
)
from jaxsel.errors import UserError

NAMES = st.text(st.characters(), min_size=1, max_size=8)
ROWS = st.lists(
    st.tuples(
        NAMES,
        st.text(st.characters(), max_size=8),
        st.integers(0, 2**40),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.integers(0, 2**40),
    ),
    max_size=5,
    unique_by=(lambda row: row[0], lambda row: row[2]),
)
HEADER = ",".join(COLUMNS)


@given(ROWS)
def test_picks_come_back_exactly(rows: list[tuple]) -> None:
    picks = [Pick(rank, *row) for rank, row in enumerate(rows, start=1)]
    assert parse_picks(picks_text(picks), "f") == picks


def test_a_file_is_written_by_rank_and_read_by_rank(tmp_path: pathlib.Path) -> None:
    write_picks(tmp_path / "picks.csv", PICKS[::-1])
    assert read_picks(tmp_path / "picks.csv") == PICKS
    with (tmp_path / "picks.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["rank"] for row in csv.DictReader(stream)] == list("12345")


def test_what_a_spreadsheet_saves_is_read() -> None:
    saved = "\ufeff" + picks_text(PICKS).replace("\n", "\r\n") + "\r\n"
    assert parse_picks(saved.removeprefix("\ufeff"), "f") == PICKS


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "picks.csv"
    path.write_text(picks_text(PICKS), encoding="utf-8-sig")
    assert read_picks(path) == PICKS


def test_numbers_of_arrays_are_written_like_others() -> None:
    pick = Pick(
        np.int64(1), np.str_("a"), "", np.int32(3), np.float32(0.5), np.int64(2)
    )
    assert picks_text([pick]) == f"{HEADER}\n1,a,,3,0.5,2\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "line 1: expected the header rank,id"),
        ("1,a,,0,,1\n", "line 1: expected the header"),
        (f"{HEADER}\n1,a,,0,1\n", "line 2: expected 6 cells, found 5"),
        (f"{HEADER}\n1,a,,0,,1\n1,b,,1,,1\n", "line 3: expected each rank once"),
        (f"{HEADER}\n1,a,,0,,1\n2,a,,1,,1\n", "line 3: expected each id once"),
        (f"{HEADER}\n1,a,,0,,1\n2,b,,0,,1\n", "line 3: expected each index once"),
        (f"{HEADER}\n0,a,,0,,1\n", "line 2: expected rank at least 1"),
        (f"{HEADER}\n1,,,0,,1\n", "line 2, column id: expected text"),
        (f"{HEADER}\n1,',,0,,1\n", "line 2: expected id text"),
        (f"{HEADER}\n1,a,,-1,,1\n", "line 2: expected index at least 0"),
        (f"{HEADER}\n1,a,,1_0,,1\n", "column index: expected an integer"),
        (f"{HEADER}\n1,a,,0,nan,1\n", "column gain: expected a finite number"),
        (f"{HEADER}\n1,a,,0,,\n", "column represents: expected an integer"),
        (f"{HEADER}\n1,a\\q,,0,,1\n", "column id: expected text, .*write it twice"),
        (f'{HEADER}\n1,"a"b,,0,,1\n', "line 2: expected CSV"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(lines: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^here.csv, .*{message}"):
        parse_picks(lines, "here.csv")


def test_picks_that_could_not_be_read_are_not_written(tmp_path: pathlib.Path) -> None:
    for bad in (Pick(1, "a", "", 3, float("nan"), 1), PICKS[0]._replace(rank=2)):
        with pytest.raises(UserError):
            write_picks(tmp_path / "picks.csv", [bad, PICKS[1]])
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="expected picks in a readable UTF-8 file"):
        read_picks(tmp_path / "picks.csv")


def test_more_picks_go_on_where_the_first_ones_end() -> None:
    first, more = PICKS[:2], [PICKS[4], PICKS[2]]
    together = extended(first, more)
    assert together[:2] == first
    assert [(pick.rank, pick.id) for pick in together[2:]] == [
        (3, PICKS[2].id),
        (4, PICKS[4].id),
    ]
    with pytest.raises(UserError, match="expected each id once"):
        extended(first, [PICKS[1]])
