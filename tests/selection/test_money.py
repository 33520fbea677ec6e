"""Costs in whole units: sums exact in decimals, and never more than there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxsel.selection.money import MOST, in_units


@pytest.mark.parametrize(
    ("costs", "funds", "paid"),
    [
        ([0.1] * 40, 1.0, 10),
        ([0.7] * 5, 2.1, 3),
        ([1.1] * 30, 22, 20),
        (np.full(9, 0.3, np.float32), 0.9, 3),
        ([7, 7, 7], 20.99, 2),
        ([0.125] * 9, 1.0, 8),
    ],
)
def test_as_many_are_paid_for_as_there_is_money(costs, funds, paid):
    money = in_units(np.asarray(costs, np.float64), funds)
    assert money.funds // money.costs[0] == paid


@given(
    costs=st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=5),
    funds=st.floats(1e-6, 1e9),
)
def test_units_fit_and_never_overspend(costs, funds):
    money = in_units(np.array(costs), funds)
    assert 1 <= money.costs.min() and money.costs.max() <= money.funds + 1 <= MOST + 1
    for cost, units in zip(costs, money.costs, strict=True):
        if units <= money.funds:
            assert units * money.unit == pytest.approx(cost, rel=2e-7, abs=funds * 1e-6)
        else:
            assert cost > funds * (1 - 1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_costs_without_a_common_unit_are_rounded_up(seed):
    """In units, no pick is cheaper than it is: the funds hold for what is spent."""
    costs = np.geomspace(0.001, 200, 200) * np.random.default_rng(seed).uniform(
        size=200
    )
    money = in_units(costs, 100.0)
    assert money.unit == 100.0 / MOST
    payable = costs <= 100.0
    assert (money.costs * money.unit >= costs * (1 - 1e-12))[payable].all()
    assert (money.costs * money.unit <= costs + 1.0001 * money.unit)[payable].all()
    assert (money.costs[~payable] == money.funds + 1).all()
