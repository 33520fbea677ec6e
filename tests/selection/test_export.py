"""Every selector lowers for CUDA on a machine that has none."""

import jax
import jax.numpy as jnp
import pytest

from jaxsel.selection.methods import METHODS


@pytest.mark.parametrize("method", METHODS)
def test_lowers_for_cuda(method):
    def select(key_data, features, labelled):
        key = jax.random.wrap_key_data(key_data)
        return METHODS[method].function(key, features, labelled, budget=6)

    exported = jax.export.export(jax.jit(select), platforms=["cuda"])(
        jax.ShapeDtypeStruct((2,), jnp.uint32),
        jax.ShapeDtypeStruct((24, 4), jnp.float32),
        jax.ShapeDtypeStruct((24,), jnp.bool_),
    )
    assert exported.platforms == ("cuda",)
    assert exported.out_avals[0].dtype == jnp.int32
