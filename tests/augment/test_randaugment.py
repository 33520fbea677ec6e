"""RandAugment against the reference's images, and against Pillow on images of noise."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from jaxsel.augment import randaugment
from jaxsel.augment.affine import affine_coefficients
from jaxsel.augment.operations import OPERATIONS, ROTATE

NAMES = [operation.name for operation in OPERATIONS]
operate = jax.jit(randaugment.apply_operation)
apply = jax.jit(randaugment.apply)


@pytest.fixture
def golden(shared):
    return np.load(shared / "golden" / "training" / "c09_randaugment.npz")


@pytest.mark.shared
def test_numbers_and_ranges_are_the_references(golden):
    assert NAMES == golden["op_names"].tolist()
    assert [o.smallest for o in OPERATIONS] == golden["op_min"].tolist()
    assert [o.largest for o in OPERATIONS] == golden["op_max"].tolist()


@pytest.mark.shared
@pytest.mark.parametrize("which", ["a", "b"])
def test_each_operation_bit_for_bit(golden, which):
    magnitudes = [golden[f"magnitudes_{name}"] for name in NAMES]
    expected = np.concatenate([golden[f"out_{which}_{name}"] for name in NAMES])
    number = np.repeat(np.arange(14), [len(m) for m in magnitudes])
    images = np.broadcast_to(golden[f"image_{which}"], expected.shape)
    found = operate(
        jnp.asarray(images),
        jnp.asarray(number, jnp.int32),
        jnp.asarray(np.concatenate(magnitudes), jnp.float32),
    )
    wrong = (np.asarray(found) != expected).any((1, 2, 3))
    assert not wrong.any(), {NAMES[i] for i in number[wrong]}


@pytest.mark.shared
def test_cutout_bit_for_bit(golden):
    cuts, expected = golden["cutout_v_x0_y0"], golden["out_a_Cutout"]
    images = jnp.asarray(np.broadcast_to(golden["image_a"], expected.shape))
    found = randaugment.cutout(images, jnp.asarray(cuts, jnp.float32))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.shared
def test_whole_replays_bit_for_bit(golden):
    expected = golden["full_out_a"]
    draws = randaugment.Draws(
        jnp.asarray(golden["full_op_index"], jnp.int32),
        jnp.asarray(golden["full_magnitude"], jnp.float32),
        jnp.asarray(golden["full_cutout_v_x0_y0"], jnp.float32),
    )
    images = jnp.asarray(np.broadcast_to(golden["image_a"], expected.shape))
    np.testing.assert_array_equal(apply(images, draws), expected)


def by_pillow(image: Image.Image, name: str, v: float) -> Image.Image:
    if name in ("AutoContrast", "Equalize"):
        return getattr(ImageOps, name.lower())(image)
    if name == "Posterize":
        return ImageOps.posterize(image, max(1, int(v)))
    if name == "Solarize":
        return ImageOps.solarize(image, v)
    if name in ("Brightness", "Color", "Contrast", "Sharpness"):
        return getattr(ImageEnhance, name)(image).enhance(v)
    if name == "Rotate":
        return image.rotate(v)
    matrices = {
        "ShearX": (1, v, 0, 0, 1, 0),
        "ShearY": (1, 0, 0, v, 1, 0),
        "TranslateX": (1, 0, v * image.width, 0, 1, 0),
        "TranslateY": (1, 0, 0, 0, 1, v * image.height),
    }
    if name in matrices:
        matrix = matrices[name]
        return image.transform(image.size, Image.Transform.AFFINE, matrix)
    return image


@pytest.fixture(scope="module")
def noise():
    """20 images an operation, of narrow and of wide histograms, higher than wide."""
    rng = np.random.default_rng(0)
    n = 20 * len(NAMES)
    low = rng.integers(0, 200, (n, 1, 1, 3))
    high = low + rng.integers(0, 256 - low)
    images = rng.integers(low, high + 1, (n, 33, 20, 3)).astype(np.uint8)
    number = np.arange(n) % 14
    low, high = np.array([operation[1:] for operation in OPERATIONS]).T[:, number]
    return images, number, rng.uniform(low, high).astype(np.float32)


def test_pillow_agrees_on_noise(noise):
    images, number, magnitudes = noise
    found = np.asarray(
        operate(*map(jnp.asarray, (images, number.astype(np.int32), magnitudes)))
    )
    expected = np.stack(
        [
            np.asarray(by_pillow(Image.fromarray(image), NAMES[i], float(v)))
            for image, i, v in zip(images, number, magnitudes, strict=True)
        ]
    )
    pixels = (found != expected).any(-1).sum((1, 2))
    exact = number != ROTATE
    assert not pixels[exact].any(), {NAMES[i] for i in number[(pixels > 0) & exact]}
    # A sine in float32 may move a coordinate by 2⁻¹⁶ pixel.
    assert pixels[~exact].sum() <= 1
    changed = (expected != images).any((1, 2, 3)).reshape(20, 14).mean(0)
    assert changed.argmin() == NAMES.index("Identity")
    assert (np.sort(changed)[1:] >= 0.5).all()


def test_rotations_are_off_by_a_unit_at_most():
    degrees = np.linspace(-30, 30, 4001, dtype=np.float32)
    rotate = jnp.full(4001, ROTATE)
    found = np.asarray(affine_coefficients(rotate, jnp.asarray(degrees), 32, 32))
    degrees = degrees.astype(np.float64)
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    exact = np.stack([c, -s, 16 - 15.5 * (c - s), s, c, 16 - 15.5 * (c + s)], axis=1)
    off = np.abs(found - np.floor(exact * 65536 + 0.5))
    assert off.max() <= 1
    assert (off > 0).mean() < 0.02


def test_grey_images_are_treated_as_grey_colours():
    rng = np.random.default_rng(1)
    grey = jnp.asarray(rng.integers(0, 256, (56, 8, 8, 1), dtype=np.uint8))
    draws = randaugment.draw(jax.random.key(0), 56, 8, 8, count=3)
    one = apply(grey, draws)
    three = apply(jnp.repeat(grey, 3, axis=3), draws)
    painted = np.asarray(three == jnp.array([125, 123, 114], jnp.uint8)).all(-1)
    np.testing.assert_array_equal(one[~painted, 0], three[~painted, 1])
    assert (np.asarray(one)[painted] == 123).all()


def test_draws_have_their_laws_and_are_an_images_own():
    key = jax.random.key(0)
    draws = randaugment.draw(key, 20000, 24, 32, count=3)
    counts = np.bincount(np.ravel(draws.operation), minlength=14)
    assert np.abs(counts / 60000 - 1 / 14).max() < 6e-3
    low, high = np.array([o[1:] for o in OPERATIONS]).T[:, np.asarray(draws.operation)]
    share = (np.asarray(draws.magnitude) - low) / (high - low)
    assert share.min() >= 0 and share.max() <= 1
    assert abs(share.mean() - 0.5) < 0.01
    top = np.asarray(draws.cut).max(0)
    np.testing.assert_allclose(top, [0.5, 32, 24], rtol=1e-3)
    fewer = randaugment.draw(key, 7, 24, 32, count=3)
    chex.assert_trees_all_equal(fewer, jax.tree.map(lambda x: x[:7], draws))


def test_one_trace_under_jit_and_vmap(noise):
    traced = chex.assert_max_traces(randaugment.rand_augment, n=1)
    batched = jax.jit(jax.vmap(traced))
    keys = jax.random.split(jax.random.key(3), 2)
    images = jnp.asarray(noise[0][:6].reshape(2, 3, 33, 20, 3))
    together = batched(keys, images)
    batched(keys, images[::-1])
    alone = jax.jit(randaugment.rand_augment)(keys[1], images[1])
    np.testing.assert_array_equal(together[1], alone)
    assert (np.asarray(together) != np.asarray(images)).any()
