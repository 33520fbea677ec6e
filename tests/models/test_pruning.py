"""Magnitude pruning against NumPy, and what must hold at any two sparsities."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsel.errors import UserError
from jaxsel.models import ResNet18
from jaxsel.models.pruning import magnitude_prune, sparsity_of

SHAPES = {"a_conv": (3, 3, 2, 4), "b_fc": (5, 7)}  # 107 weights


def _params(seed=0, *, levels=None):
    generator = np.random.default_rng(seed)

    def kernel(shape):
        if levels:  # few distinct values, so that most are tied
            return generator.integers(-levels, levels + 1, shape).astype(np.float32)
        return generator.normal(size=shape).astype(np.float32)

    return {
        **{
            name: {"kernel": kernel(shape), "bias": np.full(shape[-1], 1e-9)}
            for name, shape in SHAPES.items()
        },
        "bn": {"scale": np.zeros(4), "bias": np.ones(4)},
        "pos_embed": np.full((2, 2), 1e-9),
    }


def _flat(params):
    return np.concatenate([np.ravel(params[name]["kernel"]) for name in SHAPES])


def _oracle(params, sparsity):
    """One weight after the other, least magnitude first, then the first."""
    weights = list(_flat(params))
    order = sorted(range(len(weights)), key=lambda i: (abs(weights[i]), i))
    for i in order[: round(sparsity * len(weights))]:
        weights[i] = 0.0
    return np.array(weights, np.float32)


@pytest.mark.parametrize("sparsity", [0.0, 0.004, 0.3, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("levels", [None, 3])
def test_the_smallest_weights_go_and_the_first_of_equals(sparsity, levels):
    params = _params(levels=levels)
    pruned = magnitude_prune(params, sparsity)
    np.testing.assert_array_equal(_flat(pruned), _oracle(params, sparsity))
    if levels is None:
        assert sparsity_of(pruned) == round(sparsity * 107) / 107


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 5),
    st.sampled_from([None, 1, 4]),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_what_stays_is_nested_and_unchanged(seed, levels, one, other):
    params = _params(seed, levels=levels)
    low, high = sorted((one, other))
    before, some, few = (
        _flat(tree)
        for tree in (
            params,
            magnitude_prune(params, low),
            magnitude_prune(params, high),
        )
    )
    assert ((few == 0) | (few == before)).all()
    assert ((some == 0) | (some == before)).all()
    assert (some[few != 0] != 0).all()
    # Nothing that goes is larger than what stays.
    gone, stays = np.abs(before[few != before]), np.abs(before[few != 0])
    if gone.size and stays.size:
        assert gone.max() <= stays.min()
    # Pruning the pruned is pruning at once.
    again = _flat(magnitude_prune(magnitude_prune(params, low), high))
    np.testing.assert_array_equal(again, few)


def test_only_kernels_change():
    params = _params()
    pruned = magnitude_prune(params, 0.9)
    chex.assert_trees_all_equal_shapes_and_dtypes(
        jax.tree.map(np.asarray, pruned), params
    )
    for name in SHAPES:
        assert pruned[name]["bias"] is params[name]["bias"]
    assert pruned["bn"]["scale"] is params["bn"]["scale"]
    assert pruned["pos_embed"] is params["pos_embed"]
    assert _flat(params).all()  # the argument is as it was


def test_a_pruned_network_is_a_network():
    network = ResNet18(num_classes=3, width=2)
    images = jax.ShapeDtypeStruct((1, 8, 8, 3), jnp.float32)
    variables = jax.eval_shape(network.init, jax.random.key(0), images)
    generator = np.random.default_rng(0)
    params = jax.tree.map(
        lambda leaf: generator.normal(size=leaf.shape).astype(np.float32),
        variables["params"],
    )
    pruned = magnitude_prune(params, 0.5)
    assert sparsity_of(pruned) == pytest.approx(0.5, abs=1e-4)
    assert jax.tree.structure(pruned) == jax.tree.structure(params)
    chex.assert_trees_all_equal(pruned["stem_bn"], params["stem_bn"])


def test_half_precision_keeps_its_type():
    params = {"kernel": jnp.array([[1.0, -2.0]], jnp.bfloat16)}
    pruned = magnitude_prune(params, 0.5)["kernel"]
    assert pruned.dtype == jnp.bfloat16
    assert pruned.tolist() == [[0.0, -2.0]]


def test_what_cannot_be_pruned_is_refused():
    for sparsity in (-0.1, 1.1, float("nan")):
        with pytest.raises(UserError, match="sparsity between 0 and 1"):
            magnitude_prune(_params(), sparsity)
    for function in (sparsity_of, lambda params: magnitude_prune(params, 0.5)):
        with pytest.raises(UserError, match=r"\['fc'\]\['bias'\]"):
            function({"fc": {"bias": jnp.ones(3)}})
    bad = _params()
    bad["b_fc"]["kernel"][2, 3] = np.nan
    with pytest.raises(UserError, match="finite weights"):
        magnitude_prune(bad, 0.5)
