"""No selector allocates anything of n² size: what XLA plans for a larger pool."""

import jax
import jax.numpy as jnp
import pytest

from jaxsel.selection.methods import METHODS

N, D = 30_000, 8
# TypiClust compiles longest; it comes below, marked slow.
BASE = [name for name in METHODS if "+" not in name and name != "typiclust"]
OPTIONS = {
    "gram_schmidt": [{"algorithm": "sequential"}, {"algorithm": "blocked"}],
    # "auto" looks at a sample of fixed size, 2048² numbers.
    "probcover": [{"delta": 0.65}],
    "max_herding": [{"bandwidth": 0.5}],
}


@pytest.mark.parametrize(
    ("method", "options"),
    [
        *[(name, options) for name in BASE for options in OPTIONS.get(name, [{}])],
        pytest.param("typiclust", {}, marks=pytest.mark.slow),
    ],
)
def test_temporary_memory_is_far_below_n_squared(method, options):
    def select(key_data, features, labelled):
        key = jax.random.wrap_key_data(key_data)
        function = METHODS[method].function
        return function(key, features, labelled, budget=6, **options)

    compiled = (
        jax.jit(select)
        .lower(
            jax.ShapeDtypeStruct((2,), jnp.uint32),
            jax.ShapeDtypeStruct((N, D), jnp.float32),
            jax.ShapeDtypeStruct((N,), jnp.bool_),
        )
        .compile()
    )
    # One bit a pair would be 107 MiB.
    assert compiled.memory_analysis().temp_size_in_bytes < N * N / 8 / 2
