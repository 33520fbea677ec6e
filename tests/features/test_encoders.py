"""Encoders: rgb is the pixels, a seed is a network, batches change nothing."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.features.encoder import Encoder, encode_stream
from jaxsel.features.encoders import make_encoder, random_resnet18, rgb

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)
HALF = (0.5, 0.5, 0.5)


def small(seed: int) -> Encoder:
    return random_resnet18(seed=seed, width=2, stem="cifar", mean=HALF, std=HALF)


def encode(encoder: Encoder, images: np.ndarray, size: int) -> np.ndarray:
    batches = [images[i : i + size] for i in range(0, len(images), size)]
    return np.concatenate(list(encode_stream(encoder, batches, size)))


def test_rgb_is_the_pixels() -> None:
    expected = IMAGES.reshape(5, -1).astype(np.float32) / np.float32(255)
    # To the last bit of a float32: the program multiplies by 1/255.
    np.testing.assert_allclose(encode(rgb(), IMAGES, 2), expected, rtol=2e-7)


def test_a_seed_is_a_network() -> None:
    rows = encode(small(0), IMAGES, 3)
    chex.assert_shape(rows, (5, 16))
    assert rows.dtype == np.float32
    assert (rows >= 0).all(), "after the last ReLU"
    assert len(np.unique(rows, axis=0)) == 5
    np.testing.assert_array_equal(encode(small(0), IMAGES, 3), rows)
    assert not np.allclose(encode(small(1), IMAGES, 3), rows)
    # The padded tail is as the same images without padding.
    full = encode(small(0), IMAGES[2:], 3)
    np.testing.assert_allclose(rows[2:], full, rtol=1e-5, atol=1e-6)


def test_batches_share_one_program_and_keep_their_order() -> None:
    chex.clear_trace_counter()
    apply = jax.jit(chex.assert_max_traces(lambda x: x.mean((1, 2)), n=1))
    batches = [IMAGES[:2], IMAGES[2:4], IMAGES[4:]]
    rows = list(encode_stream(Encoder({"encoder": "mean"}, apply), batches, 2))
    assert [len(part) for part in rows] == [2, 2, 1]
    np.testing.assert_allclose(np.concatenate(rows), IMAGES.mean((1, 2)), rtol=1e-6)


def test_what_is_not_finite_is_refused() -> None:
    broken = Encoder(
        {"encoder": "log"},
        lambda x: jnp.where(x[:, 0, 0, :1] == IMAGES[3, 0, 0, 0], jnp.nan, 1.0),
    )
    with pytest.raises(UserError, match="NaN or inf in row 7"):
        list(encode_stream(broken, [IMAGES[2:3], IMAGES[2:4]], 2, first_row=5))


def test_an_encoder_is_named_by_all_that_determines_it() -> None:
    named = {"encoder": "random_resnet18", "seed": 0, "width": 2, "stem": "cifar"}
    named |= {"mean": [0.5] * 3, "std": [0.5] * 3}
    settings = {**named, "batch_size": 7, "dtype": "float32"}
    identity = make_encoder(settings).identity
    other = make_encoder({**settings, "seed": 1}).identity
    weights = identity.pop("weights")
    assert identity == named
    assert len(weights) == 64
    assert weights != other["weights"]
    with pytest.raises(UserError, match=r"random_resnet18, .*rgb, .*'vgg'"):
        make_encoder({"encoder": "vgg"})
