"""`jaxsel embed`: a file that other programs read, and the same in Python."""

import json
import pathlib

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

import jaxsel
from jaxsel.annotation.picks import read_picks
from jaxsel.errors import UserError
from jaxsel.pools.opening import open_pool
from jaxsel.sources.images import read
from tests.verbs.console import NAMES, Run

RGB = ("--encoder", "rgb", "--side", 4)


def pixels(folder: pathlib.Path) -> np.ndarray:
    source = jaxsel.open_source(folder, progress=False)
    return read(source, None, 4).reshape(len(NAMES), -1) / np.float32(255)


def test_a_file_that_others_read(run: Run, folder: pathlib.Path) -> None:
    said = run("embed", folder, *RGB)
    assert said.code == 0, said.err
    assert "1 unreadable image left out:\n  broken.png: " in said.out
    assert "features.parquet: 12 rows of id, path and 48 features" in said.out
    assert "learned nothing" in said.out
    file = pathlib.Path("features.parquet")
    schema = pq.read_schema(file)
    assert schema.names == ["id", "path", "features"]
    assert str(schema.field("features").type) == "fixed_size_list<element: float>[48]"
    about = json.loads(schema.metadata[b"jaxsel"])
    assert about == {"encoder": "rgb", "representation": "raw", "side": 4}
    frame = pd.read_parquet(file)
    assert frame["id"].tolist() == sorted(NAMES)
    assert all(pathlib.Path(path).is_file() for path in frame["path"])
    expected = pixels(folder)
    np.testing.assert_allclose(np.stack(frame["features"]), expected, rtol=1e-6)
    # Our own verbs: a pool in memory with ids, and one on disk.
    source = jaxsel.open_source(file, progress=False)
    assert source.ids.tolist() == sorted(NAMES)
    np.testing.assert_allclose(source.features, expected, rtol=1e-6)
    pool = open_pool(str(file))
    np.testing.assert_allclose(pool.take([11, 0]), expected[[11, 0]], rtol=1e-6)
    said = run("select", file, "-b", 3, "-m", "norm", "-o", "picks")
    assert said.code == 0, said.err
    assert {p.id for p in read_picks(pathlib.Path("picks/picks.csv"))} <= set(NAMES)


def test_a_file_is_written_in_blocks(
    run: Run, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jaxsel.verbs.embed._ROWS", 5)
    said = run(
        "embed", folder, *RGB, "--dtype", "float16", "-o", "half.parquet", "--json"
    )
    assert said.code == 0, said.err
    assert (said.found["rows"], said.found["features"]) == (12, 48)
    assert [entry["id"] for entry in said.found["unreadable"]] == ["broken.png"]
    file = pq.ParquetFile("half.parquet")
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert groups == [5, 5, 2]
    rows = np.stack(file.read(["features"]).to_pandas()["features"])
    assert rows.dtype == np.float16
    np.testing.assert_array_equal(rows, pixels(folder).astype(np.float16))
    assert open_pool("half.parquet").dtype == np.float16


def test_in_python(folder: pathlib.Path) -> None:
    with pytest.warns(UserWarning) as warned:
        ids, features, encoder = jaxsel.embed(folder, "rgb", side=4)
    assert "1 unreadable image left out" in str(warned[0].message)
    assert ids.tolist() == sorted(NAMES)
    np.testing.assert_allclose(features, pixels(folder), rtol=1e-6)
    assert features.dtype == np.float32
    assert encoder == {"encoder": "rgb", "representation": "raw", "side": 4}
    with pytest.raises(UserError, match=r"every image in .* to be readable, found 1"):
        jaxsel.embed(folder, "rgb", side=4, strict=True)
    with pytest.raises(UserError, match="expected dtype to be one of float32"):
        jaxsel.embed(folder, "rgb", dtype="int8")


def test_what_is_selected_after_embed_is_not_encoded_twice(
    run: Run, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("embed", folder, *RGB).code == 0

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an image was encoded again")

    monkeypatch.setattr("jaxsel.features.encoder._fetched", refuse)
    said = run("select", folder, "-b", 3, "-m", "random", *RGB, "-o", "picks")
    assert said.code == 0, said.err


def test_what_is_refused(run: Run, folder: pathlib.Path, matrix: pathlib.Path) -> None:
    pathlib.Path("there.parquet").write_text("mine")
    for words, message in (
        ((folder, *RGB, "-o", "there.parquet"), "--force to replace it"),
        ((folder, *RGB, "-o", "features.csv"), "ends in .parquet"),
        ((folder, *RGB, "-o", "there.parquet/a.parquet"), "cannot be: give another"),
        ((matrix,), "expected a folder of images"),
        (("nowhere",), "found nothing"),
        ((folder, "--encoder", "vgg"), "efficientnet_lite0"),
        ((folder, "--encoder", "rgb", "--weights", "w"), "--weights with an encoder"),
    ):
        said = run("embed", *words)
        assert said.code == 2 and message in said.err, said.err
        assert said.err.count("\n") == 1
    assert pathlib.Path("there.parquet").read_text() == "mine"
    assert run("embed", folder, *RGB, "-o", "there.parquet", "--force").code == 0
    assert len(pd.read_parquet("there.parquet")) == 12


def test_a_number_that_half_precision_cannot_hold(tmp_path: pathlib.Path) -> None:
    from jaxsel.verbs.embed import _rounded

    rows = np.array([[1.0], [7e4]], np.float32)
    with pytest.raises(UserError, match=r"float16 can hold, found larger ones of 'b'"):
        _rounded(rows, "float16", np.array(["a", "b"]))


def test_names_of_another_alphabet(run: Run, tmp_path: pathlib.Path) -> None:
    import os

    folder = tmp_path / "odd"
    folder.mkdir()
    Image.new("RGB", (4, 4), "red").save(folder / "größe.png")
    with open(os.fsencode(folder) + b"/caf\xe9.png", "wb") as stream:
        stream.write((folder / "größe.png").read_bytes())
    assert run("embed", folder, *RGB).code == 0
    assert run("embed", folder, *RGB, "--force").code == 0
    frame = pd.read_parquet("features.parquet")
    assert frame["id"].tolist() == ["./caf\\xe9.png", "größe.png"]
