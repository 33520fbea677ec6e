"""Random and norm draws against their enumerated laws, and the sampling under them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxsel
from jaxsel.selection import sampling
from jaxsel.selection.norm import select_norm
from jaxsel.selection.uniform import select_random
from tests import oracles

DRAWS = 20_000
LEVEL = 1e-3


def _draws(function, features, labelled, **options):
    mask = np.zeros(len(features), bool)
    mask[list(labelled)] = True
    draw = jax.vmap(lambda key: function(key, features, mask, budget=3, **options))
    return np.asarray(draw(jax.random.split(jax.random.key(3), DRAWS)).indices)


@pytest.mark.parametrize("order", [1.0, 2.0, np.inf])
def test_norm_draws_have_the_law(order):
    rng = np.random.default_rng(0)
    features = jnp.asarray(rng.normal(size=(6, 3)), jnp.float32)
    rows = _draws(select_norm, features, (1,), norm_ord=order)
    law = oracles.norm_law(features, 3, (1,), order)
    assert sum(law.values()) == pytest.approx(1)
    assert oracles.chi_square(rows, law) > LEVEL
    other = oracles.norm_law(np.square(features), 3, (1,), order)
    assert oracles.chi_square(rows, other) < LEVEL


def test_zero_rows_are_drawn_last_and_uniformly():
    features = jnp.asarray([[0.0], [2.0], [0.0], [1.0], [0.0]])
    rows = _draws(select_norm, features, ())
    assert oracles.chi_square(rows, oracles.norm_law(features, 3)) > LEVEL


def test_random_draws_are_uniform():
    features = jnp.zeros((6, 1))
    rows = _draws(select_random, features, (2,))
    law = oracles.norm_law(np.ones((6, 1)), 3, (2,))
    assert oracles.chi_square(rows, law) > LEVEL


def test_deterministic_is_the_sorted_order_with_input_norms():
    rng = np.random.default_rng(1)
    features, inputs = rng.normal(size=(50, 3)), rng.uniform(1, 2, 50)
    inputs[[7, 31]] = 0  # an empty image: its features say nothing of its own
    found = jaxsel.select(
        features, 20, "norm", deterministic=True, input_norms=inputs, norm_ord=1
    )
    lengths = np.abs(features).sum(axis=1)
    scores = np.divide(lengths, inputs, out=np.zeros(50), where=inputs > 0)
    np.testing.assert_array_equal(found.indices, np.argsort(-scores)[:20])
    np.testing.assert_allclose(found.gains, scores[found.indices], rtol=1e-5)


def test_deterministic_ties():
    features = np.ones((9, 2))
    lowest = jaxsel.select(features, 4, "norm", deterministic=True)
    assert lowest.indices.tolist() == [0, 1, 2, 3]
    shuffled = jaxsel.select(features, 4, "norm", deterministic=True, tie="random")
    assert sorted(shuffled.indices) != [0, 1, 2, 3]


def test_noise_tells_the_rows_of_a_large_pool_apart():
    """Of a million draws, 350 lie above 8: no two alike, and by the law.

    Noise made of a uniform number of 23 bits has 2,800 values there, so that some 20 of
    them coincide; its largest value is 15.9, where 10^7 rows have more above it.
    """
    noise = np.asarray(sampling.gumbel(jax.random.key(3), (1 << 20,)), np.float64)
    tail = np.sort(noise[noise > 8])
    assert len(np.unique(tail)) == len(tail)
    share = -np.expm1(-np.exp(-8.0))
    assert stats.binomtest(len(tail), len(noise), share).pvalue > LEVEL
    law = stats.truncexpon(b=np.inf, loc=8)  # beyond 8 the law is exponential to 2e-4
    assert stats.kstest(tail, law.cdf).pvalue > LEVEL


def test_two_level_draws_follow_the_weights():
    weights = np.random.default_rng(0).uniform(size=1000).astype(np.float32)
    weights[::3] = 0
    uniforms = jax.random.uniform(jax.random.key(0), (2, 50_000))
    rows = np.asarray(sampling.proportional(uniforms, jnp.asarray(weights)))
    counts = np.bincount(rows, minlength=1000)
    assert counts[weights == 0].sum() == 0
    kept = weights > 0.05
    expected = weights[kept] / weights[kept].sum() * counts[kept].sum()
    assert stats.chisquare(counts[kept], expected).pvalue > LEVEL


def test_two_level_draws_resolve_a_large_pool():
    """One float32 cumulative sum over 4e6 rows would never return most of them."""
    n = 4_000_000
    uniforms = jax.random.uniform(jax.random.key(1), (2, 10_000))
    rows = np.asarray(sampling.proportional(uniforms, jnp.ones(n)))
    parity = np.bincount(rows % 8, minlength=8)
    assert stats.chisquare(parity).pvalue > LEVEL
    assert len(np.unique(rows)) > 9_900
