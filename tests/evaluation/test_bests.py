"""The best of A against the best of B: by definition, and how often it errs."""

import itertools

import numpy as np
import pytest
import scipy.stats

from benchmarks.verdicts import Case, draw, rates
from jaxsel.errors import UserError
from jaxsel.evaluation.bests import difference_of_bests


def _table(seed, methods, seeds, missing=0.0):
    rng = np.random.default_rng(seed)
    table = 0.5 + 0.05 * rng.normal(size=(methods, seeds))
    table[rng.random(table.shape) < missing] = np.nan
    table[:, :2] = 0.5 + 0.05 * rng.normal(size=(methods, 2))  # two that all have
    return table


def _by_definition(ours, theirs, level):
    """Value and ends, pair by pair with SciPy's t."""
    low, high, value = (np.zeros((len(ours), len(theirs))) for _ in range(3))
    for i, j in itertools.product(range(len(ours)), range(len(theirs))):
        gaps = ours[i] - theirs[j]
        gaps = gaps[~np.isnan(gaps)]
        value[i, j], error = gaps.mean(), scipy.stats.sem(gaps)
        side = (1 - level) / 2
        low[i, j] = value[i, j] + scipy.stats.t.ppf(
            side / len(ours), len(gaps) - 1, scale=error
        )
        high[i, j] = value[i, j] - scipy.stats.t.ppf(
            side / len(theirs), len(gaps) - 1, scale=error
        )
    middle = max(min(row) for row in value)
    lowest = min(max(column) for column in low.T)
    highest = max(min(row) for row in high)
    return middle, min(lowest, middle), max(highest, middle)


@pytest.mark.parametrize("level", [0.95, 0.5])
@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_that_of_the_definition(seed, missing, level):
    ours = _table(seed, 4, 12, missing)
    theirs = _table(seed + 100, 3, 12, missing)
    found = difference_of_bests(ours, theirs, level)
    expected = _by_definition(ours, theirs, level)
    np.testing.assert_allclose(found[:3], expected, rtol=1e-9)
    common = ~np.isnan(ours)[:, None] & ~np.isnan(theirs)
    assert found.n == common.sum(axis=2).min()


def test_one_against_one_is_students_paired_interval():
    ours, theirs = _table(0, 1, 9), _table(1, 1, 9)
    paired = scipy.stats.ttest_rel(ours[0], theirs[0]).confidence_interval(0.95)
    found = difference_of_bests(ours, theirs)
    np.testing.assert_allclose([found.low, found.high], paired, rtol=1e-9)


def test_the_groups_exchanged_turn_the_interval_round():
    ours, theirs = _table(2, 4, 6), _table(3, 2, 6)
    there, back = difference_of_bests(ours, theirs), difference_of_bests(theirs, ours)
    np.testing.assert_allclose(
        [there.value, there.low, there.high], [-back.value, -back.high, -back.low]
    )


def test_many_trials_at_once_are_one_after_another():
    ours = np.stack([_table(seed, 2, 5, 0.2) for seed in range(6)])
    theirs = np.stack([_table(seed, 3, 5, 0.2) for seed in range(6, 12)])
    together = difference_of_bests(ours.reshape(2, 3, 2, 5), theirs.reshape(2, 3, 3, 5))
    for place, pair in enumerate(zip(ours, theirs, strict=True)):
        for all_of_it, one in zip(together, difference_of_bests(*pair), strict=True):
            np.testing.assert_allclose(all_of_it.reshape(-1)[place], one)


def test_too_few_seeds_bound_nothing():
    one = difference_of_bests(np.array([[0.9]]), np.array([[0.1], [0.2]]))
    assert (one.low, one.high, one.n) == (-np.inf, np.inf, 1)
    np.testing.assert_allclose(one.value, 0.7)
    # Two seeds each, none of them common.
    apart = difference_of_bests(
        np.array([[0.9, 0.7, np.nan, np.nan]]), np.array([[np.nan, np.nan, 0.1, 0.3]])
    )
    assert (apart.low, apart.high, apart.n) == (-np.inf, np.inf, 0)
    np.testing.assert_allclose(apart.value, 0.6)


