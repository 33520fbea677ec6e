"""Parquet: ids and vectors by the names of their columns, every mistake named."""

import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jaxsel.errors import UserError
from jaxsel.features.from_file import read_features

IDS = np.array(["a", "b", "c"])
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


def write(tmp_path: pathlib.Path, **columns: Any) -> pathlib.Path:
    path = tmp_path / "rows.parquet"
    # Two row groups, as large files have them.
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def read(path: pathlib.Path, ids: np.ndarray = IDS) -> np.ndarray:
    return read_features(str(path), ids, {"encoder": "file"}).rows


VECTORS = {
    "lists": pa.array(ROWS.tolist(), pa.list_(pa.float32())),
    "large lists": pa.array(ROWS.tolist(), pa.large_list(pa.float64())),
    "lists of one size": pa.array(ROWS.tolist(), pa.list_(pa.float32(), 2)),
    "lists of halves": pa.array(list(ROWS.astype(np.float16)), pa.list_(pa.float16())),
    "lists of whole numbers": pa.array(ROWS.astype(int).tolist()),
}


@pytest.mark.parametrize("kind", VECTORS)
@pytest.mark.parametrize("name", ["features", "embedding", "vector"])
def test_vectors_of_every_kind(tmp_path: pathlib.Path, kind: str, name: str) -> None:
    rows = read(write(tmp_path, ids=list(IDS), **{name: VECTORS[kind]}))
    np.testing.assert_array_equal(rows, ROWS)
    assert rows.dtype == np.float32


def test_rows_are_joined_by_id(tmp_path: pathlib.Path) -> None:
    path = write(
        tmp_path,
        other=[0.5] * 4,
        id=["c", "x", "a", "b"],
        vector=[[4, 5], [9, 9], *ROWS[:2]],
    )
    np.testing.assert_array_equal(read(path), ROWS)
    path = write(tmp_path, id=[30, 10, 20], vector=ROWS[[2, 0, 1]].tolist())
    np.testing.assert_array_equal(read(path, np.array(["10", "20", "30"])), ROWS)


FLOATS = pa.list_(pa.float32())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"vector": VECTORS["lists"]}, "a column of ids .* found none"),
        ({"id": ["a"], "x": ["b"]}, "column of vectors .* 'x' .text"),
        (
            {"id": ["a"], "vector": [[1.0]], "features": [[1.0]]},
            "found 'vector' and 'features'",
        ),
        ({"id": ["a"], "vector": [["x"]]}, "lists of numbers .*list<element: string>"),
        ({"id": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]}, "lengths 1 to 2"),
        ({"id": ["a", "b"], "vector": [[1.0], None]}, "1 empty rows"),
        ({"id": ["a", "b"], "vector": [[1.0, 2.0], [None, 1.0]]}, "1 empty numbers"),
        (
            {"id": ["a", None], "vector": [[1.0], [2.0]]},
            "every row of column 'id' .* 1 empty",
        ),
        ({"id": [0.5], "vector": [[1.0]]}, "text or whole numbers .* 0.5 .double"),
        ({"id": ["a", "b"], "vector": VECTORS["lists"][:2]}, "none for 1 of 3 ids"),
        ({"id": ["a", "b", "b"], "vector": VECTORS["lists"]}, "found 'b' 2 times"),
        (
            {"id": list(IDS), "vector": pa.array([[1], [np.nan], [3]], FLOATS)},
            "NaN or inf in 1 rows, the first for id b",
        ),
        (
            {"id": pa.array([], pa.string()), "vector": pa.array([], FLOATS)},
            "none for 3 of 3 ids",
        ),
    ],
)
def test_a_mistake_is_named(
    tmp_path: pathlib.Path, columns: dict, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(write(tmp_path, **columns))
    assert "rows.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_file(tmp_path: pathlib.Path) -> None:
    path = write(tmp_path, ids=list(IDS), vector=VECTORS["lists"])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"damaged or truncated .*write it again"):
        read(path)
