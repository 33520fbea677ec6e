"""`jaxsel stream`: picks from shards on disk, gone on with, and verified."""

import csv
import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jaxsel.annotation.picks import read_picks
from jaxsel.selection.api import select
from jaxsel.streaming.api import select_from_disk
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


def named(folder: pathlib.Path, ids: list[str]) -> str:
    """60 rows with ids, in two parquet files of which one has a longer name."""
    rows = np.random.default_rng(3).normal(size=(60, 5)).astype(np.float32)
    for k, part in enumerate((slice(0, 25), slice(25, 60))):
        columns = {"id": ids[part], "embedding": rows[part].tolist()}
        columns["bbox"] = [[0.0, 1.0]] * len(ids[part])
        pq.write_table(pa.table(columns), folder / f"part{k}.parquet")
    return str(folder / "part*.parquet")


def test_ids_come_along_with_the_file_and_the_row(
    run: Run, tmp_path: pathlib.Path
) -> None:
    ids = [f"patient {k}" for k in range(60)]
    where = named(tmp_path, ids)
    said = run("stream", where, "-b", 6, "-m", "k_center", "-o", "out")
    assert said.code == 0, said.err
    assert said.err.startswith("features (embedding); ids from 'id'; left out: bbox")
    with open("out/picks.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        index = int(row["index"])
        assert row["id"] == ids[index] and row["path"] == ""
        part = int(index >= 25)
        assert row["file"] == str(tmp_path / f"part{part}.parquet")
        assert int(row["row"]) == index - 25 * part
    assert [p.id for p in read_picks(pathlib.Path("out/picks.csv"))] == [
        row["id"] for row in rows
    ]
    told = json.loads(pathlib.Path("out/manifest.json").read_text())
    assert told["table"]["left_out"] == {
        "id": "names the rows",
        "bbox": "beside the features",
    }
    assert run("verify", "out").code == 0
    assert run("export", "out", "--to", "csv", "-o", "queue").code == 0


def test_ids_of_two_picks_that_are_the_same_are_not_used(
    run: Run, tmp_path: pathlib.Path
) -> None:
    # As where every shard numbers its rows from 0 on.
    where = named(tmp_path, [str(k % 25) for k in range(60)])
    words = ("stream", where, "-b", 60, "-m", "norm", "-O", "deterministic=true")
    said = run(*words, "-o", "out")
    assert said.code == 0 and "picks are named by file and row" in said.err
    ids = {pick.id for pick in read_picks(pathlib.Path("out/picks.csv"))}
    assert ids >= {f"{tmp_path}/part0.parquet:24", f"{tmp_path}/part1.parquet:34"}
    assert run("verify", "out").code == 0


def test_columns_that_were_asked_for_are_verified_too(
    run: Run, tmp_path: pathlib.Path
) -> None:
    where = named(tmp_path, [f"a{k}" for k in range(60)])
    words = ("stream", where, "-b", 2, "-m", "norm", "--features", "bbox", "-o", "out")
    said = run(*words, "--json")
    assert said.code == 0 and said.found["info"]["columns"]["features"] == ["bbox"]
    assert run("verify", "out").code == 0
    told = json.loads(pathlib.Path("out/manifest.json").read_text())
    assert told["streamed"]["reading"] == {"features": "bbox"}
    assert told["pool"]["shape"] == [60, 2]
    with pytest.warns(UserWarning, match="left out: bbox"):
        found = select_from_disk(where, 2, "norm")
    assert found.info["ids"].tolist() == [f"a{row}" for row in found.indices]


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
