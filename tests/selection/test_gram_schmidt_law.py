"""Gram-Schmidt draws have the law of Algorithm 1, enumerated in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.selection.gram_schmidt import select_gram_schmidt
from tests import oracles

DRAWS = 10_000
# A correct sampler fails one fixed-seed case in a thousand at this level.
LEVEL = 1e-3


@functools.lru_cache
def _many(budget, algorithm, norm_ord):
    def one(key, features, labelled):
        picks = select_gram_schmidt(
            key,
            features,
            labelled,
            budget=budget,
            algorithm=algorithm,
            block_size=4,
            norm_ord=norm_ord,
        )
        info = {"measures": jnp.int32(1), "bound_ratio": jnp.float32(0), **picks.info}
        return picks.indices, picks.rounds, info["measures"], info["bound_ratio"]

    def many(keys, features, labelled):
        return jax.lax.map(lambda key: one(key, features, labelled), keys)

    return jax.jit(many)


def _draw(features, labelled, budget, algorithm, norm_ord=2.0):
    keys = jax.random.split(jax.random.key(7), DRAWS)
    mask = np.zeros(len(features), bool)
    mask[list(labelled)] = True
    many = _many(budget, algorithm, norm_ord)
    return [np.asarray(x) for x in many(keys, jnp.asarray(features), jnp.asarray(mask))]


def _rows(seed, n=7, d=5):
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(0.3, 2.0, size=(n, 1))
    return (rng.normal(size=(n, d)) * lengths).astype(np.float32)


def _nearly_parallel():
    """A long common direction: residuals are 1/2500 of the rows after one pick."""
    rows = _rows(3)
    return rows + np.float32(5000.0) * np.eye(5, dtype=np.float32)[0]


POOLS = {
    "plain": (_rows(0), ()),
    "labelled": (_rows(1), (2, 5)),
    "plane": (_rows(2) * np.array([1, 1, 0, 0, 0], np.float32), ()),
    "spanned": (_rows(4) * np.array([1, 1, 0, 0, 0], np.float32), (0, 3)),
    "parallel": (_nearly_parallel(), ()),
}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("algorithm", ["sequential", "downdate", "blocked"])
def test_ordered_picks_have_the_exact_law(algorithm, pool):
    features, labelled = POOLS[pool]
    rows, rounds, measures, ratio = _draw(features, labelled, 3, algorithm)
    law = oracles.gram_schmidt_law(features, 3, labelled)
    assert sum(law.values()) == pytest.approx(1)
    assert oracles.chi_square(rows, law) > LEVEL
    assert ratio.max() <= 1
    # The cases are what they are meant to be.
    assert (rounds == {"plane": 2, "spanned": 3}.get(pool, 1)).all()
    if pool == "parallel" and algorithm != "sequential":
        assert (measures > 1).mean() > 0.2


@pytest.mark.parametrize("norm_ord", [1.0, np.inf])
def test_other_norms_change_the_probabilities_only(norm_ord):
    features, labelled = POOLS["labelled"]
    rows, *_ = _draw(features, labelled, 3, "auto", norm_ord)
    law = oracles.gram_schmidt_law(features, 3, labelled, norm_ord)
    assert oracles.chi_square(rows, law) > LEVEL


def test_the_test_can_fail():
    """The l1 draws are told from the l2 law, so the level has power."""
    features, labelled = POOLS["labelled"]
    rows, *_ = _draw(features, labelled, 3, "auto", 1.0)
    law = oracles.gram_schmidt_law(features, 3, labelled, 2)
    assert oracles.chi_square(rows, law) < LEVEL


def test_zero_rows_come_last_and_uniformly():
    features = np.zeros((5, 5), np.float32)
    features[[1, 3], [0, 2]] = 1.0, 2.0
    for algorithm in ("sequential", "blocked"):
        rows, rounds, *_ = _draw(features, (), 3, algorithm)
        law = oracles.gram_schmidt_law(features, 3)
        assert oracles.chi_square(rows, law) > LEVEL
        assert (rounds == 2).all()
