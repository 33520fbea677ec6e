"""The first pass and the spectrum, against NumPy and SciPy in double precision."""

import numpy as np
import pytest
import scipy.stats

from jaxsel.doctor import spectrum as spectrum_module
from jaxsel.doctor import sweep as sweep_module
from jaxsel.doctor.spectrum import effective, spectrum
from jaxsel.doctor.sweep import sweep


def correlated(n: int, d: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(n, d)) @ random.normal(size=(d, d)) + 5


def test_one_pass_is_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_module, "BLOCK", 70)  # ten rows a block
    rows = correlated(95, 7, 0).astype(np.float32)
    rows[11] = 0
    rows[23, 2] = np.nan
    rows[30, 1], rows[30, 4] = np.nan, np.inf
    rows[94, 0] = -np.inf
    rows[60, 3] = -70_000
    rows[61, 3] = 65_519
    seen = sweep(rows)
    fine = np.isfinite(rows).all(axis=1)
    np.testing.assert_array_equal(seen.finite, fine)
    assert np.flatnonzero(seen.nan).tolist() == [23, 30]
    assert np.flatnonzero(seen.infinite).tolist() == [30, 94]
    with np.errstate(over="ignore"):
        overflow = np.isinf(rows.astype(np.float16)).any(axis=1) & fine
    assert np.flatnonzero(seen.half).tolist() == np.flatnonzero(overflow).tolist()
    good = rows[fine].astype(np.float64)
    lengths = np.linalg.norm(good, axis=1)
    np.testing.assert_allclose(seen.norms[fine], lengths, rtol=1e-12)
    assert np.isnan(seen.norms[~fine]).all()
    np.testing.assert_allclose(seen.mean, good.mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(seen.low, good.min(axis=0).astype(np.float32))
    np.testing.assert_array_equal(seen.high, good.max(axis=0).astype(np.float32))
    some = lengths > 0
    turned = (good[some] / lengths[some, None]).mean(axis=0)
    np.testing.assert_allclose(seen.direction, turned, rtol=1e-10)


def test_float64_beyond_float32_is_too_large() -> None:
    rows = np.array([[1.0, 2.0], [1e39, 0.0], [np.inf, 1e39], [3.4e38, 3.4e38]])
    seen = sweep(rows)
    assert seen.too_large.tolist() == [False, True, False, False]
    assert seen.finite.tolist() == [True, False, False, True]
    assert seen.norms[3] == pytest.approx(3.4e38 * np.sqrt(2), rel=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float16", ">f4"])
def test_any_numbers_are_read(dtype: str) -> None:
    rows = np.arange(12).reshape(4, 3).astype(dtype)
    np.testing.assert_allclose(
        sweep(rows).norms, np.linalg.norm(np.arange(12.0).reshape(4, 3), axis=1)
    )


def test_integers_without_a_finite_row_do_not_warn() -> None:
    seen = sweep(np.full((3, 2), np.nan))
    assert not seen.finite.any()


def eigenvalues(rows: np.ndarray) -> np.ndarray:
    return np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2


@pytest.mark.parametrize("columns", [5, 40])
def test_spectrum_is_that_of_the_singular_values(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectrum_module, "_MOST_COLUMNS", 20)  # 40 go by rows
    monkeypatch.setattr(sweep_module, "BLOCK", 200)
    rows = correlated(60, columns, 1).astype(np.float32)
    usable = np.ones(60, bool)
    usable[[3, 50]] = False
    kept = rows[usable].astype(np.float64)
    most = len(kept)
    if columns == 40:
        most = 20
        kept = kept[np.linspace(0, 57, 20).round().astype(int)]
    found = spectrum(rows, usable, rows.mean(axis=0).astype(np.float64))
    values = eigenvalues(kept)
    shares = values / values.sum()
    assert found.rows == most
    assert found.participation == pytest.approx(1 / np.sum(shares**2), rel=1e-6)
    assert found.entropy == pytest.approx(np.exp(scipy.stats.entropy(shares)), rel=1e-6)
    assert found.rank == np.linalg.matrix_rank(kept - kept.mean(axis=0), tol=1e-4)


def test_low_rank_is_seen_behind_a_large_mean() -> None:
    random = np.random.default_rng(2)
    rows = 100 + random.normal(size=(400, 3)) @ random.normal(size=(3, 30))
    found = spectrum(rows, np.ones(400, bool), rows.mean(axis=0))
    values = eigenvalues(rows.astype(np.float32).astype(np.float64))
    shares = values / values.sum()
    assert found.entropy == pytest.approx(np.exp(scipy.stats.entropy(shares)), rel=1e-6)
    assert 1 < found.participation <= found.entropy <= 3.01


def test_many_rows_are_sampled_evenly() -> None:
    rows = correlated(5000, 4, 3)
    all_rows = spectrum(rows, np.ones(5000, bool), rows.mean(axis=0))
    some = spectrum(rows, np.ones(5000, bool), rows.mean(axis=0), work=16_000)
    assert (all_rows.rows, some.rows) == (5000, 1000)
    assert some.entropy == pytest.approx(all_rows.entropy, rel=0.1)
    least = spectrum(rows, np.ones(5000, bool), rows.mean(axis=0), work=1)
    assert least.rows == 16


def test_nothing_varies() -> None:
    assert effective(np.zeros(3), 5) == (0.0, 0.0, 0, 5)
    assert spectrum(np.ones((1, 3)), np.ones(1, bool), np.ones(3)).rank == 0
    tenth = np.full(3, np.float32(0.1), np.float64)
    assert spectrum(np.full((9, 3), 0.1), np.ones(9, bool), tenth).rank == 0
