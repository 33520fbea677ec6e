"""EfficientNet-Lite: the definition in float64, golden features, programs for CUDA."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.features.efficientnet_weights import folded, lite0_weights
from jaxsel.models.efficientnet import EfficientNetLite, Stage
from tests import numpy_efficientnet as definition

# An input that is added and one that is not, both kernels, both strides, no expansion.
STAGES = ((1, 3, 1, 1, 4), (2, 5, 2, 2, 6))
TINY = EfficientNetLite(tuple(Stage(*s) for s in STAGES), stem=4, head=8)
IMAGES = np.random.default_rng(1).integers(0, 256, (2, 13, 10, 3), np.uint8)


def normalised(images: np.ndarray) -> jax.Array:
    return (jnp.asarray(images, jnp.float32) - 127) / 128


@pytest.mark.parametrize("lowering", ["matmul", "conv"])
def test_a_small_network_by_the_definition(lowering: str) -> None:
    tensors = definition.random_tensors(np.random.default_rng(0), STAGES, 4, 8)
    params = folded(tensors, TINY)
    network = TINY.clone(lowering=lowering)
    found = jax.jit(network.embed)(params, normalised(IMAGES))
    expected = definition.features(IMAGES, tensors, STAGES)
    assert found.dtype == jnp.float32 and np.ptp(expected) > 0.5
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_folded_tree_is_the_networks_own() -> None:
    tensors = definition.random_tensors(np.random.default_rng(0), STAGES, 4, 8)
    own = jax.eval_shape(TINY.init, jax.random.key(0), normalised(IMAGES))["params"]
    assert jax.tree.map(np.shape, own) == jax.tree.map(np.shape, folded(tensors, TINY))


@pytest.mark.parametrize("lowering", ["matmul", "conv", "auto"])
def test_lowers_for_cuda(lowering: str) -> None:
    network = EfficientNetLite(lowering=lowering)
    images = jax.ShapeDtypeStruct((2, 33, 32, 3), jnp.float32)
    params = jax.eval_shape(network.init, jax.random.key(0), images)["params"]
    exported = jax.export.export(jax.jit(network.embed), platforms=["cuda"])(
        params, images
    )
    assert exported.platforms == ("cuda",)
    assert exported.out_avals[0].shape == (2, 1280)


@pytest.mark.shared
@pytest.mark.parametrize("side", [96, 224])
def test_golden_features(shared: pathlib.Path, side: int) -> None:
    golden = np.load(shared / "golden/training/c11_efficientnet_lite0.npz")
    network = EfficientNetLite()
    found = jax.jit(network.embed)(
        lite0_weights(), normalised(golden[f"images_{side}"])
    )
    np.testing.assert_allclose(found, golden[f"features_{side}"], rtol=0, atol=1e-3)
