"""N picked labels are worth M random ones: M by definition, its interval simulated."""

import math

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from jaxsel.errors import UserError
from jaxsel.evaluation.labels_worth import equivalent_labels, isotonic, labels_worth
from jaxsel.evaluation.rows import ResultRow

BUDGETS = (10, 20, 40, 80, 160)


def row(method: str, budget: int, seed: int, accuracy: float) -> ResultRow:
    return ResultRow("d", "f", "probe", method, budget, seed, accuracy, 9, 0.0, 0.0)


def constant(values) -> np.ndarray:
    return np.tile(np.asarray(values, float), (4, 1))


def test_isotonic_is_scikit_learns():
    curves = np.random.default_rng(0).normal(size=(50, 7)) + np.arange(7) / 3
    wanted = [IsotonicRegression().fit_transform(np.arange(7), y) for y in curves]
    np.testing.assert_allclose(isotonic(curves), wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("reached", "labels"),
    [
        (0.5, 20.0),  # exactly at a measured budget
        (0.55, math.sqrt(20 * 40)),  # halfway between two, in log labels
        (0.9, math.inf),  # beyond what was measured
        (0.1, 10.0),  # the least measured budget has it already
    ],
)
def test_labels_by_hand(reached, labels):
    random = constant([0.4, 0.5, 0.6, 0.7, 0.8])
    found = equivalent_labels(BUDGETS, random, np.full(4, reached))
    assert found == pytest.approx((labels, labels, labels))


def test_a_curve_that_falls_is_made_monotone_first():
    # 20 random labels were better than 40 by chance: pooled, both have 0.55.
    random = constant([0.4, 0.6, 0.5, 0.7, 0.8])
    labels, *_ = equivalent_labels(BUDGETS, random, np.full(4, 0.55))
    assert labels == pytest.approx(20.0)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Curve .3 + .1 log2(m / 10), the method worth exactly 40; seeds shared."""
    rng = np.random.default_rng(0)
    truth = 0.3 + 0.1 * np.log2(np.array(BUDGETS) / 10)
    held = 0
    repetitions = 400
    for _ in range(repetitions):
        seed_effect = 0.02 * rng.normal(size=(20, 1))
        random = truth + seed_effect + 0.03 * rng.normal(size=(20, 5))
        picked = truth[2] + seed_effect[:, 0] + 0.03 * rng.normal(size=20)
        _, low, high = equivalent_labels(BUDGETS, random, picked)
        held += low <= 40 <= high
    # Binomial(400, .95) lies at or above 365 with probability .9995.
    assert held >= 365


def test_rows_are_joined_by_seed_and_incomplete_seeds_left_out():
    rows = [row("random", m, s, m / 200) for m in BUDGETS for s in range(4)]
    rows += [row("norm", 10, s, 0.1) for s in range(4)] + [row("norm", 20, 0, 0.5)]
    rows = [r for r in rows if not (r.method == "random" and r[4:6] == (80, 3))]
    (worth,) = labels_worth(rows)  # 20 labels have one seed: no interval, no entry
    assert (worth.method, worth.budget, worth.n) == ("norm", 10, 3)
    assert worth.labels == pytest.approx(20.0) and worth.resolved


def test_one_random_budget_is_no_curve():
    rows = [row(m, 10, s, 0.5) for m in ("random", "norm") for s in range(5)]
    assert labels_worth(rows) == []


def test_a_level_outside_zero_and_one_is_refused():
    with pytest.raises(UserError, match="level"):
        labels_worth([], level=95)
