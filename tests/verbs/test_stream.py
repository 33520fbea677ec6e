"""`jaxsel stream`: picks from shards on disk, gone on with, and verified."""

import json
import pathlib

import numpy as np
import pytest

from jaxsel.annotation.picks import read_picks
from jaxsel.selection.api import select
from tests.verbs.console import Run


@pytest.fixture
def shards(tmp_path: pathlib.Path) -> tuple[np.ndarray, str]:
    """60 rows in three shards, and the glob that names them."""
    rows = np.random.default_rng(3).normal(size=(60, 5)).astype(np.float32)
    for k in range(3):
        np.save(tmp_path / f"part{k}.npy", rows[20 * k : 20 * (k + 1)])
    return rows, str(tmp_path / "part*.npy")


def test_picks_are_those_of_the_library(
    run: Run, shards: tuple[np.ndarray, str], tmp_path: pathlib.Path
) -> None:
    rows, where = shards
    np.save(tmp_path / "known.npy", np.array([4, 7]))
    words = ("stream", where, "-b", 6, "-m", "k_center", "-o", "out", "--json")
    said = run(*words, "--labelled", tmp_path / "known.npy", "--memory", "1GiB")
    assert said.code == 0, said.err
    expected = select(rows, 6, "k_center", labelled=[4, 7]).indices.tolist()
    assert np.load("out/picks.npy").tolist() == expected
    assert [p.index for p in read_picks(pathlib.Path("out/picks.csv"))] == expected
    assert said.found["info"]["passes"] >= 1
    told = json.loads(pathlib.Path("out/manifest.json").read_text())
    assert told["pool"]["shape"] == [60, 5] and len(told["pool"]["files"]) == 3

    assert run("export", "out", "--to", "csv", "-o", "queue").code == 0
    said = run("verify", "out")
    assert said.code == 0, said.err
    assert said.out.startswith("the same 6 picks")
    again = run(*words)
    assert again.code == 2 and "new or empty folder" in again.err

    # The fingerprint of so few rows sees every one; a larger pool's would not.
    manifest = pathlib.Path("out/manifest.json")
    manifest.write_text(json.dumps({**told, "pool": {**told["pool"], "contents": ""}}))
    said = run("verify", "out")
    assert said.code == 2 and "found another" in said.err and "rows changed" in said.err
    del told["pool"]["contents"]  # as an earlier version wrote it
    manifest.write_text(json.dumps(told))
    said = run("verify", "out")
    assert said.code == 0 and "some rows were compared" in said.err

    first = tmp_path / "part0.npy"
    np.save(first, np.load(first) + 1)
    said = run("verify", "out")
    assert said.code == 2 and "rows_sha256 changed" in said.err


def test_a_larger_budget_goes_on_from_the_checkpoint(
    run: Run, shards: tuple[np.ndarray, str]
) -> None:
    _, where = shards
    words = ("stream", where, "-m", "norm", "-O", "deterministic=true")
    assert run(*words, "-b", 3, "--checkpoint", "state", "-o", "three").code == 0
    said = run(*words, "-b", 5, "--checkpoint", "state", "-o", "five")
    assert said.code == 0, said.err
    three, five = np.load("three/picks.npy"), np.load("five/picks.npy")
    assert five[:3].tolist() == three.tolist() and len(five) == 5


def test_mistakes_are_one_line(run: Run, shards: tuple[np.ndarray, str]) -> None:
    _, where = shards
    for words, message in (
        ((where, "-b", 61), "budget 61 is more than the 60 unlabelled rows"),
        (("none/*.npy", "-b", 2), "found none"),
        ((where, "-b", 2, "-O", "colour=1"), "unknown option 'colour'"),
        ((where, "-b", 2, "--memory", "1MiB"), "memory"),
        ((where, "-b", 2, "--memory", "much"), "memory"),
    ):
        said = run("stream", *words, "-o", "out")
        assert said.code == 2 and message in said.err, said.err
        assert said.err.count("\n") == 1 and not pathlib.Path("out").exists()
