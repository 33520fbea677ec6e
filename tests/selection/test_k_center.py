"""k-center against farthest-first written out in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.selection import k_center
from jaxsel.selection.k_center import select_k_center
from tests import rounding

KEY = jax.random.key(0)


def relative(d):
    """The error of a distance from differences: d squares, their sum and a root."""
    return rounding.gamma(d + 2)


def oracle(rows, budget, labelled, follow=None):
    """Picks, gains, rounds and radius.

    Where picks to `follow` are given, each must be the best by more than float32 can
    hide, or tie with it to within that; then they are what it goes on with.
    """
    exact = rows.astype(np.float64)

    def to(centre):
        return np.sqrt(((exact - centre) ** 2).sum(axis=1))

    nearest = np.full(len(rows), np.inf)
    for row in exact[labelled]:
        nearest = np.minimum(nearest, to(row))
    free, mean = ~labelled, exact.mean(axis=0)
    picks, gains, rounds = [], [], 1
    for step in range(budget):
        first = step == 0 and not labelled.any()
        score = -to(mean) if first else nearest
        score = np.where(free, score, -np.inf)
        pick = int(score.argmax())
        if follow is not None:
            # The first is compared by its distance to the mean, a rounded row.
            error = relative(rows.shape[1]) * np.abs(score[pick])
            error += first * rounding.gamma(2) * np.linalg.norm(mean)
            assert score[follow[step]] >= score[pick] - 2 * error
            pick = int(follow[step])
        rounds += nearest[pick] == 0
        picks.append(pick)
        gains.append(nearest[pick])
        free[pick] = False
        nearest = np.minimum(nearest, to(exact[pick]))
    return picks, gains, rounds, nearest.max()


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(120, 12)).astype(np.float32)


@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize("labels", [0, 7])
def test_picks_are_farthest_first(rows, offset, labels):
    pool = rows * np.float32(0.01) + np.float32(offset)
    labelled = np.arange(120) < labels
    picks = select_k_center(KEY, pool, jnp.asarray(labelled), budget=30)
    found = picks.indices.tolist()
    _, gains, rounds, radius = oracle(pool, 30, labelled, follow=found)
    error = relative(12)
    np.testing.assert_allclose(picks.gains, gains, rtol=error)
    assert int(picks.rounds) == rounds
    assert float(picks.info["radius"]) == pytest.approx(radius, rel=error)
    assert np.all(np.diff(picks.gains[1:]) <= 0)


def test_copies_are_bought_last_and_in_order(rows):
    pool = rows[:10].repeat(12, axis=0)
    picks = select_k_center(KEY, pool, jnp.zeros(120, bool), budget=30)
    want = oracle(pool, 30, np.zeros(120, bool))
    assert picks.indices.tolist() == want[0]
    assert len({i // 12 for i in picks.indices[:10].tolist()}) == 10
    rest = [i for i in range(120) if i not in picks.indices[:10].tolist()]
    assert picks.indices[10:].tolist() == rest[:20]
    assert int(picks.rounds) == 1 + 20


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_a_pool_beyond_one_block_is_traversed_alike(offset):
    pool = np.random.default_rng(1).normal(size=(6000, 6)).astype(np.float32)
    pool = pool * np.float32(0.1) + np.float32(offset)
    assert len(pool) > k_center.GROUPS * k_center.GROUP
    labelled = np.arange(6000) < 3
    picks = select_k_center(KEY, pool, jnp.asarray(labelled), budget=60)
    found = picks.indices.tolist()
    _, gains, _, radius = oracle(pool, 60, labelled, follow=found)
    np.testing.assert_allclose(picks.gains, gains, rtol=relative(6))
    assert float(picks.info["radius"]) == pytest.approx(radius, rel=relative(6))


def test_copies_spread_over_many_blocks_are_bought_last():
    rng = np.random.default_rng(2)
    pool = rng.normal(size=(40, 6)).astype(np.float32)[rng.integers(0, 40, 6000)]
    picks = select_k_center(KEY, pool, jnp.zeros(6000, bool), budget=60)
    want, _, rounds, _ = oracle(pool, 60, np.zeros(6000, bool))
    assert picks.indices.tolist() == want
    assert int(picks.rounds) == rounds == 1 + 20


def test_random_ties_vary_and_are_maxima():
    pool = np.eye(12, dtype=np.float32).repeat(10, axis=0)
    chosen = set()
    for seed in range(5):
        picks = select_k_center(
            jax.random.key(seed), pool, jnp.zeros(120, bool), budget=12, tie="random"
        )
        assert len({i // 10 for i in picks.indices.tolist()}) == 12
        chosen.add(tuple(picks.indices.tolist()))
    assert len(chosen) == 5


def test_vmap_over_keys_equals_the_solo_call(rows):
    pool, none = jnp.asarray(rows), jnp.zeros(120, bool)
    keys = jax.random.split(KEY, 2)
    batch = jax.vmap(lambda key: select_k_center(key, pool, none, budget=30).indices)
    solo = select_k_center(keys[0], pool, none, budget=30).indices
    assert batch(keys)[0].tolist() == solo.tolist()


WALK, READ = jax.jit(k_center._walk), jax.jit(k_center._read)


def state_of(rows, picked, bound):
    """A pool of which some rows were picked, and what is known of distances."""
    n = len(rows)
    exact = ((rows.astype(np.float64) - rows[picked]) ** 2).sum(axis=1)
    pool = k_center._Pool(
        jnp.asarray(rows),
        jnp.sum(jnp.square(jnp.asarray(rows)), axis=1),
        (rows.shape[1] + 8) * 2.0**-24,
    )
    state = k_center._State(
        bound=jnp.full(n, bound, jnp.float32),
        nearest=jnp.full(n, jnp.inf, jnp.float32),
        free=jnp.ones(n, bool).at[picked].set(False),
        indices=jnp.full(3, picked, jnp.int32),
        gains=jnp.zeros(3, jnp.float32),
        picked=jnp.int32(1),
        read=jnp.int32(0),
        passed=jnp.int32(0),
        rounds=jnp.int32(1),
    )
    return pool, state, exact


@pytest.mark.parametrize(("share", "certain"), [(2e-6, False), (1e-4, True)])
def test_a_walk_leaves_near_ties_to_a_plain_pass(share, certain):
    """Rows whose distances differ by less than sums in another order could."""
    rows = np.array([[0.0], [3.0], [-3.0 * (1 + share)], [0.5]], np.float32)
    pool, state, _ = state_of(rows, 0, 10.0)
    walked = WALK(pool, state, 2)
    assert walked.indices[1] == (2 if certain else 0)
    assert walked.picked == 1 + certain


@pytest.mark.parametrize("offset", [1.0, 30.0])
def test_bounds_are_not_below_the_distances(offset):
    rng = np.random.default_rng(0)
    rows = (offset + 0.01 * rng.normal(size=(120, 12))).astype(np.float32)
    pool, state, exact = state_of(rows, 7, np.inf)
    bound = np.asarray(READ(pool, state).bound, np.float64)
    assert (bound >= exact).all() and (bound <= exact + 0.02 * offset**2).all()
