"""DINO's pixels against Pillow's, which the reference resizes with."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsel.features.crop224 import central_crop, normalised, resize_weights

crop = jax.jit(central_crop)


def pillow(image: np.ndarray) -> np.ndarray:
    """Short side to 256 and the centre, with Pillow's own resize and crop."""
    height, width = image.shape[:2]
    short = min(height, width)
    size = (256 * width // short, 256 * height // short)
    left, top = (round((side - 224) / 2) for side in size)
    resized = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(resized.crop((left, top, left + 224, top + 224)))


def same_as_pillow(found: jax.Array, expected: np.ndarray) -> None:
    off = np.abs(np.asarray(found) - expected)
    assert off.max() <= 1, "levels"
    assert (off > 0).mean() < 1e-4, "share of pixels whose rounding falls otherwise"


@pytest.mark.parametrize("shape", [(32, 32), (8, 8), (50, 101), (301, 260), (256, 256)])
def test_pillow_makes_the_same_pixels(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(shape))
    noise = rng.integers(0, 256, (2, *shape, 3), np.uint8)
    noise[1] = 20 * (noise[1] // 128) + 200  # edges that overshoot 255
    expected = np.array([pillow(image) for image in noise])
    same_as_pillow(crop(jnp.asarray(noise)), expected)


def test_what_is_cropped_already_is_left_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), np.uint8)
    np.testing.assert_array_equal(crop(jnp.asarray(image)), image)


def test_weights_are_pillows_whole_multiples() -> None:
    weights = resize_weights(300, 256).astype(np.float64) * 2**22
    np.testing.assert_array_equal(weights, np.round(weights))
    np.testing.assert_allclose(weights.sum(axis=1) / 2**22, 1, atol=2e-6)


def test_normalised_by_channel() -> None:
    levels = jnp.full((1, 1, 1, 3), 255.0) * jnp.array([0.485, 0.456, 1.0])
    np.testing.assert_allclose(
        normalised(levels).ravel(), [0, 0, (1 - 0.406) / 0.225], atol=1e-6
    )


@pytest.mark.shared
def test_torchvisions_transform(shared) -> None:
    golden = np.load(shared / "golden" / "training" / "c10_torchvision.npz")
    square = crop(jnp.asarray(golden["image_a"][None]))[0]
    same_as_pillow(square, golden["dino_eval_from32_uint8"])
    wide = crop(jnp.asarray(golden["image_rect_50x101"][None]))[0]
    same_as_pillow(wide[::4, ::4], golden["dino_eval_from_rect_uint8_every4th"])
    chw = golden["normalized_imagenet_a_chw"]
    found = normalised(jnp.asarray(golden["image_a"], jnp.float32))
    np.testing.assert_allclose(found.transpose(2, 0, 1), chw, rtol=1e-5, atol=1e-6)
