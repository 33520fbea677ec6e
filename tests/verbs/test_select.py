"""`jaxsel select` on features: what is kept, taken account of, and refused."""

import json
import pathlib

import numpy as np
import pytest

from jaxsel.annotation.picks import read_picks
from jaxsel.selection.api import select
from jaxsel.selection.choice import default_method
from tests.verbs.console import Run, contents


def indices(folder: pathlib.Path) -> list[int]:
    return np.load(folder / "picks.npy").tolist()


def test_picks_are_those_of_the_library(
    run: Run, matrix: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    words = ("select", matrix, "-b", 5, "-m", "norm", "--seed", 3, "-o", out, "--json")
    said = run(*words)
    assert (said.code, said.err) == (0, "")
    chosen = select(np.load(matrix), 5, "norm", seed=3)
    assert indices(out) == chosen.indices.tolist()
    picks = read_picks(out / "picks.csv")
    assert [pick.gain for pick in picks] == [float(gain) for gain in chosen.gains]
    assert [pick.path for pick in picks] == [""] * 5
    assert sum(pick.represents for pick in picks) == 30
    assert said.found["reason"] == "it was asked for"
    assert said.found["picks"][0]["index"] == indices(out)[0]


def test_ids_of_the_file_are_those_of_the_picks(
    run: Run, tmp_path: pathlib.Path
) -> None:
    names = np.array([f"scan {k}" for k in range(8)])[::-1]
    rows = np.random.default_rng(2).normal(size=(8, 3))
    np.savez(tmp_path / "own.npz", features=rows, ids=names)
    words = ("select", tmp_path / "own.npz", "-b", 3, "-m", "norm", "-o", "out")
    assert run(*words).code == 0
    for pick in read_picks(pathlib.Path("out/picks.csv")):
        assert pick.id == names[pick.index]


def test_without_a_method_one_is_chosen_and_the_reason_said(
    run: Run, folder: pathlib.Path
) -> None:
    # Pixels have learned nothing, which the reason says.
    said = run("select", folder, "-b", 3, "--encoder", "rgb", "--side", 4)
    assert said.code == 0, said.err
    assert said.out.startswith("typiclust: with few labels")
    assert "expect less" in said.out
    assert (pathlib.Path("picks") / "round.json").is_file()


def test_the_rule_by_budget_rows_and_features() -> None:
    for learned in (True, False):
        assert default_method(100, 5_000, learned).method == "typiclust"
        assert default_method(101, 5_000, learned).method == "probcover"
        assert default_method(101, 1_000_000, learned).method == "k_center"
    assert "expect less" in default_method(10, 5_000, False).reason


@pytest.mark.parametrize("kind", ["ids", "indices", "labels"])
def test_labelled_rows_are_never_picked(
    run: Run, matrix: pathlib.Path, tmp_path: pathlib.Path, kind: str
) -> None:
    known = [0, 3, 17]
    file = tmp_path / ("known.npy" if kind == "indices" else "known.csv")
    if kind == "indices":
        np.save(file, np.array(known))
    elif kind == "ids":
        file.write_text("0\n3\r\n\n17\n")
    else:
        file.write_text("id,index,label\n0,0,cat\n3,3,unusable\n17,17,dog\n")
    words = ("select", matrix, "-m", "random", "--labelled", file, "-b")
    assert run(*words, 27, "-o", "out").code == 0
    assert sorted(indices(pathlib.Path("out"))) == sorted(set(range(30)) - set(known))
    options = json.loads(pathlib.Path("out/round.json").read_text())["options"]
    bad = [3] if kind == "labels" else []
    assert options["unusable"] == bad
    assert options["labelled"] == [row for row in known if row not in bad]
    said = run(*words, 28, "-o", "more")
    assert said.code == 2 and "at most 27" in said.err
    assert not pathlib.Path("more").exists()


def test_unusable_rows_do_not_count_as_labelled(
    run: Run,
    matrix: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def watched(rows: np.ndarray, *words: object, labelled: np.ndarray, **more: object):
        seen.append((rows, np.flatnonzero(labelled).tolist()))
        return select(rows, *words, labelled=labelled, **more)

    monkeypatch.setattr("jaxsel.verbs.picking.select", watched)
    file = tmp_path / "labels.csv"
    file.write_text("id,index,label\n2,2,unusable\n5,5,cat\n")
    words = ("-b", 3, "-m", "random", "--labelled", file)
    assert run("select", matrix, *words).code == 0
    ((rows, labelled),) = seen
    # Without row 2, what was row 5 is row 4.
    np.testing.assert_array_equal(rows, np.delete(np.load(matrix), 2, axis=0))
    assert labelled == [4]
    assert not {2, 5} & set(indices(pathlib.Path("picks")))


def test_nested_budgets_keep_what_was_picked(run: Run, matrix: pathlib.Path) -> None:
    assert run("select", matrix, "-b", 4, "-m", "norm", "-o", "a").code == 0
    said = run("select", matrix, "-b", 9, "--continue", "a", "-o", "b")
    assert said.code == 0, said.err
    first, second = indices(pathlib.Path("a")), indices(pathlib.Path("b"))
    assert second[:4] == first and len(set(second)) == 9
    said = run("select", matrix, "-b", 2, "--continue", "b", "-o", "c")
    assert said.code == 0, said.err
    assert indices(pathlib.Path("c")) == first[:2]


def test_another_pool_is_no_continuation(
    run: Run, matrix: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert run("select", matrix, "-b", 4, "-m", "norm", "-o", "a").code == 0
    np.save(tmp_path / "other.npy", np.load(matrix) + 1)
    said = run("select", tmp_path / "other.npy", "-b", 6, "--continue", "a", "-o", "b")
    assert said.code == 2 and "pool of the earlier round" in said.err
    assert not pathlib.Path("b").exists()


def test_a_folder_is_never_overwritten_unasked(run: Run, matrix: pathlib.Path) -> None:
    out = pathlib.Path("out")
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    words = ("select", matrix, "-b", 2, "-m", "norm", "-o", out)
    said = run(*words)
    assert said.code == 2 and "--force" in said.err
    assert contents(out) == {"mine.txt": b"mine"}
    assert run(*words, "--force").code == 0
    assert contents(out)["mine.txt"] == b"mine"
    assert set(contents(out)) == {
        "mine.txt", "picks.csv", "picks.npy", "assignments.parquet", "coverage.csv",
        "report.html", "round.json", "manifest.json",
    }  # fmt: skip


def test_errors_in_the_features_stop_it(run: Run, tmp_path: pathlib.Path) -> None:
    rows = np.ones((5, 2))
    rows[3, 1] = np.nan
    np.save(tmp_path / "bad.npy", rows)
    said = run("select", tmp_path / "bad.npy", "-b", 2, "--json", "-o", "out")
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1 and "NaN" in said.err
    assert not pathlib.Path("out").exists()


MISTAKES = [
    (("select", "{matrix}"), "-b"),
    (("select", "{matrix}", "-b", 0), "0"),
    (("select", "{matrix}", "-b", 31), "at most 30 picks"),
    (("select", "{matrix}", "-b", 2, "-m", "best"), "gram_schmidt"),
    (("select", "nothing.npy", "-b", 2), "found nothing"),
    (("select", "{matrix}", "-b", 2, "--encoder", "rgb"), "leave --encoder"),
    (("select", "{folder}", "-b", 2, "--encoder", "simclr"), "--weights FOLDER"),
    (("select", "{folder}", "-b", 2, "--encoder", "rgb", "--weights", "w"), "dino"),
    (("select", "{folder}", "-b", 2, "--strict"), "broken.png"),
    (("select", "{matrix}", "-b", 2, "--labelled", "none.csv"), "none.csv"),
    (("select", "{matrix}", "-b", 2, "--labelled", "{strange}"), "x'"),
    (("select", "{matrix}", "-b", 2, "--continue", "{folder}"), "round.json"),
    (("select", "{matrix}", "-b", 2, "-o", "{matrix}"), "found a file"),
    (("export", "none", "--to", "csv", "-o", "o"), "none"),
    (("export", "{folder}", "--to", "paper", "-o", "o"), "label-studio"),
    (("import", "none", "--from", "csv", "--picks", "none"), "none"),
    (("backfill", "{folder}", "--labels", "{strange}"), "round.json"),
    (("backfill", "{folder}", "--labels", "l"), "nothing at l"),
]


@pytest.mark.parametrize("words, message", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(
    run: Run,
    matrix: pathlib.Path,
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
    words: tuple,
    message: str,
) -> None:
    strange = tmp_path / "strange.txt"
    strange.write_text("0\nx'\n")
    named = {"matrix": matrix, "folder": folder, "strange": strange}
    said = run(*(str(word).format(**named) for word in words))
    assert (said.code, said.out) == (2, "")
    last = said.err.rstrip("\n").split("\n")[-1]
    assert last.startswith("jaxsel: ") and message in last
    assert list(pathlib.Path().iterdir()) == []
