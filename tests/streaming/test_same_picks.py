"""The picks from disk are those from memory."""

import ml_dtypes
import numpy as np
import pytest

import jaxsel
from jaxsel.selection.coverage import CoverageWarning
from jaxsel.streaming import kmeans, plan, typiclust
from jaxsel.streaming.api import select_from_disk

LABELLED = np.array([0, 3, 5, 255, 256, 400, 698])
CASES = [
    ("random", {}, 30),
    ("norm", {"norm_ord": np.inf, "deterministic": True, "tie": "random"}, 30),
    ("norm", {"input_norms": np.arange(700) % 5}, 690),
    ("gram_schmidt", {}, 40),
    ("gram_schmidt", {"deterministic": True, "tie": "random"}, 40),
    ("k_center", {}, 80),
    ("probcover", {"delta": 0.1, "tie": "random"}, 40),
    ("typiclust", {"clusters": np.arange(700) % 3}, 12),
    ("probcover+norm", {"delta": 0.1, "tie": "random"}, 20),
]
SLOW_CASES = [
    ("norm", {"norm_ord": 1}, 30),
    ("gram_schmidt", {"block_size": 2}, 12),
    ("gram_schmidt", {"algorithm": "downdate"}, 6),
    ("gram_schmidt", {"deterministic": True, "block_size": 8}, 700),
    ("k_center", {"tie": "random"}, 690),
    ("probcover+gs", {"delta": 0.1}, 20),
    ("typiclust+norm", {"input_norms": np.arange(700) % 5, "max_clusters": 5}, 6),
    ("probcover", {}, 30),
    ("typiclust", {"max_clusters": 5, "n_init": 2}, 12),
    ("typiclust", {"clusters": np.arange(700) % 3, "distance": "euclidean"}, 690),
]


@pytest.mark.filterwarnings("ignore::jaxsel.selection.coverage.CoverageWarning")
@pytest.mark.parametrize("labelled", [None, LABELLED], ids=["none", "labelled"])
@pytest.mark.parametrize(
    ("method", "options", "budget"),
    CASES + [pytest.param(*case, marks=pytest.mark.slow) for case in SLOW_CASES],
)
def test_as_in_memory(rows, pool, flat, tmp_path, method, options, budget, labelled):
    if method == "gram_schmidt":
        rows, pool = flat, str(tmp_path / "rows*.npy")
        for i, part in enumerate(np.split(flat, [301, 302])):
            np.save(tmp_path / f"rows{i}.npy", part)
    budget = min(budget, 700 - (0 if labelled is None else len(labelled)))
    given = {"labelled": labelled, "seed": 4, **options}
    memory = jaxsel.select(rows, budget, method, **given)
    disk = select_from_disk(pool, budget, method, **given)
    assert disk.indices.tolist() == memory.indices.tolist()
    assert disk.indices.dtype == memory.indices.dtype
    assert np.allclose(disk.gains, memory.gains, rtol=2e-4, atol=1e-6)
    for name in ("rounds", "zero_rows", "uncovered", "n_clusters", "n_kept"):
        assert disk.info.get(name) == memory.info.get(name), name
    for name in ("radius", "delta", "coverage", "random_coverage", "coverage_here"):
        if name in memory.info:
            assert disk.info[name] == pytest.approx(memory.info[name], rel=1e-5)
    assert disk.info["block_rows"] == 256 and disk.info["bytes_read"] > 0


@pytest.mark.slow
def test_everything_is_drawn_once_nothing_is_left(pool):
    # So many draws differ from memory's at last: rounding decides one of them.
    disk = select_from_disk(pool, 700, "gram_schmidt")
    assert sorted(disk.indices) == list(range(700))
    assert sorted(disk.indices[-3:]) == [3, 300, 699]  # the zero rows
    assert disk.info["rounds"] > 50


def test_quantised_rows_count_times_their_scale(rows, tmp_path):
    whole = np.rint(rows * 20).clip(-128, 127).astype(np.int8)
    np.save(tmp_path / "q.npy", whole)
    memory = jaxsel.select(whole * np.float32(0.25), 20, "k_center")
    from jaxsel.pools.opening import open_pool

    disk = select_from_disk(open_pool(tmp_path / "q.npy", scale=0.25), 20, "k_center")
    assert disk.indices.tolist() == memory.indices.tolist()
    assert np.allclose(disk.gains, memory.gains)
    assert disk.info["passes"] <= 4


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_widened_exactly(rows, tmp_path, dtype):
    half = rows.astype(getattr(ml_dtypes, dtype, dtype))
    np.save(tmp_path / "half.npy", half)
    memory = jaxsel.select(half.astype(np.float32), 30, "norm", deterministic=True)
    disk = select_from_disk(tmp_path / "half.npy", 30, "norm", deterministic=True)
    assert disk.indices.tolist() == memory.indices.tolist()
    assert np.allclose(disk.gains, memory.gains, rtol=1e-6)
    assert disk.info["bytes_read"] == half.nbytes


def test_parquet_shards_give_the_same_picks(rows, pool, tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    for i, part in enumerate(np.split(rows, [400])):
        column = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), 12)
        pq.write_table(
            pa.table({"v": column}), tmp_path / f"{i}.parquet", row_group_size=90
        )
    where = str(tmp_path / "*.parquet")
    for method in ("random", "k_center"):
        found = select_from_disk(where, 20, method)
        assert (
            found.indices.tolist()
            == select_from_disk(pool, 20, method).indices.tolist()
        )


