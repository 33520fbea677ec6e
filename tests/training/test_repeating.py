"""An endless row of permutations, entered anywhere."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.training.repeating import repeated_permutations


@pytest.mark.parametrize(("size", "count"), [(3, 10), (10, 4), (1, 5), (7, 7)])
def test_entered_anywhere_the_row_is_the_same(size, count):
    key = jax.random.key(1)
    whole = np.asarray(repeated_permutations(key, size, jnp.int32(0), 6 * count))
    for block in whole[: 6 * count // size * size].reshape(-1, size):
        assert sorted(block) == list(range(size))
    chex.clear_trace_counter()
    enter = jax.jit(
        chex.assert_max_traces(repeated_permutations, n=1), static_argnums=(1, 3)
    )
    for start in (0, count, 2 * count + 1, 5 * count):
        part = enter(key, size, jnp.int32(start), count)
        np.testing.assert_array_equal(part, whole[start : start + count])


def test_permutations_are_uniform():
    row = repeated_permutations(jax.random.key(0), 3, jnp.int32(0), 18000)
    orders = np.asarray(row).reshape(-1, 3) @ [9, 3, 1]
    _, counts = np.unique(orders, return_counts=True)
    assert len(counts) == 6
    assert np.abs(counts / 6000 - 1 / 6).max() < 0.02
