"""The benchmark of scale: its pools, its exponents, one case in its own process."""

import numpy as np
import pytest

from benchmarks import disk_pools, scale

SAMPLE = {"reference": 4096, "n_candidates": 8192}


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_a_smaller_pool_is_the_start_of_a_larger(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(disk_pools, "ROWS", 64)
    for n in (100, 200):
        disk_pools.write(tmp_path / f"{n}.npy", n, 8, dtype)
    small, large = (np.load(tmp_path / f"{n}.npy") for n in (100, 200))
    assert small.dtype == dtype and np.array_equal(small, large[:100])
    assert len(np.unique(large[:, 0])) > 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["100.npy", "200.npy"]


def test_exponents_are_slopes():
    cases = [
        {"name": "a", "n": n, "seconds": 3e-6 * n**1.5} for n in (10**6, 10**4, 10**5)
    ]
    cases += [{"name": "b", "n": 10, "seconds": 1.0}, {"name": "a", "error": "x"}]
    cases[-1]["n"] = 10**7
    assert scale.exponents(cases) == {"a": pytest.approx(1.5)}


def test_a_case_runs_in_its_own_process(tmp_path):
    case = scale.Case("norm", 2000, 5, {})
    found = scale.run(case, scale._pool(tmp_path, case), "1GiB")
    assert found["info"]["passes"] == 1 and found["bytes_on_disk"] == 2000 * 128 + 128
    assert 50 < found["peak_mib"] < 1024 and len(found["first_picks"]) == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options"),
    [("norm", {}), ("gram_schmidt", {}), ("k_center", {}), ("probcover", SAMPLE)],
)
def test_memory_stays_below_its_bound_whatever_the_pool(tmp_path, method, options):
    case = scale.Case(method, 2_500_000, 20, options, "float32")
    found = scale.run(case, scale._pool(tmp_path, case), "1GiB")
    assert found["bytes_on_disk"] > 1.15 * 2**30
    assert found["peak_mib"] * 2**20 < found["info"]["planned_bytes"] <= 2**30