def test_gram_schmidt_reads_the_pool_once_a_block(tmp_path):
    wide = np.random.default_rng(1).normal(size=(600, 64)).astype(np.float32)
    np.save(tmp_path / "wide.npy", wide)
    for deterministic in (False, True):
        found = select_from_disk(
            tmp_path / "wide.npy",
            40,
            "gram_schmidt",
            block_size=16,
            deterministic=deterministic,
        )
        assert found.info["measures"] == 1
        # One for the lengths, one for every block but the last.
        assert found.info["passes"] == found.info["blocks"] > 2
        read = found.info["passes"] * wide.nbytes
        assert read <= found.info["bytes_read"] < 2 * read


@pytest.mark.slow
def test_loose_bounds_are_measured_afresh(rows, pool):
    memory = jaxsel.select(rows, 12, "gram_schmidt", seed=4, block_size=2)
    disk = select_from_disk(pool, 12, "gram_schmidt", seed=4, block_size=2)
    assert disk.indices.tolist() == memory.indices.tolist()
    assert disk.info["measures"] == memory.info["measures"] > 1


def test_one_pass_for_norm_and_few_for_k_center(pool):
    assert select_from_disk(pool, 100, "norm").info["passes"] == 1
    assert select_from_disk(pool, 100, "random").info["passes"] == 1
    # Mean, distances to it, the first pick, and after every walk of up to 64 picks.
    assert select_from_disk(pool, 100, "k_center").info["passes"] == 5


def test_copies_of_picks_cost_no_pass(rows, tmp_path):
    np.save(tmp_path / "copies.npy", np.tile(rows[20:60], (10, 1)))
    few = select_from_disk(tmp_path / "copies.npy", 41, "k_center")
    all_ = select_from_disk(tmp_path / "copies.npy", 400, "k_center")
    assert all_.info["passes"] == few.info["passes"] < 8
    assert sorted(all_.indices) == list(range(400))
    # Of equals the lowest: the first of its copies, then the others in order.
    assert sorted(all_.indices[:40]) == list(range(40))
    assert all_.indices[40:].tolist() == list(range(40, 400))
    assert all_.info["rounds"] == 361 and all_.info["radius"] == 0


def test_clusters_are_those_of_lloyds_iteration(rows, pool):
    found = select_from_disk(pool, 8, "typiclust", max_clusters=4)
    ids = found.info["assignments"]
    lengths = np.linalg.norm(rows, axis=1)
    assert set(ids[lengths == 0]) == {4} and set(ids[lengths > 0]) == {0, 1, 2, 3}
    unit = rows[lengths > 0].astype(np.float64) / lengths[lengths > 0, None]
    ids = ids[lengths > 0]
    means = np.stack([unit[ids == c].mean(axis=0) for c in range(4)])
    squared = ((unit[:, None] - means) ** 2).sum(axis=2)
    assert np.mean(squared.argmin(axis=1) == ids) > 0.99
    assert found.info["inertia"] == pytest.approx(squared.min(axis=1).sum(), rel=1e-4)
    # One survey, and one pass to a move and to the last assignment.
    assert found.info["passes"] == found.info["iterations"] + 2


def test_seeds_come_from_a_sample_of_a_large_pool(pool, monkeypatch):
    whole = select_from_disk(pool, 8, "typiclust", max_clusters=4).info["inertia"]
    monkeypatch.setattr(kmeans, "SAMPLE", 100)
    sampled = select_from_disk(pool, 8, "typiclust", max_clusters=4).info["inertia"]
    assert sampled != whole and sampled < 1.1 * whole


@pytest.mark.filterwarnings("ignore::jaxsel.selection.coverage.CoverageWarning")
def test_a_large_cluster_is_judged_by_a_sample(pool, monkeypatch):
    ids = np.arange(700) % 2
    exact = select_from_disk(pool, 2, "typiclust", clusters=ids)
    assert exact.info["sampled_clusters"] == 0
    monkeypatch.setattr(typiclust, "LARGEST", 200 * 12 * 4)
    found = select_from_disk(pool, 2, "typiclust", clusters=ids)
    assert found.info["sampled_clusters"] == 2
    assert sorted(found.indices % 2) == [0, 1]
    assert np.all(found.gains > 0.5 * exact.gains)


def test_no_better_than_random_is_said(pool):
    ids = np.zeros(700, np.int32)
    with pytest.warns(CoverageWarning, match="typiclust"):
        select_from_disk(pool, 1, "typiclust", clusters=ids, seed=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::jaxsel.selection.coverage.CoverageWarning")
@pytest.mark.parametrize(("method", "options", "budget"), CASES)
def test_the_same_picks_for_any_block(pool, monkeypatch, method, options, budget):
    small = select_from_disk(pool, budget, method, seed=4, **options)
    monkeypatch.setattr(plan, "LARGEST", 1 << 20)
    large = select_from_disk(pool, budget, method, seed=4, **options)
    assert (small.info["block_rows"], large.info["block_rows"]) == (256, 768)
    assert small.indices.tolist() == large.indices.tolist()
