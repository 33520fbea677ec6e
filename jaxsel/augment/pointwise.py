"""Operations that send each level of a channel to another: one table, one look-up.

AutoContrast, Brightness, Contrast, Equalize, Posterize and Solarize, in Pillow's
arithmetic. A table has 256 entries a channel where an image of 32×32 has 1,024 pixels,
so computing all six tables costs little more than computing one image.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsel.augment.blend import blend, grey_levels
from jaxsel.augment.operations import (
    AUTO_CONTRAST,
    BRIGHTNESS,
    CONTRAST,
    EQUALIZE,
    POSTERIZE,
    SOLARIZE,
)


def remap_levels(images: Array, operation: Array, magnitude: Array) -> Array:
    """The operations of this module, each image its own.

    With `v` the magnitude:

    - AutoContrast: each channel stretched to 0 … 255; one level stays.
    - Brightness, Contrast: blends with black, and with the image's mean luma.
    - Equalize: each channel to as flat a histogram as whole levels allow.
    - Posterize: the top `⌊v⌋` of eight bits.
    - Solarize: levels from `v` on are turned to `255 − x`.

    Args:
      images: uint8 `[n, h, w, c]`.
      operation: int32 `[n]`; images with another operation are left as they are.
      magnitude: float32 `[n]`.

    Returns:
      uint8 `[n, h, w, c]`.

    Example:
      >>> image = jnp.array([[[[7]], [[200]]]], jnp.uint8)
      >>> remap_levels(
      ...     image, jnp.array([SOLARIZE]), jnp.array([128.0]))[0, :, 0, 0].tolist()
      [7, 55]

    Source: `PIL.ImageOps` and `PIL.ImageEnhance`.
    """
    n, height, width, channels = images.shape
    pixels = images.reshape(n, height * width, channels).astype(jnp.int32)
    level = jnp.arange(256)[None, :, None]
    v = magnitude[:, None, None]
    low, high = pixels.min(1, keepdims=True), pixels.max(1, keepdims=True)
    dropped = (8 - jnp.floor(v)).astype(jnp.int32)
    tables = {
        AUTO_CONTRAST: _stretched(low, high),
        BRIGHTNESS: blend(jnp.zeros_like(level), level, jnp.clip(v, 0.0, 1.0)),
        CONTRAST: blend(_mean_grey(pixels), level, jnp.clip(v, 0.0, 1.0)),
        EQUALIZE: _equalised(pixels, high),
        POSTERIZE: (level >> jnp.clip(dropped, 0, 8)) << jnp.clip(dropped, 0, 8),
        SOLARIZE: jnp.where(level >= v, 255 - level, level),
    }
    table = jnp.broadcast_to(level, (n, 256, channels))
    for number, candidate in tables.items():
        table = jnp.where(operation[:, None, None] == number, candidate, table)
    remapped = jnp.take_along_axis(table.astype(jnp.uint8), pixels, axis=1)
    return remapped.reshape(images.shape)


def _mean_grey(pixels: Array) -> Array:
    """Mean luma of `[n, p, c]`, rounded half up: `[n, 1, 1]`."""
    count = pixels.shape[1]
    total = grey_levels(pixels).sum(1, keepdims=True)
    return (2 * total + count) // (2 * count)


def _stretched(low: Array, high: Array) -> Array:
    """Tables `[n, 256, c]` that send `low … high` (`[n, 1, c]`) to 0 … 255.

    `⌊255 (x − low) / (high − low)⌋`, less one where Pillow's doubles fall short of a
    whole number.
    """
    level = jnp.arange(256)[None, :, None]
    span = high - low
    exact = jnp.clip(255 * (level - low) // jnp.maximum(span, 1), 0, 255)
    kind, short = _short_of_whole()
    lows, highs = low[:, 0], high[:, 0]
    lacking = jnp.asarray(short)[jnp.asarray(kind)[lows, highs]]
    stretched = exact - jnp.moveaxis(lacking, -1, 1)
    return jnp.where(span > 0, stretched, level)


@functools.cache
def _short_of_whole() -> tuple[np.ndarray, np.ndarray]:
    """Where `x·scale − low·scale` in float64 is just below a whole number.

    With `scale = 255 / (high − low)`; one in 234 of all levels is such a case.

    Returns:
      `kind` uint16 `[256, 256]` of (low, high), and `short` uint8 `[kinds, 256]`: what
      a level of that kind lacks, 0 or 1.
    """
    short = np.zeros((256, 256, 256), np.uint8)
    level = np.arange(256)
    for low in range(255):
        high = np.arange(low + 1, 256)[:, None]
        scale = 255.0 / (high - low)
        pillow = (level * scale - low * scale).astype(int)
        lacking = 255 * (level - low) // (high - low) - pillow
        inside = (level >= low) & (level <= high)
        short[low, low + 1 :] = np.where(inside, lacking, 0)
    faulty = short.any(-1)
    rows, which = np.unique(short[faulty], axis=0, return_inverse=True)
    kind = np.zeros((256, 256), np.uint16)  # Kind 0 lacks nothing.
    kind[faulty] = 1 + which.ravel()
    return kind, np.concatenate([np.zeros((1, 256), np.uint8), rows])


def _equalised(pixels: Array, high: Array) -> Array:
    """Tables `[n, 256, c]` of histogram equalisation for `[n, p, c]`."""
    n, count, channels = pixels.shape
    image, channel = jnp.arange(n)[:, None, None], jnp.arange(channels)
    counts = jnp.zeros((n, 256, channels), jnp.int32)
    counts = counts.at[image, pixels, channel].add(1)
    below = jnp.cumsum(counts, axis=1) - counts
    step = (count - jnp.take_along_axis(counts, high, axis=1)) // 255
    spread = (step // 2 + below) // jnp.maximum(step, 1)
    level = jnp.arange(256)[None, :, None]
    return jnp.where(step > 0, jnp.minimum(spread, 255), level)
