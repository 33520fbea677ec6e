"""Pools on disk whose rows are of any magnitude: as in memory."""

import numpy as np
import pytest

import jaxsel
from jaxsel.pools.npy import NpyShard
from jaxsel.pools.parquet import ParquetShard
from jaxsel.streaming.api import select_from_disk

POWERS = np.random.default_rng(1).integers(-140, 125, 300)
BASE = np.random.default_rng(0).normal(size=(300, 5))
ROWS = np.ldexp(BASE, POWERS[:, None]).astype(np.float32)


def same(path, rows, budget: int, method: str, **options) -> None:
    memory = jaxsel.select(rows, budget, method, **options)
    disk = select_from_disk(path, budget, method, **options)
    assert disk.indices.tolist() == memory.indices.tolist()
    assert np.allclose(disk.gains, memory.gains, rtol=1e-5)
    for name in ("scale", "zero_rows", "rounds"):
        assert disk.info[name] == memory.info[name], name


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("norm", {}),
        ("norm", {"deterministic": True, "input_norms": np.ldexp(1.0, POWERS * 2)}),
        ("k_center", {}),
    ],
)
def test_as_in_memory(tmp_path, method, options):
    np.save(tmp_path / "x.npy", ROWS)
    same(tmp_path / "x.npy", ROWS, 9, method, **options)


@pytest.mark.slow
@pytest.mark.parametrize("deterministic", [True, False])
def test_residuals_as_in_memory(tmp_path, deterministic):
    np.save(tmp_path / "x.npy", ROWS)
    options = {"deterministic": deterministic}
    same(tmp_path / "x.npy", ROWS, 9, "gram_schmidt", **options)


def test_float64_files_are_read_whole_where_float32_cannot_hold_them(tmp_path):
    wide = np.ldexp(ROWS.astype(np.float64), 300)
    wide[7] = 0
    np.save(tmp_path / "x.npy", wide)
    same(tmp_path / "x.npy", wide, 9, "norm", deterministic=True)
    shard = NpyShard(tmp_path / "x.npy")
    assert shard.dtype == np.float32 and shard.exact().dtype == np.float64
    assert shard.exact().take(np.array([3]), np.empty((1, 5))) == 40


def test_float64_columns_too(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    wide = np.ldexp(BASE, 300)
    column = pa.FixedSizeListArray.from_arrays(wide.ravel(), 5)
    pq.write_table(pa.table({"x": column}), tmp_path / "x.parquet")
    same(tmp_path / "x.parquet", wide, 9, "norm", deterministic=True)
    found = np.empty((300, 5))
    ParquetShard(tmp_path / "x.parquet").exact().read(0, found)
    assert np.array_equal(found, wide)


def test_a_checkpoint_goes_on_in_the_same_form(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    state = tmp_path / "state"
    first = select_from_disk(tmp_path / "x.npy", 9, "k_center", checkpoint=state)
    again = select_from_disk(tmp_path / "x.npy", 9, "k_center", checkpoint=state)
    assert first.indices.tolist() == again.indices.tolist()
    assert first.info["scale"] == again.info["scale"] != 1
    assert np.array_equal(first.gains, again.gains)
    assert again.info["passes"] < first.info["passes"]
