"""`jaxsel plan`, and `jaxsel select` where memory does not suffice."""

import json
import pathlib

import numpy as np
import pytest

from jaxsel.annotation.labels import LabelRow, write_labels
from jaxsel.planning.machine import Machine
from jaxsel.selection.methods import METHODS
from jaxsel.verbs import memory, plan
from tests.verbs.console import Run

HERE = Machine(2 << 30, 1e11, 1e10, 2, "cpu")


@pytest.fixture(autouse=True)
def a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of 2 GiB that is always the same."""
    monkeypatch.setattr(plan, "machine", lambda: HERE)


def test_a_pool_that_need_not_exist(run: Run) -> None:
    said = run("plan", "--rows", 1_000_000, "--dim", 256, "-b", 100)
    assert (said.code, said.err) == (0, "")
    head, titles, *rows, last = said.out.splitlines()
    assert head.startswith(
        "100 of 1,000,000 rows of 256 features (float32), on 2 cores"
    )
    assert "2.1 GB free, 100 GFLOP/s, 10 GB/s" in head
    assert titles.split() == ["method", "memory", "time", "fits?"]
    assert [row.split()[0] for row in rows] == list(METHODS)
    verdicts = {row.split()[0]: row.split()[5:] for row in rows}
    assert verdicts["norm"] == ["yes"]
    assert verdicts["typiclust"][0] == "no:" and verdicts["typiclust"][2:] == [
        "rows",
        "would",
    ]
    assert "factor" in last


def test_one_object_for_programs(run: Run) -> None:
    words = ("plan", "--rows", 1_000_000, "--dim", 256, "-b", 100, "--json")
    said = run(*words, "-m", "typiclust", "-m", "norm", "-m", "norm")
    norm, typiclust = said.found["methods"]
    assert (norm["method"], norm["fits"]) == ("norm", True)
    assert (typiclust["method"], typiclust["fits"]) == ("typiclust", False)
    assert sum(norm["parts"].values()) == norm["peak_bytes"] > norm["needed_bytes"]
    assert said.found["machine"] == json.loads(json.dumps(HERE._asdict()))
    assert said.code == 0 and run(*words, "-m", "typiclust").code == 1


def test_files_and_folders(
    run: Run, matrix: pathlib.Path, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    found = run("plan", matrix, "-b", 3, "--json").found
    assert (found["rows"], found["features"], found["mapped"]) == (30, 6, True)
    # Names only: the broken image counts as well.
    found = run("plan", folder, "-b", 3, "--encoder", "dino_vits16", "--json").found
    assert (found["rows"], found["features"], found["mapped"]) == (13, 384, True)
    # The broken one was tried and cannot be read; a batch of 64 is padded.
    assert found["encoding"]["sides"] == {"256": 12}
    assert found["encoding"]["unreadable"] == 1
    assert found["encoding"]["known"] is None
    assert found["encoding"]["network_seconds"] == round(64 * 9.2e9 / 0.35e11, 2)
    simclr = tmp_path / "simclr"
    simclr.mkdir()
    told = {"identity": {"settings": {"width": 16}}}
    (simclr / "manifest.json").write_text(json.dumps(told))
    words = ("plan", folder, "-b", 3, "--json", "--encoder", "simclr", "--weights")
    found = run(*words, simclr).found
    assert (found["features"], found["encoding"]["encoder"]) == (128, "simclr")
    assert run(*words, tmp_path / "none").code == 2


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("-b", 3), "expected a SOURCE, or --rows and --dim"),
        (("--rows", 5, "-b", 3), "expected a SOURCE, or --rows and --dim"),
        (("rows.npy", "--rows", 5, "-b", 3), "found both"),
        (("--rows", 5, "--dim", 2, "-b", 6), "expected at most 5 picks"),
        (("none.npy", "-b", 3), "found nothing"),
        (("--rows", 5, "--dim", 2, "-b", 2, "--encoder", "rgb"), "leave them out"),
        (("--rows", 5, "--dim", 2, "-b", 2, "--side", 8), "leave them out"),
    ],
)
def test_mistakes_get_one_line(run: Run, words: tuple, what: str) -> None:
    said = run("plan", *words)
    assert said.code == 2 and said.out == ""
    assert what in said.err and said.err.count("\n") == 1


def test_a_round_that_would_not_fit_is_refused_before_it_begins(
    run: Run,
    matrix: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 50 << 20)
    out = tmp_path / "out"
    words = ("select", matrix, "-b", 3, "-m", "gram_schmidt", "-o", out)
    said = run(*words)
    assert said.code == 2 and said.out == "" and not out.exists()
    # The doctor has not begun either.
    (line,) = said.err.splitlines()
    assert "of free memory for gram_schmidt on 30 rows of 6 features" in line
    assert "(random, norm)" in line and "--ignore-memory" in line
    words = ("select", matrix, "-b", 3, "-m", "norm", "-o", out)
    assert run(*words).code == 0
    picked = int(np.load(out / "picks.npy")[0])
    labels = tmp_path / "labels.csv"
    write_labels(labels, [LabelRow(str(picked), picked, "unusable")])
    monkeypatch.setattr(memory, "free_bytes", lambda: 0)
    again = ("backfill", out, "--labels", labels, "-o", tmp_path / "again")
    said = run(*again)
    assert said.code == 2 and "no method fits" in said.err
    assert run(*again, "--ignore-memory").code == 0


def test_a_long_choice_says_how_long_it_may_take(monkeypatch) -> None:
    from jaxsel.planning.machine import Machine
    from jaxsel.verbs import picking

    here = Machine(8 << 30, 1e11, 1e10, 2, "cpu")
    monkeypatch.setattr(picking, "machine", lambda: here)
    large = np.broadcast_to(np.float32(1), (1_000_000, 256))  # no memory behind it
    assert "by forecast" in picking._about("probcover", large, 100, 0, {})
    assert picking._about("random", large, 100, 0, {}) == ""
    monkeypatch.setattr(picking, "machine", None)  # small pools measure nothing
    assert picking._about("probcover", large[:1000], 100, 0, {}) == ""
