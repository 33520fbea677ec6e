"""Reading results.csv and selections.csv: what is accepted, what is refused."""

import pytest

from jaxsel.errors import UserError
from jaxsel.evaluation.picks import PICK_COLUMNS, Pick, read_picks
from jaxsel.evaluation.rows import COLUMNS, ResultRow, csv_line, read_results

ROW = ResultRow("digits", "raw", "probe", "norm", 20, 0, 1 / 3, 7, 0.25, 1e-7)
PICK = Pick("norm", 20, 0, 0, 17, "a,b", 3)


def _file(tmp_path, *lines):
    path = tmp_path / "table.csv"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_the_columns_are_the_contract():
    assert ",".join(COLUMNS) == (
        "dataset,features,framework,method,budget,seed,accuracy,distinct_classes,"
        "select_seconds,train_seconds"
    )
    assert ",".join(PICK_COLUMNS) == "method,budget,seed,rank,index,id,label"


def test_what_is_written_is_read_back_bit_for_bit(tmp_path):
    rows = [ROW, ROW._replace(seed=1, dataset='a "b", é', accuracy=0.1 + 0.2)]
    path = _file(tmp_path, csv_line(COLUMNS), *map(csv_line, rows))
    assert read_results(path) == rows

    picks = [PICK, PICK._replace(rank=1, index=4)]
    path = _file(tmp_path, csv_line(PICK_COLUMNS), *map(csv_line, picks))
    assert read_picks(path) == picks
    assert type(read_picks(path)[0].label) is int


@pytest.mark.parametrize("kept", range(1, len(csv_line(ROW))))
def test_an_incomplete_last_line_is_ignored(tmp_path, kept):
    cut = csv_line(ROW._replace(seed=1))[:kept]
    cut = cut.removesuffix("\n")
    path = _file(tmp_path, csv_line(COLUMNS), csv_line(ROW), cut)
    assert read_results(path) == [ROW]


def test_a_file_without_even_a_header_holds_no_rows(tmp_path):
    assert read_results(_file(tmp_path)) == []
    assert read_results(_file(tmp_path, "dataset,feat")) == []
    assert read_results(_file(tmp_path, csv_line(COLUMNS))) == []


def test_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "table.csv"
    text = csv_line(COLUMNS) + csv_line(ROW)
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert read_results(path) == [ROW]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"accuracy": 54.3}, "accuracy a fraction"),
        ({"accuracy": float("nan")}, "column accuracy: expected a finite number"),
        ({"train_seconds": float("inf")}, "column train_seconds"),
        ({"select_seconds": -1.0}, "select_seconds at least 0"),
        ({"budget": 0}, "budget at least 1"),
        ({"budget": "1_0"}, "column budget: expected an integer"),
        ({"seed": " 1"}, "column seed: expected an integer"),
        ({"seed": 1.0}, "column seed: expected an integer, found '1.0'"),
        ({"method": ""}, "column method: expected text"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path, change, words):
    bad = csv_line(ROW._replace(**change))
    with pytest.raises(UserError, match=words):
        read_results(_file(tmp_path, csv_line(COLUMNS), bad))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a,b\n"], "expected the header dataset,.*found a,b"),
        ([csv_line(COLUMNS), csv_line(ROW[:-1])], "line 2: expected 10 cells, found 9"),
        ([csv_line(COLUMNS), "\n"], "expected 10 cells, found 0"),
        ([csv_line(COLUMNS), csv_line(ROW), csv_line(ROW)], "row 3: expected each run"),
        ([csv_line(COLUMNS), '"open\n'], "line 2: expected CSV"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, lines, words):
    with pytest.raises(UserError, match=words):
        read_results(_file(tmp_path, *lines))


def test_a_missing_or_binary_file_is_an_error_of_one_line(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv: expected a readable") as caught:
        read_results(tmp_path / "none.csv")
    assert "\n" not in str(caught.value)
    path = tmp_path / "binary.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="UTF-8"):
        read_results(path)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (PICK._replace(rank=1), "found index 17 again"),
        (PICK._replace(index=4), "found rank 0 again"),
        (PICK._replace(rank=1, index=-1), "at least 0"),
    ],
)
def test_a_run_that_picks_twice_is_refused(tmp_path, second, words):
    path = _file(tmp_path, csv_line(PICK_COLUMNS), *map(csv_line, [PICK, second]))
    with pytest.raises(UserError, match=words):
        read_picks(path)
