"""ViT-S/16 against numbers from the PyTorch reference, at four sizes of image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.features.dino_weights import tree_from_dino
from jaxsel.models.vit import Block, ViT, interpolation_weights
from tests.models import torch_weights as torch

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not torch.GOLDEN.exists(), reason="no ../shared folder"),
]

NAME = "c07_dino_vits16"
LIMIT = 3e-6
INPUTS = (
    ("224", 0, (2, 3, 224, 224)),
    ("96", 1, (1, 3, 96, 96)),
    ("96x128", 2, (1, 3, 96, 128)),
    ("32", 3, (2, 3, 32, 32)),
)


@pytest.fixture(scope="module")
def golden():
    return np.load(torch.GOLDEN / f"{NAME}.npz")


@pytest.fixture(scope="module")
def params():
    tensors = torch.stated_parameters(NAME)
    return jax.tree.map(jnp.asarray, tree_from_dino(tensors, ViT()))


def error(found, expected) -> float:
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize(("name", "number", "shape"), INPUTS)
def test_class_tokens(golden, params, name, number, shape) -> None:
    x = jnp.asarray(torch.stated_input(107, number, shape))
    found = jax.jit(ViT().embed)(params, x)
    assert error(found, golden[f"cls_{name}"]) < LIMIT
    assert error(found, golden[f"cls_{name}_f64"]) < LIMIT


def test_on_the_way(golden, params) -> None:
    x = jnp.asarray(torch.stated_input(107, 1, (1, 3, 96, 96)))
    tokens = ViT().apply({"params": params}, x, method="tokens")
    assert error(tokens, golden["tokens_96_f64"]) < LIMIT
    block = jax.jit(Block(heads=6).apply)({"params": params["block1"]}, tokens)
    assert error(block[:, 0], golden["block0_cls_96_f64"]) < LIMIT


@pytest.mark.parametrize(("name", "h", "w"), [("96x128", 6, 8), ("32", 2, 2)])
def test_positions(golden, params, name, h, w) -> None:
    table = np.asarray(params["pos_embed"], np.float64)[1:].reshape(14, 14, -1)
    down, along = interpolation_weights(14, h), interpolation_weights(14, w)
    found = np.einsum("ri,cj,ijd->rcd", down, along, table).reshape(h * w, -1)
    expected = golden[f"pos_embed_patches_dims0to23_{name}_f64"]
    assert error(found[:, :24], expected) < 1e-11
