"""MaxHerding against its definition in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.selection import max_herding
from jaxsel.selection.max_herding import herd, select_max_herding
from tests import rounding

KEY = jax.random.key(0)
BUDGET = 25


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def kernel(rows: np.ndarray, bandwidth: float) -> np.ndarray:
    exact = rows.astype(np.float64)
    square = ((exact[:, None] - exact) ** 2).sum(axis=2)
    return np.exp(-square / (2 * bandwidth**2))


def gain_error(rows: np.ndarray, bandwidth: float) -> np.ndarray:
    """How far float32 gains may be from the exact ones, by row.

    exp(-s / 2h²) changes by itself times ds / 2h²; a gain is a mean of n differences of
    two such numbers.
    """
    of_square = rounding.squared_distances(rows, rows) / (2 * bandwidth**2)
    similar = kernel(rows, bandwidth)
    each = similar * (of_square + rounding.gamma(len(rows)))
    return each.mean(axis=1) + each.max(axis=0).mean()


def oracle(similar: np.ndarray, labelled: np.ndarray, follow, error: np.ndarray):
    """Picks to `follow` must be the best, or tie with it to within the error."""
    best = similar[labelled].max(axis=0, initial=0)
    free = ~labelled
    gains, rounds = [], 1
    for pick in follow:
        gain = np.maximum(similar - best, 0).mean(axis=1)
        top = int(np.where(free, gain, -1).argmax())
        assert free[pick] and gain[pick] >= gain[top] - error[pick] - error[top]
        rounds += gain[pick] == 0
        gains.append(gain[pick])
        free[pick] = False
        best = np.maximum(best, similar[pick])
    return gains, rounds, best.mean()


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = unit(rng.normal(size=(12, 10)))
    pool = unit(centres[rng.integers(0, 12, 150)] + 0.15 * rng.normal(size=(150, 10)))
    pool[11] = 0
    return pool


@pytest.mark.parametrize("labels", [0, 5])
@pytest.mark.parametrize("bandwidth", [0.1, 0.7])
def test_picks_and_gains_follow_the_definition(rows, labels, bandwidth):
    labelled = np.arange(150) < labels
    picks = select_max_herding(
        KEY, rows, jnp.asarray(labelled), budget=BUDGET, bandwidth=bandwidth
    )
    found, error = np.asarray(picks.indices), gain_error(rows, bandwidth)
    gains, rounds, value = oracle(kernel(rows, bandwidth), labelled, found, error)
    assert len(found) == BUDGET
    assert np.all(np.abs(picks.gains - np.array(gains)) <= error[found])
    assert int(picks.rounds) == rounds
    assert abs(float(picks.info["similarity"]) - value) <= error.max()


def test_sizes_and_row_order_change_nothing(rows):
    none, width = jnp.zeros(150, bool), jnp.float32(0.5)
    want = herd(KEY, rows, none, width, budget=BUDGET).indices.tolist()
    got = herd(KEY, rows, none, width, budget=BUDGET, tile=32, block=4)
    assert got.indices.tolist() == want
    order = np.random.default_rng(1).permutation(150)
    shuffled = herd(KEY, rows[order], none, width, budget=BUDGET)
    assert order[np.asarray(shuffled.indices)].tolist() == want


def test_copies_are_bought_last_and_in_order(rows):
    pool = rows[:15].repeat(10, axis=0)
    picks = select_max_herding(
        KEY, pool, jnp.zeros(150, bool), budget=BUDGET, bandwidth=0.5
    )
    first = picks.indices[:15].tolist()
    assert len({i // 10 for i in first}) == 15
    rest = [i for i in range(150) if i not in first]
    assert picks.indices[15:].tolist() == rest[: BUDGET - 15]
    assert picks.gains[15:].tolist() == [0] * (BUDGET - 15)
    assert int(picks.rounds) == 1 + BUDGET - 15


def test_a_narrow_cone_is_told_apart_by_the_default_bandwidth():
    """All distances below 0.05: a fixed bandwidth would see a constant kernel."""
    rng = np.random.default_rng(2)
    centres = 1 + 0.02 * rng.normal(size=(12, 10))
    pool = unit(centres.repeat(12, axis=0)[:150] + 0.001 * rng.normal(size=(144, 10)))
    pool = np.concatenate([pool, pool[:6]])
    picks = select_max_herding(KEY, pool, jnp.zeros(150, bool), budget=BUDGET)
    assert float(picks.info["bandwidth"]) < 0.05
    groups = {i // 12 for i in picks.indices[:12].tolist()}
    assert len(groups) >= 11


def test_random_ties_vary():
    pool = jnp.eye(10).repeat(15, axis=0)
    draws = {
        tuple(
            select_max_herding(
                jax.random.key(seed),
                pool,
                jnp.zeros(150, bool),
                budget=10,
                bandwidth=0.5,
                tie="random",
            ).indices.tolist()
        )
        for seed in range(4)
    }
    assert len(draws) == 4


def test_gains_count_by_what_they_cost_and_by_what_is_allowed():
    bounds = jnp.array([6.0, 4.0, 0.0, -1.0])  # the last one is picked already
    state = max_herding._State(jnp.zeros(4), bounds, jnp.zeros(4, bool))
    costs, may = jnp.array([4.0, 2.0, 9.0, 3.0]), jnp.array([True, False, True, True])
    worth = max_herding._worth
    assert worth(None, None, state).tolist() == [6, 4, 0, -1]
    assert worth(None, costs, state).tolist() == [1.5, 2, 0, -1]
    assert worth(may, costs, state).tolist() == [1.5, -1, 0, -1]
