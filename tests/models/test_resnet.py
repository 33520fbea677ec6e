"""ResNet-18: shapes, start and dropout."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.models.initialise import deal_parameters
from jaxsel.models.resnet import ResNet18


@pytest.fixture(scope="module")
def started():
    network = ResNet18(num_classes=10, width=16)
    return network, *network.start(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))


def test_start_has_the_tree_of_linen_init(started):
    network, params, state = started
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    expected = jax.tree.map(jnp.shape, dict(shapes))
    assert jax.tree.map(jnp.shape, {"params": params, "batch_stats": state}) == expected


def test_parameter_count_of_the_full_network():
    network = ResNet18(num_classes=10)
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))
    # He et al.'s ResNet-18 with a 3×3 stem of three channels and ten classes.
    assert count == 11_173_962


def test_start_distributions(started):
    _, params, state = started
    for stage in range(1, 5):
        kernel = np.asarray(params[f"stage{stage}_block2"]["conv2"]["kernel"])
        expected = (2 / (9 * kernel.shape[-1])) ** 0.5
        assert abs(kernel.std() / expected - 1) < 0.05
        assert abs(kernel.mean()) < 0.05 * expected
    fc, bound = params["fc"], 128**-0.5
    assert 0.95 * bound < np.abs(fc["kernel"]).max() <= bound
    assert abs(np.asarray(fc["kernel"]).std() / (bound / 3**0.5) - 1) < 0.1
    assert 0 < np.abs(fc["bias"]).max() <= bound
    norm = params["stage3_block1"]["bn2"]
    assert (norm["scale"] == 1).all() and (norm["bias"] == 0).all()
    assert (state["stem_bn"]["mean"] == 0).all() and (
        state["stem_bn"]["var"] == 1
    ).all()


def test_no_number_is_dealt_twice(started):
    kernels = [x for x in jax.tree.leaves(started[1]) if x.ndim == 4]
    # Signs do not depend on the layer's scale; 24 equal ones by chance are unlikely.
    signs = [np.ravel(x)[:24] > 0 for x in kernels]
    assert len({sign.tobytes() for sign in signs}) == len(kernels)


def test_unknown_parameters_are_refused():
    with pytest.raises(ValueError, match=r"found \['layer'\]\['gamma'\]"):
        deal_parameters(jax.random.key(0), {"layer": {"gamma": jnp.zeros(2)}})


@pytest.mark.parametrize(
    ("stem", "side"), [("reference", 2), ("cifar", 4), ("tiny", 2)]
)
def test_stems_differ_in_resolution(stem, side):
    """The last map of a 32-pixel image, read off the traced program."""
    network = ResNet18(num_classes=3, width=4, stem=stem)
    x = jnp.zeros((5, 32, 32, 3))
    variables = jax.eval_shape(network.init, jax.random.key(0), x)
    program = jax.make_jaxpr(
        lambda v: network.apply(v, x, method="features"), return_shape=True
    )(variables)
    assert program[1].shape == (5, 32)
    assert f"f32[5,{side},{side},32]" in str(program[0])


def test_unknown_stem_is_refused():
    with pytest.raises(ValueError, match="found 'big'"):
        ResNet18(num_classes=3, stem="big").init(
            jax.random.key(0), jnp.zeros((1, 8, 8, 3))
        )


@pytest.mark.slow
def test_dropout_acts_in_training_only():
    network = ResNet18(num_classes=4, width=4)
    x = jax.random.normal(jax.random.key(1), (6, 8, 8, 3))
    params, state = network.start(jax.random.key(0), x)
    forward = jax.jit(network.forward)
    first, _ = forward(jax.random.key(2), params, state, x)
    again, moved = forward(jax.random.key(2), params, state, x)
    other, _ = forward(jax.random.key(3), params, state, x)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3
    changed = jax.tree.map(lambda a, b: bool((a != b).any()), state, moved)
    assert all(jax.tree.leaves(changed))
