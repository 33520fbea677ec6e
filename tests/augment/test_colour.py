"""Colour operations against float64 definitions and the reference's numbers."""

import colorsys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.augment import colour
from jaxsel.augment.views import ViewSettings, simclr_views

KEY = jax.random.key(3)
OPERATIONS = {
    "brightness": colour.BRIGHTNESS,
    "contrast": colour.CONTRAST,
    "saturation": colour.SATURATION,
    "hue": colour.HUE,
}


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).random((12, 5, 4, 3))
    pixels[0, 0] = 0.5  # grey
    pixels[0, 1] = 0.0
    pixels[0, 2] = [1.0, 1.0, 0.2]  # two channels are largest
    return pixels


@jax.jit
def adjust(images, operation, amount):
    planes = colour.to_planes(images)
    return colour.from_planes(colour.adjust(planes, operation, amount))


def luma64(images):
    return images @ np.array([0.2989, 0.587, 0.114])


def by_definition(image, operation, amount):
    """One image in float64, as torchvision's documentation defines the operations."""
    if operation == "hue":
        out = np.empty_like(image)
        for place in np.ndindex(image.shape[:2]):
            h, s, v = colorsys.rgb_to_hsv(*image[place])
            out[place] = colorsys.hsv_to_rgb((h + amount) % 1.0, s, v)
        return out
    base = {
        "brightness": np.zeros_like(image),
        "contrast": np.full_like(image, luma64(image).mean()),
        "saturation": luma64(image)[..., None] * np.ones(3),
    }[operation]
    return np.clip(amount * image + (1 - amount) * base, 0, 1)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_its_definition(images, name):
    amounts = np.linspace(-0.5, 0.5, 12) if name == "hue" else np.linspace(0, 2, 12)
    found = adjust(jnp.asarray(images), jnp.full(12, OPERATIONS[name]), amounts)
    expected = [by_definition(i, name, a) for i, a in zip(images, amounts, strict=True)]
    np.testing.assert_allclose(found, expected, atol=3e-6)


@pytest.mark.shared
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_the_references(shared, name):
    golden = np.load(shared / "golden" / "training" / "c10_torchvision.npz")
    factors = golden[f"factors_{name}"].astype(np.float32)
    images = np.repeat(golden["image_a"][None] / np.float32(255), len(factors), 0)
    found = adjust(
        jnp.asarray(images), jnp.full(len(factors), OPERATIONS[name]), factors
    )
    np.testing.assert_allclose(found, golden[f"tensor_a_{name}"], atol=3e-6)
    pillow = golden[f"pil_a_{name}"] / 255
    off = np.abs(np.asarray(found) - pillow).max() * 255
    assert off < (13 if name == "hue" else 1.2), "levels from Pillow's rounded path"


def test_jitter_applies_each_operation_once_in_every_order(images, monkeypatch):
    """Without pixels: the order and amounts that images pass through are recorded."""
    seen = []

    def record(planes, operation, amount):
        seen.append((np.asarray(operation), np.asarray(amount)))
        return planes + 1

    monkeypatch.setattr(colour, "adjust", record)
    n = 2400
    planes = jnp.zeros((3, n, 1, 1))
    strength = (0.4, 0.3, 0.2, 0.1)
    out = colour.colour_jitter(KEY, planes, strength=strength, probability=0.8)
    orders, amounts = (np.stack(part, 1) for part in zip(*seen, strict=True))
    assert (np.sort(orders, 1) == np.arange(4)).all()
    codes, counts = np.unique(orders @ [64, 16, 4, 1], return_counts=True)
    assert len(codes) == 24
    # Chi-square with 23 degrees, 99.99 % quantile 58.
    assert ((counts - n / 24) ** 2 / (n / 24)).sum() < 58
    for operation, s in enumerate(strength):
        drawn = amounts[orders == operation] - (operation != colour.HUE)
        assert np.abs(drawn).max() <= s + 1e-6
        assert abs(drawn.mean()) < 4 * s / np.sqrt(3 * n)
        np.testing.assert_allclose(drawn.std(), s / np.sqrt(3), rtol=0.05)
    changed = np.asarray(out[0, :, 0, 0])
    assert set(np.unique(changed)) == {0.0, 4.0}
    assert abs((changed == 4).mean() - 0.8) < 0.04


def test_a_fifth_of_the_images_turn_grey(images):
    many = jnp.asarray(np.tile(images, (50, 1, 1, 1)), jnp.float32)
    planes = colour.random_grayscale(KEY, colour.to_planes(many), probability=0.2)
    out = np.asarray(colour.from_planes(planes))
    grey = (out.max(-1) == out.min(-1)).all((1, 2))
    np.testing.assert_array_equal(out[~grey], np.asarray(many)[~grey])
    np.testing.assert_allclose(out[grey][..., 0], luma64(np.asarray(many)[grey]), 1e-4)
    assert abs(grey.mean() - 0.2) < 0.07


views = jax.jit(simclr_views, static_argnums=2)


@pytest.mark.slow
def test_a_view_does_not_depend_on_its_neighbours():
    images = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    first, second = views(KEY, jnp.asarray(images), ViewSettings())
    assert first.dtype == jnp.float32
    assert np.isfinite(first).all()
    assert (np.asarray(first) != np.asarray(second)).any((1, 2, 3)).all()
    changed = images.copy()
    changed[:3], changed[4:] = 0, 255
    again = views(KEY, jnp.asarray(changed), ViewSettings())
    np.testing.assert_array_equal(again[0][3], first[3])
    np.testing.assert_array_equal(again[1][3], second[3])


def test_without_randomness_a_view_is_the_normalised_image():
    images = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    plain = ViewSettings((1.0, 1.0), False, (0.4,) * 3 + (0.1,), 0.0, 0.0, mean, std)
    expected = (images / 255 - mean) / std
    # A box of the whole area can be oblong, is then redrawn, and ends as the image.
    for view in views(KEY, jnp.asarray(images), plain):
        np.testing.assert_allclose(view, expected, atol=2e-5)
