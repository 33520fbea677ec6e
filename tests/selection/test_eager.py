"""Without jit, operation by operation in Python's own loops, the same picks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.selection.methods import METHODS
from jaxsel.selection.rows import unit_rows

# Every operation is dispatched, and compiled, on its own: a handful of rows, and in
# the quick cases no search for a radius or for clusters.
N = 8
CLUSTERS = jnp.arange(N, dtype=jnp.int32) // 4
CASES = [
    ("random", {}),
    ("norm", {}),
    pytest.param("gram_schmidt", {"algorithm": "sequential"}, marks=pytest.mark.slow),
    pytest.param("probcover", {"delta": 0.7}, marks=pytest.mark.slow),
    pytest.param("typiclust", {"clusters": CLUSTERS}, marks=pytest.mark.slow),
    pytest.param("k_center", {}, marks=pytest.mark.slow),
    pytest.param("max_herding", {"bandwidth": 0.5}, marks=pytest.mark.slow),
    *[
        pytest.param(method, {}, marks=pytest.mark.slow)
        for method in ("gram_schmidt", "probcover", "typiclust", "max_herding")
    ],
]


@pytest.mark.parametrize(("method", "options"), CASES)
def test_eagerly_as_jitted(method, options):
    entry = METHODS[method]
    rows = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    rows = unit_rows(rows) if entry.rows == "unit" else jnp.asarray(rows)
    labelled = jnp.arange(N) == 2

    def call():
        key = jax.random.key(1)
        return entry.function(key, rows, labelled, budget=2, **options)

    expected = call()
    with jax.disable_jit():
        found = call()
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_allclose(found.gains, expected.gains, rtol=1e-5, atol=1e-6)


def test_every_base_method_is_among_the_cases():
    named = {getattr(case, "values", case)[0] for case in CASES}
    assert named == {name for name in METHODS if "+" not in name}
