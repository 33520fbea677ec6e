"""RandAugment and cutout: the strong view of the semi-supervised frameworks."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxsel.augment.affine import affine_coefficients, warp
from jaxsel.augment.blend import blend_pixels
from jaxsel.augment.operations import OPERATIONS
from jaxsel.augment.pointwise import remap_levels

_FILL = (125, 123, 114)  # The mean colour of natural images; its luma is 123.
_LARGEST_CUT = 0.5


class Draws(NamedTuple):
    """What is done to each of `n` images.

    Attributes:
      operation: int32 `[n, k]`, numbers of `OPERATIONS`, applied in turn.
      magnitude: float32 `[n, k]`.
      cut: float32 `[n, 3]`: side as a share of the width, and the column and row that
        the square is centred at, in pixels.
    """

    operation: Array
    magnitude: Array
    cut: Array


def draw(key: Array, n: int, height: int, width: int, *, count: int) -> Draws:
    """Draws `count` operations an image, with replacement, and a square.

    Operations are uniform, magnitudes uniform over their ranges, the square's side
    over 0 … ½ of the width and its centre over the image.

    Args:
      key: randomness.
      n: number of images.
      height: rows of the images.
      width: columns of the images.
      count: operations an image.

    Returns:
      The draws; those of an image do not depend on how many there are.
    """
    # One generator for all: each costs a compiler seconds inside a training's loop.
    uniform = jax.random.uniform(key, (n, 2 * count + 3))
    kinds = len(OPERATIONS)
    operation = (uniform[:, :count] * kinds).astype(jnp.int32)
    operation = jnp.minimum(operation, kinds - 1)
    low = jnp.array([o.smallest for o in OPERATIONS], jnp.float32)[operation]
    high = jnp.array([o.largest for o in OPERATIONS], jnp.float32)[operation]
    magnitude = low + (high - low) * uniform[:, count : 2 * count]
    sizes = jnp.array([_LARGEST_CUT, width, height], jnp.float32)
    return Draws(operation, magnitude, uniform[:, 2 * count :] * sizes)


def apply_operation(images: Array, operation: Array, magnitude: Array) -> Array:
    """One operation on each image, each image its own.

    Three passes, each of which is the identity for the operations of the other two:
    a table of levels, a blend with a second image, a warp. So an image costs three
    passes and not fourteen.

    Args:
      images: uint8 `[n, h, w, c]`, three channels or one.
      operation: int32 `[n]`, numbers of `OPERATIONS`.
      magnitude: float32 `[n]`.

    Returns:
      uint8 `[n, h, w, c]`.
    """
    height, width = images.shape[1:3]
    images = remap_levels(images, operation, magnitude)
    images = blend_pixels(images, operation, magnitude)
    maps = affine_coefficients(operation, magnitude, height, width)
    return warp(images, maps)


def cutout(images: Array, cut: Array) -> Array:
    """Paints a square of each image grey.

    A side of `s` pixels centred at `(x, y)` covers the columns
    `⌊max(0, x − s/2)⌋ … ⌊min(w, ⌊max(0, x − s/2)⌋ + s)⌋`, ends included, and the rows
    likewise; `s = 0` paints nothing.

    Args:
      images: uint8 `[n, h, w, c]`, three channels or one.
      cut: float32 `[n, 3]`: side as a share of the width, `x`, `y`.

    Returns:
      uint8 `[n, h, w, c]`.

    Source: DeVries & Taylor (2017); the bounds are the reference's.
    """
    height, width = images.shape[1:3]
    share = cut[:, 0]

    def covered(centre: Array, size: int) -> Array:
        side = share * width
        first = jnp.floor(jnp.maximum(0.0, centre - side / 2))
        last = jnp.floor(jnp.minimum(float(size), first + side))
        place = jnp.arange(size)
        return (place >= first[:, None]) & (place <= last[:, None])

    columns, rows = covered(cut[:, 1], width), covered(cut[:, 2], height)
    square = rows[:, :, None] & columns[:, None, :] & (share > 0)[:, None, None]
    fill = _FILL if images.shape[-1] == 3 else (_FILL[1],)
    return jnp.where(square[..., None], jnp.array(fill, jnp.uint8), images)


def apply(images: Array, draws: Draws) -> Array:
    """The drawn operations in turn, then the square.

    Args:
      images: uint8 `[n, h, w, c]`, three channels or one.
      draws: as from `draw`.

    Returns:
      uint8 `[n, h, w, c]`.
    """

    def slot(images: Array, operation: tuple[Array, Array]) -> tuple[Array, None]:
        return apply_operation(images, *operation), None

    # A loop and not three copies: a third of the program to compile.
    images, _ = lax.scan(slot, images, (draws.operation.T, draws.magnitude.T))
    return cutout(images, draws.cut)


def rand_augment(key: Array, images: Array, *, count: int = 3) -> Array:
    """`count` random operations of fourteen, and cutout, on each image.

    Args:
      key: randomness.
      images: uint8 `[n, h, w, c]`, three channels or one.
      count: operations an image.

    Returns:
      uint8 `[n, h, w, c]`.

    Example:
      >>> images = jnp.full((2, 16, 16, 3), 90, jnp.uint8)
      >>> rand_augment(jax.random.key(0), images).shape
      (2, 16, 16, 3)

    Source: Cubuk et al. (2020), as FixMatch (Sohn et al., 2020) and USB (Wang et al.,
    2022) use it: random magnitudes, cutout always.
    """
    n, height, width, _ = images.shape
    return apply(images, draw(key, n, height, width, count=count))
