"""The size of a source, beside that of the opened source."""

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jaxsel.errors import UserError
from jaxsel.sources.opening import open_source
from jaxsel.sources.size import Size, size_of

ROWS = np.arange(12, dtype=np.float16).reshape(6, 2)


def vectors(file: pathlib.Path, kind: pa.DataType, **columns: object) -> None:
    table = pa.table(
        {"embedding": pa.array(ROWS.astype("f8").tolist(), kind), **columns}
    )
    pq.write_table(table, file)


def write(file: pathlib.Path, kind: str) -> None:
    match kind:
        case "npy":
            np.save(file, ROWS)
        case "npz":
            np.savez(file, features=ROWS, ids=np.arange(6))
        case "only":
            np.savez_compressed(file, matrix=ROWS.astype(np.int8), ids=np.arange(6))
        case "columns":
            named = {f"f_{k}": ROWS[:, k].astype(np.float32) for k in range(2)}
            pq.write_table(
                pa.table({"id": list("abcdef"), **named, "note": [1] * 6}), file
            )
        case "lists":
            vectors(file, pa.list_(pa.float64()), id=list("abcdef"))
        case "fixed":
            vectors(file, pa.list_(pa.float32(), 2))


@pytest.mark.parametrize("kind", ["npy", "npz", "only", "columns", "lists", "fixed"])
def test_it_is_that_of_the_opened_source(kind: str, tmp_path: pathlib.Path) -> None:
    suffix = {"npy": ".npy", "npz": ".npz", "only": ".npz"}.get(kind, ".parquet")
    file = tmp_path / f"rows{suffix}"
    write(file, kind)
    features = open_source(file).features
    assert features is not None
    mapped = isinstance(features, np.memmap)
    assert mapped == (kind == "npy")
    width = 3 if kind == "columns" else 2
    size = size_of(file)
    assert size[:4] == (6, width, features.dtype.name, mapped)
    assert (size.roles is None) == (kind == "npy")


def test_images_are_counted_by_their_names(tmp_path: pathlib.Path) -> None:
    for name in ("a.png", "deep/b.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"nothing is decoded")
    assert size_of(tmp_path) == Size(2, None)


def test_what_has_no_size(tmp_path: pathlib.Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    (tmp_path / "bad.parquet").write_bytes(b"no table")
    np.save(tmp_path / "line.npy", np.zeros(3))
    np.savez(tmp_path / "two.npz", a=ROWS, b=ROWS)
    (tmp_path / "empty").mkdir()
    (tmp_path / "rows.txt").touch()
    names = ("bad.npz", "bad.parquet", "line.npy", "two.npz", "empty", "rows.txt", "no")
    for name in names:
        with pytest.raises(UserError, match=r"^expected "):
            size_of(tmp_path / name)
