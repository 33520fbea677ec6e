"""Crops, flips and normalisation against NumPy, Pillow and the reference's numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxsel.augment.geometry import (
    crop_and_resize,
    draw_boxes,
    normalise,
    random_crop,
    random_flip,
    random_resized_crop,
)

KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(1, 256, (300, 6, 5, 3), dtype=np.uint8)


def test_normalise():
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    mean, std = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
    expected = (images / np.float64(255) - mean) / std
    found = normalise(jnp.asarray(images), mean, std)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.shared
def test_normalise_of_the_reference(shared):
    golden = np.load(shared / "golden" / "training" / "c10_torchvision.npz")
    found = normalise(
        jnp.asarray(golden["image_a"]),
        (0.4914, 0.4822, 0.4465),
        (0.247, 0.2435, 0.2616),
    )
    expected = golden["normalized_cifar_a_chw"].transpose(1, 2, 0)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_crops_are_windows_of_the_padded_image(images):
    out = np.asarray(random_crop(KEY, jnp.asarray(images), pad=2))
    assert out.dtype == np.uint8
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    counts = np.zeros((5, 5), int)
    for image, canvas in zip(out, padded, strict=True):
        places = [
            (a, b)
            for a in range(5)
            for b in range(5)
            if np.array_equal(image, canvas[a : a + 6, b : b + 5])
        ]
        assert len(places) == 1
        counts[places[0]] += 1
    # 300 draws over 25 places: chi-square with 24 degrees, 99.99 % quantile 60.
    assert ((counts - 12) ** 2 / 12).sum() < 60


def test_flips_half_of_the_images(images):
    out = np.asarray(random_flip(KEY, jnp.asarray(images)))
    mirrored = (out == images[:, :, ::-1]).all((1, 2, 3))
    kept = (out == images).all((1, 2, 3))
    assert (mirrored ^ kept).all()
    assert 110 < mirrored.sum() < 190


@pytest.mark.parametrize(
    "augment",
    [
        random_flip,
        lambda key, x: random_crop(key, x, pad=2),
        pytest.param(
            lambda key, x: random_resized_crop(key, x, scale=(0.5, 1.0)),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["flip", "crop", "resized"],
)
def test_an_image_does_not_depend_on_its_neighbours(augment, images):
    whole = augment(KEY, jnp.asarray(images))
    changed = images.copy()
    changed[:3], changed[4:] = 0, 255
    np.testing.assert_array_equal(augment(KEY, jnp.asarray(changed))[3], whole[3])
    other = augment(jax.random.key(4), jnp.asarray(images))
    assert (np.asarray(other) != np.asarray(whole)).any()


def by_pillow(image, box, height, width):
    top, left, box_height, box_width = box
    part = Image.fromarray(image[top : top + box_height, left : left + box_width])
    return np.asarray(part.resize((width, height), Image.Resampling.BILINEAR))


@pytest.mark.parametrize(
    ("size", "share_off"), [((32, 32), 0.0), ((40, 33), 0.05), ((20, 44), 0.25)]
)
def test_resize_is_pillows(size, share_off):
    """Stretched boxes pixel for pixel; shrunk ones within a level (order of passes)."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    boxes = np.array(
        [[0, 0, 32, 32], [3, 5, 20, 11], [31, 31, 1, 1], [0, 16, 32, 16], [7, 0, 3, 32]]
    )
    found = crop_and_resize(jnp.asarray(images), jnp.asarray(boxes), *size)
    expected = np.stack(
        [by_pillow(i, b, *size) for i, b in zip(images, boxes, strict=True)]
    ).astype(float)
    difference = np.abs(np.asarray(found) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= share_off


@pytest.mark.shared
def test_resize_of_the_reference(shared):
    golden = np.load(shared / "golden" / "training" / "c10_torchvision.npz")
    for image, boxes, out in (
        ("image_a", "rrc_boxes_top_left_h_w", "rrc_out32"),
        ("image_c64", "rrc64_boxes_top_left_h_w", "rrc64_out64"),
        ("image_c64", "rrc64_boxes_top_left_h_w", "rrc64_out32"),
    ):
        boxes, expected = golden[boxes], golden[out].astype(float)
        images = jnp.asarray(np.repeat(golden[image][None], len(boxes), 0))
        found = crop_and_resize(images, jnp.asarray(boxes), *expected.shape[1:3])
        assert np.abs(np.asarray(found) - expected).max() <= 1


@pytest.mark.shared
def test_boxes_have_the_references_law(shared):
    golden = np.load(shared / "golden" / "training" / "c10_torchvision.npz")
    for name, low in (("simclr", 0.2), ("tiny", 0.5)):
        boxes = np.asarray(draw_boxes(KEY, 20_000, 64, 64, scale=(low, 1.0)))
        top, left, height, width = boxes.T
        assert boxes.min() >= 0 and height.min() > 0 and width.min() > 0
        assert (top + height).max() <= 64 and (left + width).max() <= 64
        area, levels = height * width / 64**2, golden["quantile_levels"]
        mean = [area.mean(), top.mean(), left.mean()]
        expected = golden[f"rrc_{name}_mean_area_top_left"]
        np.testing.assert_allclose(mean[0], expected[0], atol=0.008)
        np.testing.assert_allclose(mean[1:], expected[1:], atol=0.4)
        for values, key in ((area, "area"), (width / height, "ratio_w_over_h")):
            np.testing.assert_allclose(
                np.quantile(values, levels),
                golden[f"rrc_{name}_{key}_quantiles"],
                atol=0.03,
            )