def test_a_rival_that_was_hardly_run_leaves_the_lead_open():
    # It may be the best of its group: beating the other one says nothing of it.
    ours = np.array([[0.90, 0.91, 0.92, 0.90]])
    known = np.array([0.10, 0.12, 0.11, 0.10])
    rarely = np.array([0.10, np.nan, np.nan, np.nan])
    assert difference_of_bests(ours, known[None]).low > 0.7
    found = difference_of_bests(ours, np.stack([known, rarely]))
    assert found.low == -np.inf and np.isfinite(found.high)


@pytest.mark.parametrize(
    ("ours", "theirs", "level", "message"),
    [
        ((2, 3), (2, 4), 0.95, "the same seeds"),
        ((0, 3), (2, 3), 0.95, "at least one method"),
        ((2, 0), (2, 0), 0.95, "at least one method"),
        ((3,), (3,), 0.95, "at least one method"),
        ((5, 2, 3), (4, 2, 3), 0.95, "the same seeds"),
        ((2, 3), (2, 3), 1.0, "level between 0 and 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(ours, theirs, level, message):
    with pytest.raises(UserError, match=message):
        difference_of_bests(np.ones(ours), np.ones(theirs), level)


def test_a_method_without_a_seed_is_refused():
    with pytest.raises(UserError, match="every method with a seed"):
        difference_of_bests(np.full((1, 3), np.nan), np.ones((1, 3)))


TRIALS = 3_000
# A rate of 2.5 % is seen within four standard errors of itself.
ALLOWED = 2.5 + 4 * 100 * np.sqrt(0.025 * 0.975 / TRIALS)


@pytest.mark.parametrize("seeds", [3, 10, 40])
@pytest.mark.parametrize(
    ("groups", "losers", "noise"),
    [
        ((4, 3), "equal", "even"),  # where choosing by the other seeds errs most
        ((8, 2), "theirs worse", "even"),  # where a bound must hold for all eight
        ((2, 8), "equal", "uneven"),
        ((4, 3), "worse", "missing"),
        ((2, 8), "theirs worse", "correlated"),  # where one pooled variance errs most
    ],
)
def test_each_side_errs_in_a_fortieth_of_the_trials_at_most(
    seeds, groups, losers, noise
):
    case = Case(seeds, groups, losers, noise)
    low, high, *_ = rates(case, TRIALS, np.random.default_rng(7))["ours"]
    assert low <= ALLOWED and high <= ALLOWED


def test_the_level_is_used_up_where_all_of_ours_are_alike_and_one_of_theirs_is():
    # Else a more powerful rule would do: Bonferroni pays for nothing here but ties.
    case = Case(10, (8, 2), "theirs worse", "even")
    low, *_ = rates(case, TRIALS, np.random.default_rng(8))["ours"]
    assert low >= 1.0


def test_a_lead_is_seen():
    # By 5 points with 10 seeds, at the spread of Fig. 3; by 2 points with 40.
    for seeds, power in ((10, 3), (40, 2)):
        case = Case(seeds, (4, 3), "equal", "even")
        found = rates(case, 1_000, np.random.default_rng(9))["ours"]
        assert found[power] >= 95


def test_the_trials_are_those_that_their_names_say():
    rng = np.random.default_rng(0)
    x, y = draw(rng, Case(40, (4, 3), "worse", "even"), 500)
    leads = [*x.mean((0, 2)), *y.mean((0, 2))] - x[:, 0].mean()
    worse = [0, -0.05, -0.05, -0.05, 0, -0.05, -0.05]
    np.testing.assert_allclose(leads, worse, atol=5 * 0.015 * (2 / 20_000) ** 0.5)
    x, y = draw(rng, Case(40, (4, 3), "equal", "missing"), 1)
    assert np.isnan(x).sum(axis=2).tolist() == [[0, 20, 20, 0]]
    assert np.isnan(y).sum(axis=2).tolist() == [[0, 20, 0]]
