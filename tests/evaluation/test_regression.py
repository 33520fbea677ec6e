"""Lines and correlations against SciPy."""

import numpy as np
import pytest
import scipy.stats

from jaxsel.errors import UserError
from jaxsel.evaluation.regression import line_band, regress, spearman


def _points(n, slope, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(30, 2, n)
    return x, 0.2 + slope * x + generator.normal(0, 0.1, n)


@pytest.mark.parametrize("n", [4, 7, 500])
@pytest.mark.parametrize("slope", [-0.05, 0.0, 0.2])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_the_line_and_the_correlation_are_scipys(n, slope, level):
    x, y = _points(n, slope)
    found = regress(x, y, level=level)
    line = scipy.stats.linregress(x, y)
    assert found.slope == pytest.approx(line.slope, rel=1e-10)
    assert found.intercept == pytest.approx(line.intercept, rel=1e-9)
    assert found.r == pytest.approx(line.rvalue, rel=1e-10)
    correlation = scipy.stats.pearsonr(x, y)
    assert found.p == pytest.approx(correlation.pvalue, rel=1e-7)
    low, high = correlation.confidence_interval(level)
    assert (found.r_low, found.r_high) == pytest.approx((low, high), rel=1e-9)
    assert (found.n, found.level) == (n, level)


def test_the_interval_holds_the_true_correlation_as_often_as_it_says():
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(2000):
        x = generator.normal(size=30)
        fit = regress(x, 0.6 * x + 0.8 * generator.normal(size=30), level=0.8)
        held += fit.r_low < 0.6 < fit.r_high
    assert held / 2000 == pytest.approx(0.8, abs=0.03)  # 3.3 standard errors


def test_a_small_spread_beside_large_values_is_not_lost():
    x, y = _points(50, 0.1)
    assert regress(x + 1e7, y).r == pytest.approx(regress(x, y).r, rel=1e-6)


def test_points_on_a_line():
    x = np.arange(5)
    rising, falling = regress(x, 3 + 2 * x), regress(x, 3 - 2 * x)
    assert rising[:5] == pytest.approx((2, 3, 1, 1, 1))
    assert falling[:5] == pytest.approx((-2, 3, -1, -1, -1))
    assert rising.p < 1e-6


def test_ranks_with_ties_are_scipys():
    generator = np.random.default_rng(0)
    x = generator.integers(0, 6, 40)
    y = x + generator.integers(0, 9, 40)
    found = spearman(x, y)
    oracle = scipy.stats.spearmanr(x, y)
    assert found.rho == pytest.approx(oracle.statistic, rel=1e-10)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-8)
    half = 1.959963984540054 * np.sqrt((1 + found.rho**2 / 2) / 37)
    edges = np.tanh(np.arctanh(found.rho) + np.array([-half, half]))
    assert (found.low, found.high) == pytest.approx(tuple(edges), rel=1e-10)


def test_ranks_alone_decide_spearmans():
    x, y = _points(30, 0.2)
    assert spearman(x, np.exp(5 * y)) == pytest.approx(spearman(x, y), rel=1e-12)
    assert spearman(x, np.exp(x))[:4] == pytest.approx((1, 1, 1, 0), abs=1e-12)


def test_the_band_is_that_of_the_normal_equations():
    x, y = _points(12, 0.1)
    at = np.array([25.0, 30.0, 41.0])
    design = np.stack([np.ones_like(x), x], 1)
    beta, squares, *_ = np.linalg.lstsq(design, y, rcond=None)
    covariance = np.linalg.inv(design.T @ design) * squares[0] / 10
    rows = np.stack([np.ones_like(at), at], 1)
    half = scipy.stats.t.ppf(0.95, 10) * np.sqrt(
        np.einsum("ij,jk,ik->i", rows, covariance, rows)
    )
    low, high = line_band(x, y, at, level=0.9)
    np.testing.assert_allclose(low, rows @ beta - half, rtol=1e-8)
    np.testing.assert_allclose(high, rows @ beta + half, rtol=1e-8)


@pytest.mark.parametrize(
    ("x", "y", "level", "message"),
    [
        ([1, 2, 3], [1, 2, 3], 0.95, "n at least 4"),
        ([1, 2, 3, 4], [1, 2, 3], 0.95, r"\[4\] and \[3\]"),
        ([[1, 2, 3, 4]], [[1, 2, 3, 4]], 0.95, r"\[1, 4\]"),
        ([1, 2, np.nan, 4], [1, 2, 3, 4], 0.95, "1 that are not in x"),
        ([1, 2, 3, 4], [1, 2, np.inf, np.nan], 0.95, "2 that are not in y"),
        ([7, 7, 7, 7], [1, 2, 3, 4], 0.95, "x to vary, found 7"),
        ([1, 2, 3, 4], [0.1 + 0.2, 0.3, 0.3, 0.3], 0.95, "y to vary"),
        ([0, 0, 0, 0], [1, 2, 3, 4], 0.95, "x to vary"),
        ([1, 2, 3, 4], [1, 2, 4, 3], 95, "found 95"),
    ],
)
def test_what_has_no_correlation_is_refused(x, y, level, message):
    for function in (regress, spearman):
        with pytest.raises(UserError, match=message):
            function(np.array(x), np.array(y), level=level)
