"""Rows of any magnitude: the picks are those of exact arithmetic."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxsel
from jaxsel.selection.rows import unit_rows

N, D, BUDGET = 24, 5, 8
BASE = np.random.default_rng(0).normal(size=(N, D))
HUGE = np.array([[1, 0], [2, 0], [3, 0], [0, 1e30]], np.float32)
powers = st.lists(st.integers(-140, 126), min_size=N, max_size=N)


def pool_of(exponents: list[int]) -> np.ndarray:
    """Rows of float32, some of subnormal numbers."""
    return np.ldexp(BASE, np.array(exponents)[:, None]).astype(np.float32)


def norms(rows: np.ndarray, order: float) -> np.ndarray:
    return np.linalg.norm(rows.astype(np.float64), order, axis=1)


def residual_order(rows: np.ndarray, budget: int) -> list[int]:
    """Column-pivoted Gram-Schmidt, projected twice, in float64, within one round."""
    rest = rows.astype(np.float64)
    free = np.ones(len(rows), bool)
    picks: list[int] = []
    for _ in range(budget):
        picks.append(int(np.argmax(np.where(free, norms(rest, 2), -1))))
        free[picks[-1]] = False
        q = rest[picks[-1]] / np.linalg.norm(rest[picks[-1]])
        for _ in range(2):
            rest = rest - np.outer(rest @ q, q)
    return picks


def farthest_order(rows: np.ndarray, start: int, budget: int) -> list[int]:
    rows = rows.astype(np.float64)
    picks, away = [start], np.full(len(rows), np.inf)
    for _ in range(budget):
        away = np.minimum(away, ((rows - rows[picks[-1]]) ** 2).sum(axis=1))
        picks.append(int(np.argmax(np.where(np.isin(range(N), picks), -1, away))))
    return picks[1:]


@given(powers, st.sampled_from([1, 2, np.inf]))
@settings(deadline=None, max_examples=25)
def test_norms_are_in_order(exponents, order):
    rows = pool_of(exponents)
    found = jaxsel.select(
        rows, BUDGET, "norm", deterministic=True, norm_ord=order
    ).indices
    want = norms(rows, order)
    assert np.array_equal(want[found], np.sort(want)[::-1][:BUDGET])


@given(powers)
@settings(deadline=None, max_examples=25)
def test_residuals_are_in_order(exponents):
    rows = pool_of(exponents)
    found = jaxsel.select(rows, D, "gram_schmidt", deterministic=True).indices
    assert found.tolist() == residual_order(rows, D)


@given(st.lists(st.integers(-30, 120), min_size=N, max_size=N))
@settings(deadline=None, max_examples=25)
def test_distances_are_in_order(exponents):
    # Beyond 2^-45 of the rows compared, float64 has ties of its own.
    exponents = [e % 40 if i % 8 else 110 for i, e in enumerate(exponents)]
    rows = pool_of(exponents)
    found = jaxsel.select(rows, BUDGET, "k_center", labelled=[0]).indices
    assert found.tolist() == farthest_order(rows, 0, BUDGET)


@pytest.mark.parametrize("unit", [1.0, 2.0**97, 2.0**-130])
def test_one_outlier_hides_no_row(unit):
    rows = HUGE.astype(np.float64) * unit
    rows = rows if unit > 1e20 else rows.astype(np.float32)
    for order in (1, 2):
        found = jaxsel.select(rows, 4, "norm", deterministic=True, norm_ord=order)
        assert found.indices.tolist() == [3, 2, 1, 0]
        assert found.info["zero_rows"] == 0 and found.info["rounds"] == 1
    scale = found.info["scale"]
    assert np.allclose(found.gains, norms(rows, 1)[[3, 2, 1, 0]] * scale, rtol=1e-6)


def test_rows_near_the_largest_number_are_not_zero():
    rows = np.array([[1, 0], [2, 0], [3, 0], [0, 17]], np.float32)
    found = jaxsel.select(rows * np.float32(1.2e37), 4, "norm", deterministic=True)
    assert found.indices.tolist() == [3, 2, 1, 0]
    assert found.info["zero_rows"] == 0 and np.all(found.gains > 0)


def padded(rows: np.ndarray) -> np.ndarray:
    """With zero rows and columns, so that tests share compiled programs."""
    n, d = rows.shape
    return np.pad(rows, ((0, N - n), (0, D - d)))


def test_numbers_beyond_float32_are_scaled_before_they_are_rounded():
    some = np.array([[1.0, 0], [2, 0], [3, 0], [0, 1e300], [1e-300, 0]])
    found = jaxsel.select(padded(some), BUDGET, "norm", deterministic=True)
    assert found.indices.tolist() == [3, 2, 1, 0, 4, 5, 6, 7]
    assert found.info["zero_rows"] == N - 5 and found.info["rounds"] == 2
    found = jaxsel.select(padded(some), D, "gram_schmidt", deterministic=True)
    assert found.indices.tolist()[:2] == [3, 2]
    with pytest.raises(jaxsel.UserError, match="squared distances"):
        jaxsel.select(padded(some), BUDGET, "k_center", labelled=[0])


def test_a_long_row_that_is_spanned_is_not_new():
    # What rounding leaves of 1e30 (1, 1) is longer than all of (1, -1).
    some = np.array([[1, 1], [2**99, 2**99], [2**100, 2**100], [1, -1]], np.float32)
    found = jaxsel.select(padded(some), D, "gram_schmidt", deterministic=True)
    assert found.indices.tolist()[:2] == [2, 3]
    plain = {"algorithm": "sequential", "deterministic": True}
    assert jaxsel.select(some, 2, "gram_schmidt", **plain).indices.tolist() == [2, 3]


def test_draws_follow_the_weights_of_every_size():
    rows = np.array([[0, 1e30], [1, 0], [3, 0], [1e-30, 0]], np.float32)
    seconds = []
    for seed in range(100):
        picks = jaxsel.select(rows, 4, "norm", seed=seed).indices
        assert (picks[0], picks[-1]) == (0, 3)
        seconds.append(picks[1])
    # Of 100 draws 75 are expected; 4 standard errors are 17.3.
    assert abs(seconds.count(2) - 75) <= 17


@pytest.mark.parametrize(
    "method", ["max_herding", pytest.param("probcover", marks=pytest.mark.slow)]
)
def test_directions_of_tiny_and_huge_rows(method):
    width = "bandwidth" if method == "max_herding" else "delta"
    moderate = np.rint(BASE * 8).astype(np.float32)
    rows = np.ldexp(moderate, np.array([-140, 0, 120] * 8)[:, None])
    found = jaxsel.select(rows, 4, method, **{width: 0.6})
    want = jaxsel.select(moderate, 4, method, **{width: 0.6})
    assert found.indices.tolist() == want.indices.tolist()
    assert np.array_equal(found.gains, want.gains)


def test_two_stages_see_the_same_directions_in_float64():
    moderate = np.rint(BASE * 8).astype(np.float32)
    rows = np.ldexp(moderate.astype(np.float64), np.array([-400, 0, 400] * 8)[:, None])
    with jax.enable_x64(True):
        found = unit_rows(jnp.asarray(rows))
    assert found.dtype == jnp.float32
    assert np.array_equal(found, unit_rows(jnp.asarray(moderate)))


def test_divisors_of_any_size():
    inputs = np.array([1e-300, 1e300, 1.0, 0.0])
    found = jaxsel.select(HUGE, 4, "norm", deterministic=True, input_norms=inputs)
    assert found.indices.tolist() == [0, 2, 1, 3]
    assert np.all(np.isfinite(found.gains))


def test_rows_that_differ_in_tiny_numbers_are_no_copies():
    rows = np.zeros((N, D), np.float32)
    rows[:, 0], rows[:, 1] = 1, 1e-30
    rows[1:3, 1] = 2e-30, 5e-30
    found = jaxsel.select(rows, BUDGET, "k_center", labelled=[0])
    assert found.indices.tolist() == [2, 1, 3, 4, 5, 6, 7, 8]
    assert found.info["rounds"] == 7  # from row 3 on they are copies
