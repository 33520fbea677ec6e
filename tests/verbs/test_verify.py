"""`jaxsel verify`: a round picked again, and what it says when something changed."""

import pathlib

import numpy as np

from jaxsel.annotation.picks import read_picks, write_picks
from tests.verbs.console import Run, contents


def test_a_round_and_the_next_come_out_again(
    run: Run, matrix: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "known.txt").write_text("3\n4\n")
    (tmp_path / "never.txt").write_text("5\n")
    words = ("select", matrix, "-m", "norm", "--seed", 7)
    limits = ("--exclude", tmp_path / "never.txt", "--labelled", tmp_path / "known.txt")
    assert run(*words, "-b", 4, *limits, "-o", "one").code == 0
    again = ("select", matrix, "-b", 7, "--continue", "one", "-o", "two")
    assert run(*again).code == 0
    labels = tmp_path / "labels.csv"
    bad = read_picks(pathlib.Path("one/picks.csv"))[1]
    labels.write_text(f"id,index,label\n{bad.id},{bad.index},unusable\n")
    assert run("backfill", "one", "--labels", labels, "-o", "three").code == 0
    for name, added in (("one", 4), ("two", 3), ("three", 1)):
        before = contents(pathlib.Path(name))
        said = run("verify", name)
        assert said.code == 0, said.err
        assert said.out.startswith(f"the same {added} picks in the same order")
        assert contents(pathlib.Path(name)) == before


def test_other_picks_and_another_pool_are_told(run: Run, matrix: pathlib.Path) -> None:
    assert run("select", matrix, "-b", 4, "-m", "norm", "-o", "one").code == 0
    file = pathlib.Path("one/picks.csv")
    picks = read_picks(file)
    swapped = [picks[0], picks[2]._replace(rank=2), picks[1]._replace(rank=3), picks[3]]
    write_picks(file, swapped)
    said = run("verify", "one", "--json")
    assert said.code == 1 and (said.found["same"], said.found["picks"]) == (1, 4)
    said = run("verify", "one")
    assert f"{picks[2].id} was picked and {picks[1].id} comes out now" in said.out
    rows = np.load(matrix)
    rows[0, 0] += 1
    np.save(matrix, rows)
    said = run("verify", "one")
    assert said.code == 2 and "expected the pool of the round" in said.err
