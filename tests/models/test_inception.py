"""Inception: its size, its resize and its pools, each from their definitions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.models.inception import BlockE, Inception, resized

RNG = np.random.default_rng(0)


def test_the_published_size() -> None:
    params, state = Inception().shapes()
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    # Of torchvision's 27,161,264 those of the other classifiers are not here.
    assert count == 27_161_264 - 3_326_696 - (2048 * 1000 + 1000)
    assert len(jax.tree.leaves((params, state))) == 94 * 5
    images = jnp.zeros((2, 40, 50, 3), jnp.uint8)
    pools = jax.eval_shape(Inception().pools, params, state, images)
    assert [pool.shape for pool in pools] == [(2, d) for d in (64, 192, 768, 2048)]


def test_too_small_a_side() -> None:
    with pytest.raises(ValueError, match="expected 75 or more, found 74"):
        Inception(side=74).shapes()


def interpolated(x: np.ndarray, side: int) -> np.ndarray:
    """Along the first axis, between the centres of pixels, edges repeated."""
    n = len(x)
    places = np.clip((np.arange(side) + 0.5) * n / side - 0.5, 0, n - 1)
    below = np.minimum(np.floor(places).astype(int), n - 1)
    above = np.minimum(below + 1, n - 1)
    share = (places - below).reshape(-1, *[1] * (x.ndim - 1))
    return (1 - share) * x[below] + share * x[above]


@pytest.mark.parametrize("shape", [(7, 5), (13, 13), (40, 31), (1, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resize(shape: tuple[int, int], channels: int) -> None:
    images = RNG.integers(0, 256, (2, *shape, channels), np.uint8)
    expected = np.empty((2, 13, 13, channels))
    for i, image in enumerate(images / 255.0):
        rows = interpolated(image, 13)
        expected[i] = interpolated(rows.swapaxes(0, 1), 13).swapaxes(0, 1)
    expected = np.broadcast_to(2 * expected - 1, (2, 13, 13, 3))
    found = resized(jnp.asarray(images), 13)
    np.testing.assert_allclose(found, expected, atol=5e-6)


def by_neighbours(image: np.ndarray, take) -> np.ndarray:
    """`take` of the pixels around each, of those that there are."""
    h, w, _ = image.shape
    out = np.empty_like(image)
    for i in range(h):
        for j in range(w):
            around = image[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
            out[i, j] = take(around, (0, 1))
    return out


@pytest.mark.parametrize(("maximum", "take"), [(True, np.max), (False, np.mean)])
def test_pool_of_the_last_blocks(maximum: bool, take) -> None:
    """The branch behind the pool comes last; an identity shows what it gets."""
    block = BlockE(maximum, narrow=16)
    image = RNG.normal(size=(4, 5, 12)).astype(np.float32)
    shapes = jax.eval_shape(block.init, jax.random.key(0), image[None])
    variables = jax.tree.map(lambda leaf: jnp.ones(leaf.shape), shapes)
    variables["params"]["branch_pool"]["conv"]["kernel"] = jnp.eye(12)[None, None]
    found = jax.jit(block.apply)(variables, image[None])[0, ..., -12:]
    # Padding that counted, or won, would change every edge.
    normalised = (by_neighbours(image, take) - 1) / np.sqrt(1 + 1e-3) + 1
    expected = np.maximum(normalised, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
