"""Means, standard errors and paired intervals against SciPy and hand computation."""

import numpy as np
import pytest
import scipy.stats

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import (
    Estimate,
    PairedDifference,
    Setting,
    accuracy_cells,
    estimate,
    interval_half_width,
    paired_differences,
)

PROBE = Setting("digits", "raw", "probe")


def _row(method, budget, seed, accuracy, setting=PROBE):
    return ResultRow(*setting, method, budget, seed, accuracy, 5, 0.1, 1.0)


def _rows(methods, budgets, seeds, generator):
    return [
        _row(method, budget, seed, float(generator.uniform()))
        for method in methods
        for budget in budgets
        for seed in range(seeds)
    ]


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_mean_and_interval_agree_with_scipy(n, level):
    values = np.random.default_rng(n).normal(0.5, 0.1, n)
    found = estimate(list(values))
    assert found.n == n
    assert found.mean == pytest.approx(values.mean(), rel=1e-14)
    assert found.standard_error == pytest.approx(scipy.stats.sem(values), rel=1e-12)
    low, high = scipy.stats.ttest_1samp(values, 0.0).confidence_interval(level)
    half = interval_half_width(found, level)
    assert found.mean - half == pytest.approx(low, abs=1e-12)
    assert found.mean + half == pytest.approx(high, abs=1e-12)


def test_one_value_has_no_error_and_no_interval():
    assert estimate([0.25]) == Estimate(0.25, None, 1)
    assert interval_half_width(estimate([0.25])) is None


def test_bad_requests_are_refused():
    with pytest.raises(UserError, match="at least one value"):
        estimate([])
    with pytest.raises(UserError, match="found 95"):
        interval_half_width(Estimate(0.0, 1.0, 3), 95)


def test_cells_group_by_setting_method_and_budget():
    other = PROBE._replace(framework="scratch")
    rows = [
        _row("norm", 20, 0, 0.4, other),
        _row("norm", 20, 0, 0.5),
        _row("norm", 10, 0, 0.2),
        _row("norm", 20, 1, 0.7),
    ]
    cells = accuracy_cells(rows)
    assert [(c.setting, c.budget, c.accuracy.n) for c in cells] == [
        (other, 20, 1),
        (PROBE, 10, 1),
        (PROBE, 20, 2),
    ]
    assert cells[-1].accuracy.mean == pytest.approx(0.6)
    # (0.1^2 + 0.1^2) / 1 is the variance, and half of it the mean's.
    assert cells[-1].accuracy.standard_error == pytest.approx(0.1)


def test_paired_differences_agree_with_scipys_paired_test():
    rows = _rows(["random", "norm"], [10], 5, np.random.default_rng(0))
    (found,) = paired_differences(rows, level=0.9)
    norm = [row.accuracy for row in rows if row.method == "norm"]
    random = [row.accuracy for row in rows if row.method == "random"]
    oracle = scipy.stats.ttest_rel(norm, random).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx(tuple(oracle), abs=1e-12)
    assert (found.setting, found.budgets, found.n) == (PROBE, (10,), 5)


def test_seeds_are_paired_by_number_not_by_order():
    rows = [
        _row("norm", 10, 2, 0.52),
        _row("random", 10, 0, 0.30),
        _row("norm", 10, 0, 0.32),
        _row("random", 10, 2, 0.50),
        _row("random", 10, 7, 0.99),  # no partner
        _row("norm", 10, 8, 0.01),  # no partner
    ]
    (found,) = paired_differences(rows)
    assert found.n == 2
    assert found.mean == pytest.approx(0.02)
    assert found.half_width == pytest.approx(0.0, abs=1e-12)


def test_pooling_averages_each_seed_over_the_budgets_first():
    rows = _rows(["random", "norm"], [10, 20, 40], 4, np.random.default_rng(1))
    found = paired_differences(rows)
    assert [each.budgets for each in found] == [(10,), (20,), (40,), (10, 20, 40)]
    gap = np.array(
        [
            [
                next(r.accuracy for r in rows if r[3:6] == ("norm", budget, seed))
                - next(r.accuracy for r in rows if r[3:6] == ("random", budget, seed))
                for budget in (10, 20, 40)
            ]
            for seed in range(4)
        ]
    )
    by_seed = scipy.stats.ttest_1samp(gap.mean(1), 0.0).confidence_interval(0.95)
    assert (found[-1].low, found[-1].high) == pytest.approx(tuple(by_seed), abs=1e-12)
    assert found[-1].n == 4  # the seeds, not seeds x budgets


def test_pooling_uses_only_seeds_that_have_every_budget():
    rows = _rows(["random", "norm"], [10, 20], 3, np.random.default_rng(2))
    partial = [r for r in rows if r[3:6] != ("norm", 20, 1)]
    pooled = paired_differences(partial)[-1]
    without_seed = [row for row in rows if row.seed != 1]
    assert pooled == paired_differences(without_seed)[-1]
    # With no seed that has them all there is nothing to pool.
    apart = [row for row in rows if (row.budget, row.seed) in {(10, 0), (20, 1)}]
    assert [each.budgets for each in paired_differences(apart)] == [(10,), (20,)]


def test_settings_are_never_mixed():
    other = PROBE._replace(features="net")
    rows = [_row("random", 10, 0, 0.1), _row("norm", 10, 0, 0.9, other)]
    assert paired_differences(rows) == []


def test_without_the_baseline_there_is_nothing_to_compare():
    rows = _rows(["norm", "gram_schmidt"], [10], 3, np.random.default_rng(3))
    assert paired_differences(rows) == []
    compared = paired_differences(rows, baseline="norm")
    assert [each.method for each in compared] == ["gram_schmidt"]


def test_resolved_means_that_the_interval_excludes_zero():
    difference = PairedDifference(PROBE, "a", "b", (1,), 0.02, 0.01, 3, 0.95)
    assert difference.resolved
    assert difference._replace(mean=-0.02).resolved
    assert not difference._replace(mean=0.005).resolved
    assert not difference._replace(half_width=None).resolved
    # Nor is the rounding error of equal accuracies a difference.
    assert not difference._replace(mean=1e-17, half_width=0.0).resolved


def test_a_run_that_appears_twice_is_refused():
    rows = [_row("random", 10, 0, 0.1), _row("random", 10, 0, 0.2)]
    for function in (accuracy_cells, paired_differences):
        with pytest.raises(UserError, match="each run once"):
            function(rows)
