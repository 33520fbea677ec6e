"""Journals: unfinished lines are no entries, and the table catches up with them."""

import csv
import pathlib

import pytest

from jaxsel.errors import UserError
from jaxsel.evaluation.picks import read_picks
from jaxsel.evaluation.rows import COLUMNS, read_results
from jaxsel.experiment import journal


def entry(seed: int, **changes: object) -> dict:
    return {
        "dataset": "digits",
        "features": "rgb",
        "framework": "linear_probe",
        "method": "norm",
        "budget": 10,
        "seed": seed,
        "accuracy": 1 / 3,
        "distinct_classes": 7,
        "select_seconds": 0.12345,
        "train_seconds": 2.0,
        "loss": float("nan"),
        **changes,
    }


def test_entries_come_back_without_an_unfinished_one(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "runs.jsonl"
    assert journal.read(path) == []
    journal.append(path, [{"a": 1}, {"b": [1.5, None]}])
    with path.open("a") as stream:
        stream.write('{"c": ')
    assert journal.read(path) == [{"a": 1}, {"b": [1.5, None]}]
    journal.append(path, [{"d": 2}])
    assert journal.read(path) == [{"a": 1}, {"b": [1.5, None]}, {"d": 2}]


def test_damage_in_a_whole_line_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text('{"a": 1}\n{"b"\n{"c": 1}\n')
    with pytest.raises(UserError, match=r"line 2 of .*runs\.jsonl.*restore"):
        journal.read(path)


def test_the_table_is_made_and_catches_up(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "results.csv"
    runs = [entry(seed) for seed in range(3)]
    journal.catch_up_results(path, [])
    assert path.read_text() == ",".join(COLUMNS) + "\n"
    journal.catch_up_results(path, runs[:1])
    journal.catch_up_results(path, runs)
    whole = path.read_bytes()
    assert [row.seed for row in read_results(path)] == [0, 1, 2]
    assert b"norm,10,0,0.333333,7,0.123,2.000\n" in whole
    journal.catch_up_results(path, runs)
    assert path.read_bytes() == whole
    # A kill in the middle of the table, anywhere: what is missing is written again.
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        journal.catch_up_results(path, runs)
        assert path.read_bytes() == whole


def test_a_row_without_an_entry_is_not_trusted(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "results.csv"
    journal.catch_up_results(path, [entry(0), entry(1)])
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"runs\.jsonl"):
        journal.catch_up_results(path, [entry(0)])
    assert path.read_bytes() == before


def test_selections_put_the_initial_pool_before_the_picks(
    tmp_path: pathlib.Path,
) -> None:
    picks = [
        {
            "method": "norm",
            "budget": 4,
            "seed": 1,
            "initial": [5, 2],
            "indices": [0, 3],
        }
    ]
    ids = ["a", "b,b", "c", "d", "e", "f"]
    path = tmp_path / "selections.csv"
    journal.write_selections(path, picks, ids, [0, 1, 2, 3, 4, 5])
    with path.open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["method", "budget", "seed", "rank", "index", "id", "label"]
    assert [row[3:] for row in rows] == [
        ["-2", "5", "f", "5"],
        ["-1", "2", "c", "2"],
        ["0", "0", "a", "0"],
        ["1", "3", "d", "3"],
    ]
    assert [pick.rank for pick in read_picks(path)] == [-2, -1, 0, 1]
