"""Rows that are not finite, left out of a round and of those that go on from it."""

import json
import pathlib

import numpy as np
import pytest

import jaxsel
from jaxsel.selection.dropping import DroppedRowsWarning
from tests.verbs.console import Run

BAD = [4, 17]


@pytest.fixture
def spoilt(matrix: pathlib.Path) -> pathlib.Path:
    rows = np.load(matrix)
    rows[BAD, [0, 2]] = [np.nan, -np.inf]
    np.save(matrix, rows)
    return matrix


def test_the_rest_is_picked_from_in_this_round_and_the_next(
    run: Run, spoilt: pathlib.Path
) -> None:
    words = ("select", spoilt, "-b", 6, "-m", "norm", "-o", "one")
    said = run(*words)
    assert said.code == 2 and "--drop-bad" in said.err and "2 of 30" in said.err

    said = run(*words, "--drop-bad", "--json")
    assert said.code == 0, said.err
    assert said.found["dropped"] == BAD
    assert "2 of 30 rows are not finite and are left out" in str(said.found["findings"])
    rows, fine = np.load(spoilt), np.delete(np.arange(30), BAD)
    want = fine[jaxsel.select(rows[fine], 6, "norm").indices].tolist()
    assert np.load("one/picks.npy").tolist() == want
    told = json.loads(pathlib.Path("one/manifest.json").read_text())
    assert told["dropped"] == BAD
    assert sum(pick["represents"] for pick in said.found["picks"]) == 28

    pq = pytest.importorskip("pyarrow.parquet")
    table = pq.read_table("one/assignments.parquet").to_pydict()
    nobody = [row for row, pick in enumerate(table["pick_id"]) if pick is None]
    assert nobody == BAD and table["distance"][4] is None

    assert run("verify", "one").code == 0
    said = run("select", spoilt, "-b", 9, "--continue", "one", "-o", "two", "--json")
    assert said.code == 0, said.err
    assert said.found["dropped"] == BAD
    assert np.load("two/picks.npy").tolist()[:6] == want


def test_from_python_with_a_warning(spoilt: pathlib.Path, tmp_path) -> None:
    with pytest.raises(jaxsel.UserError, match="drop_bad=True"):
        jaxsel.select_round(spoilt, 4, "norm", out=tmp_path / "out")
    with pytest.warns(DroppedRowsWarning, match="2 of 30 rows .*: 4, 17"):
        done = jaxsel.select_round(
            spoilt, 4, "norm", out=tmp_path / "out", drop_bad=True, labelled=[4, 5]
        )
    assert done.dropped == (4, 17)
    assert not {pick.index for pick in done.picks} & {4, 5, 17}


def test_from_disk(run: Run, spoilt: pathlib.Path) -> None:
    words = ("stream", spoilt, "-b", 6, "-m", "norm", "-o", "one")
    said = run(*words)
    assert said.code == 2 and "--drop-bad" in said.err
    said = run(*words, "--drop-bad")
    assert said.code == 0, said.err
    assert "2 of 30 rows have NaN or infinity and are left out: 4, 17" in said.out
    told = json.loads(pathlib.Path("one/manifest.json").read_text())
    assert told["dropped"] == BAD
    assert not set(np.load("one/picks.npy")) & set(BAD)
    assert run("verify", "one").code == 0
