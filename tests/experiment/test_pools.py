"""Pools: held-out and labelled examples, and what is left to pick from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxsel.errors import UserError
from jaxsel.experiment.pools import check_budgets, draw_pool, pool_size


@given(
    n=st.integers(2, 300),
    holdout=st.floats(0, 0.5),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_a_pool_is_a_part_of_the_set_with_the_initial_pool_inside(
    n: int, holdout: float, share: float, seed: int
) -> None:
    initial = int(share * pool_size(n, holdout))
    pool = draw_pool(n, holdout, initial, seed)
    assert len(pool.rows) == n - round(n * holdout)
    assert len(set(pool.rows.tolist())) == len(pool.rows)
    assert set(pool.rows.tolist()) <= set(range(n))
    assert (np.diff(pool.rows) > 0).all()
    assert len(set(pool.initial.tolist())) == initial
    assert set(pool.initial.tolist()) <= set(pool.rows.tolist())
    again = draw_pool(n, holdout, initial, seed)
    np.testing.assert_array_equal(again.initial, pool.initial)
    # Neither share depends on the other's size.
    np.testing.assert_array_equal(draw_pool(n, holdout, 0, seed).rows, pool.rows)


def test_seeds_hold_out_and_label_different_examples() -> None:
    pools = [draw_pool(1000, 0.1, 20, seed) for seed in range(3)]
    assert len({tuple(pool.rows) for pool in pools}) == 3
    assert len({tuple(pool.initial) for pool in pools}) == 3
    # Uniform: over many seeds, every example is held out about a tenth of the time.
    kept = np.zeros(50)
    for seed in range(400):
        kept[draw_pool(50, 0.1, 0, seed).rows] += 1
    assert (np.abs(kept / 400 - 0.9) < 5 * np.sqrt(0.9 * 0.1 / 400)).all()


def test_a_budget_beyond_the_pool_is_refused() -> None:
    check_budgets([10, 90], 100, 0.1)
    with pytest.raises(UserError, match=r"up to the pool's 90 examples .* found 91"):
        check_budgets([10, 91], 100, 0.1)
