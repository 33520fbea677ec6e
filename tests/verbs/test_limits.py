"""Constraints and method options of `jaxsel select`; later rounds keep them."""

import csv
import json
import pathlib

import numpy as np
import pytest

from jaxsel.annotation.picks import read_picks
from tests.verbs.console import Run

N = 30
PATIENT = [f"p{row // 3}" for row in range(N)]
SITE = ["north" if row % 2 else "south" for row in range(N)]
MINUTES = [1 + row % 4 for row in range(N)]


@pytest.fixture
def table(tmp_path: pathlib.Path) -> pathlib.Path:
    """Patients of three rows, two sites, minutes; a row that no pool has; shuffled."""
    rows = [(str(k), PATIENT[k], SITE[k], MINUTES[k]) for k in range(N)]
    rows = [("no such row", "p0", "north", 1), *rows[::-1]]
    file = tmp_path / "table.csv"
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([("id", "patient", "site", "minutes"), *rows])
    return file


def picked(folder: pathlib.Path) -> list[int]:
    return [pick.index for pick in read_picks(folder / "picks.csv")]


def test_limits_hold_over_rounds(
    run: Run, matrix: pathlib.Path, table: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    (tmp_path / "must.txt").write_text("29\n")
    (tmp_path / "never.txt").write_text("0\n1\n2\n")
    limits = (
        "--table", table, "--groups", "patient", "--max-per-group", 1,
        "--strata", "site", "--quota", "north=4", "--include", tmp_path / "must.txt",
        "--exclude", tmp_path / "never.txt",
    )  # fmt: skip
    said = run("select", matrix, "-b", 5, "-m", "norm", *limits, "-o", one, "--json")
    assert said.code == 0, said.err
    assert said.found["constraints"]["included"] == 1
    first = picked(one)
    assert first[0] == 29 and not {0, 1, 2} & set(first)
    assert len({PATIENT[row] for row in first}) == 5
    assert sum(SITE[row] == "north" for row in first) >= 4
    told = json.loads((one / "manifest.json").read_text())["constraints"]
    assert told["groups"] == "at most 1 label for each patient"
    assert told["quotas"] == "at least, by site: north 4"

    # The next round keeps the limits, and so does a backfill.
    said = run("select", matrix, "-b", 8, "--continue", one, "-o", two)
    assert said.code == 0, said.err
    assert picked(two)[:5] == first
    assert len({PATIENT[row] for row in picked(two)}) == 8
    labels = tmp_path / "labels.csv"
    labels.write_text(f"id,index,label\n{first[1]},{first[1]},unusable\n")
    assert run("backfill", one, "--labels", labels, "-o", three).code == 0
    usable = set(picked(three)) - {first[1]}
    assert len(usable) == len({PATIENT[row] for row in usable}) == 5
    # Nine patients are left, the tenth is excluded.
    said = run("select", matrix, "-b", 10, "--continue", two, "-o", tmp_path / "four")
    assert said.code == 2 and "per-group and the budget conflict" in said.err


def test_money_is_of_all_rounds_together(
    run: Run, matrix: pathlib.Path, table: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ("select", matrix, "-m", "norm", "--table", table, "--cost", "minutes")
    said = run(*words, "--funds", 12, "-o", "one")
    assert said.code == 0, said.err
    first = picked(pathlib.Path("one"))
    spent = sum(MINUTES[row] for row in first)
    # Nothing that is left can be paid for, and the budget is what was bought.
    left = min(MINUTES[row] for row in range(N) if row not in first)
    assert spent <= 12 < spent + left
    assert f"for {spent} of the funds" in said.out
    one = json.loads(pathlib.Path("one/round.json").read_text())
    assert one["budget"] == len(first)
    said = run(*words, "--funds", 20, "--continue", "one", "-o", "two", "--json")
    assert said.code == 0, said.err
    both = picked(pathlib.Path("two"))
    assert both[: len(first)] == first and len(both) > len(first)
    assert 16 < sum(MINUTES[row] for row in both) <= 20
    again = run(*words, "--funds", 12, "--continue", "two", "-o", "three")
    assert again.code == 2 and "funds of all rounds together" in again.err


def test_a_folder_is_a_group_of_its_own(run: Run, folder: pathlib.Path) -> None:
    words = ("select", folder, "-m", "norm", "--encoder", "rgb", "--side", 4)
    limits = ("--groups", "folder", "--max-per-group", 1)
    assert run(*words, *limits, "-b", 4, "-o", "out").code == 0
    picks = read_picks(pathlib.Path("out/picks.csv"))
    # The folders of the twelve images: the top, größe, deep, deep/er.
    assert {pick.id.rpartition("/")[0] for pick in picks} == {
        "", "größe", "deep", "deep/er",
    }  # fmt: skip
    said = run(*words, *limits, "-b", 5, "-o", "more")
    assert said.code == 2 and "4 groups have room for 4" in said.err.replace("the ", "")


def test_options_of_the_method(run: Run, matrix: pathlib.Path) -> None:
    words = ("select", matrix, "-b", 3, "-m", "norm")
    assert run(*words, "-O", "deterministic=true", "-o", "out").code == 0
    norms = np.linalg.norm(np.load(matrix), axis=1)
    assert picked(pathlib.Path("out")) == np.argsort(-norms)[:3].tolist()
    # A later round goes on with them.
    assert run("select", matrix, "-b", 5, "--continue", "out", "-o", "next").code == 0
    assert picked(pathlib.Path("next")) == np.argsort(-norms)[:5].tolist()
    for option, message in (
        ("colour=3", "its options: norm_ord"),
        ("norm_ord=7", "must be one of 1, 2, inf"),
        ("tie", "expected -O NAME=VALUE"),
    ):
        said = run(*words, "-O", option, "-o", "other")
        assert said.code == 2 and message in said.err
    said = run("select", matrix, "-b", 3, "-O", "tie=random", "-o", "other")
    assert said.code == 2 and "expected -m METHOD with -O" in said.err


MISTAKES = {
    "--groups and --max-per-group together": ("--groups", "patient"),
    "--cost and --funds together": ("-b", 2, "--funds", 3),
    "expected --table FILE.csv with the column 'site'": (
        "--strata", "site", "--quota", "north=1",
    ),
    "expected the column 'age'": (
        "--table", "TABLE", "--groups", "age", "--max-per-group", 1,
    ),
    "quotas names 'west', which no row has": (
        "--table", "TABLE", "--strata", "site", "--quota", "west=1",
    ),
    "expected --quota NAME=NUMBER": (
        "--table", "TABLE", "--strata", "site", "--quota", "north",
    ),
    "costs above 0 in column 'site'": (
        "--table", "TABLE", "--cost", "site", "--funds", 3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_and_nothing_is_written(
    run: Run, matrix: pathlib.Path, table: pathlib.Path, mistake: str
) -> None:
    words = [table if word == "TABLE" else word for word in MISTAKES[mistake]]
    said = run("select", matrix, "-b", 2, "-m", "norm", *words, "-o", "out")
    assert said.code == 2 and mistake in said.err
    assert not pathlib.Path("out").exists()


def test_a_table_must_speak_of_every_row(
    run: Run, matrix: pathlib.Path, table: pathlib.Path
) -> None:
    words = ("select", matrix, "-b", 2, "-m", "norm", "--table", table, "-o", "out")
    limits = ("--groups", "patient", "--max-per-group", 1)
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-1]) + "\n")  # without row 0
    said = run(*words, *limits)
    assert said.code == 2 and "found none for 1 of 30 (first: '0')" in said.err
    table.write_text("\n".join([*lines, lines[-1]]) + "\n")
    said = run(*words, *limits)
    assert said.code == 2 and "expected each id once, found '0' again" in said.err
    said = run("select", matrix, "-o", "out")
    assert said.code == 2 and "expected -b" in said.err


def test_later_rounds_add_to_the_limits(
    run: Run, matrix: pathlib.Path, table: pathlib.Path
) -> None:
    words = ("select", matrix, "-m", "norm", "--table", table)
    limits = ("--groups", "patient", "--max-per-group", 1)
    assert run(*words, *limits, "-b", 3, "-o", "one").code == 0
    more = ("--continue", "one", "--min-distance", "0.01")
    assert run(*words, *more, "-b", 6, "-o", "two").code == 0
    assert len({PATIENT[row] for row in picked(pathlib.Path("two"))}) == 6
    said = run(*words, *more, "--drop-limits", "-b", 11, "-o", "three")
    assert said.code == 0, said.err
    told = json.loads(pathlib.Path("three/round.json").read_text())["options"]
    assert not told["limits"]["groups"] and told["limits"]["min_distance"] == 0.01


def test_an_included_row_that_is_unusable_is_not_asked_for_again(
    run: Run, matrix: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "must.txt").write_text("5\n6\n")
    words = (
        "select",
        matrix,
        "-b",
        3,
        "-m",
        "norm",
        "--include",
        tmp_path / "must.txt",
    )
    assert run(*words, "-o", "one").code == 0
    labels = tmp_path / "labels.csv"
    labels.write_text("id,index,label\n5,5,unusable\n")
    said = run("backfill", "one", "--labels", labels, "-o", "two")
    assert said.code == 0, said.err
    assert picked(pathlib.Path("two"))[:2] == [5, 6]
    assert run("verify", "two").code == 0
    said = run("select", matrix, "-b", 4, "--continue", "two", "-o", "three")
    assert said.code == 0, said.err
    assert len(set(picked(pathlib.Path("three"))) - {5}) == 4


def test_rounds_that_money_ended_verify(
    run: Run, matrix: pathlib.Path, table: pathlib.Path
) -> None:
    words = ("select", matrix, "-m", "typiclust", "--table", table, "--cost", "minutes")
    assert run(*words, "-b", 12, "--funds", 9, "-o", "one").code == 0
    assert len(picked(pathlib.Path("one"))) < 12
    assert run("verify", "one").code == 0
    table.write_text(table.read_text().replace(",north,", ",south,"))
    assert run("verify", "one").code == 0  # another column
    lines = table.read_text().splitlines()
    table.write_text(
        "\n".join(line + "0" for line in lines).replace("minutes0", "minutes")
    )
    said = run("verify", "one")
    assert said.code == 2 and "found others" in said.err


def test_funds_alone_are_a_budget(
    run: Run, matrix: pathlib.Path, table: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    words = ("select", matrix, "-m", "norm", "--table", table, "--cost", "minutes")
    limits = ("--groups", "patient", "--max-per-group", 2)
    (tmp_path / "known.txt").write_text("0\n1\n2\n")
    known = ("--labelled", tmp_path / "known.txt")
    said = run(*words, *limits, *known, "--funds", 1000, "-o", "one")
    assert said.code == 0, said.err
    assert len(picked(pathlib.Path("one"))) == 18  # two of each other patient
    said = run(*words, "--funds", 0.5, "-o", "two")
    assert said.code == 2 and "the cheapest row that is left costs 1" in said.err


def test_the_same_method_asked_for_keeps_its_options(
    run: Run, matrix: pathlib.Path
) -> None:
    words = ("select", matrix, "-m", "norm")
    assert run(*words, "-b", 2, "-O", "deterministic=true", "-o", "one").code == 0
    assert run(*words, "-b", 4, "--continue", "one", "-o", "two").code == 0
    norms = np.linalg.norm(np.load(matrix), axis=1)
    assert picked(pathlib.Path("two")) == np.argsort(-norms)[:4].tolist()
    said = run("stream", matrix, "-b", 2, "-m", "norm", "--force", "-o", "two")
    assert said.code == 2 and "a round of jaxsel select" in said.err
