"""The benchmark compares like with like: baselines pick what jaxsel picks."""

import sys

import numpy as np
import pytest

import jaxsel
from benchmarks import bars, baselines, pools, process, quality, worker

N, D, BUDGET = 600, 16, 8


@pytest.fixture(scope="module")
def pool() -> np.ndarray:
    return pools.clustered(N, D)


@pytest.mark.parametrize(
    ("method", "ours", "theirs"),
    [
        ("probcover", {"delta": 0.65}, {"delta": 0.65}),
        ("k_center", {}, {}),
        ("max_herding", {"bandwidth": 0.5**0.5}, {"gamma": 1.0}),
    ],
)
def test_deterministic_baselines_pick_the_same_rows(pool, method, ours, theirs):
    expected = baselines.load(method)(pool, BUDGET, 0, **theirs)
    found = jaxsel.select(pool, BUDGET, method, **ours)
    np.testing.assert_array_equal(found.indices, expected.indices)


@pytest.mark.parametrize(
    "name", ["random", "norm", "gram_schmidt", "gram_schmidt_as_written", "typiclust"]
)
def test_random_baselines_pick_distinct_rows(pool, name):
    picks = baselines.load(name)(pool, BUDGET, 3).indices
    assert len(set(picks.tolist())) == BUDGET


def test_both_gram_schmidt_baselines_follow_one_law(pool):
    fast = baselines.load("gram_schmidt")(pool, BUDGET, 5).indices
    slow = baselines.load("gram_schmidt_as_written")(pool, BUDGET, 5).indices
    np.testing.assert_array_equal(fast, slow)


def test_quality_measures_equal_their_definitions(pool):
    picks = np.array([3, 77, 500])
    distances = np.linalg.norm(pool[:, None] - pool[picks], axis=2).min(axis=1)
    assert quality.coverage(pool, picks, 0.9) == (distances < 0.9).mean()
    np.testing.assert_allclose(
        quality.mean_similarity(pool, picks), np.exp(-(distances**2)).mean(), rtol=1e-5
    )
    np.testing.assert_allclose(
        quality.largest_distance(pool, picks), distances.max(), rtol=1e-4
    )
    inside = np.linalg.lstsq(pool[picks].T, pool.T, rcond=None)[0].T @ pool[picks]
    residual = np.sum((pool - inside) ** 2, axis=1) / np.sum(pool**2, axis=1)
    np.testing.assert_allclose(
        quality.mean_residual(pool, picks), residual.mean(), rtol=1e-4
    )


def test_a_worker_reports_picks_time_memory_and_errors(pool, tmp_path):
    np.save(tmp_path / "x.npy", pool)
    request = {
        "contender": "baseline:k_center",
        "options": {},
        "array": str(tmp_path / "x.npy"),
        "budget": BUDGET,
        "seed": 0,
        "repeats": 2,
        "repository": None,
    }
    found = worker.measure(request)
    assert len(found["indices"]) == BUDGET and len(found["seconds"]) == 2
    assert min(found["seconds"]) > 0 and found["peak_mib"] >= 0
    absent = request | {"contender": "rival:authors.prob_cover"}
    told = process.ask(sys.executable, "benchmarks.worker", absent, tmp_path, 60)
    assert "--typiclust-repo" in told["error"] and told["load"] >= 0
    again = process.ask(sys.executable, "benchmarks.worker", request, tmp_path, 60)
    assert again["indices"] == found["indices"]


def test_bars_judge_medians_and_say_when_nothing_was_measured():
    results = {
        "ours": {"seconds": [1.0, 9.0, 2.0], "indices": [1, 2]},
        "theirs": {"seconds": [8.0], "indices": [1, 3]},
        "failed": {"error": "no memory"},
    }
    assert bars.faster("ours", "theirs", 4)(results, {}).passed is True
    assert bars.faster("ours", "theirs", 4.1)(results, {}).passed is False
    assert bars.faster("ours", "failed", 1)(results, {}).passed is None
    assert bars.same_picks("ours", "theirs")(results, {}).measured == "1 of 2 equal"
    floor = bars.near_floor("ours", 3, lambda _: 5e8)
    assert floor(results, {"xla_gflops": 1.0}).passed is False
    assert floor(results, {"xla_gflops": 0.5}).passed is True
