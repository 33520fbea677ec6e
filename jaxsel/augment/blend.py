"""Blends of an image with a base, as Pillow computes them: Color and Sharpness."""

import jax.numpy as jnp
from jax import Array

from jaxsel.augment.operations import COLOR, SHARPNESS


def blend(base: Array, image: Array, factor: Array) -> Array:
    """`base + factor · (image − base)`, cut to a whole number.

    Factor 0 is the base and factor 1 the image. Pillow multiplies, then adds, each
    rounded to float32. A compiler may fuse the two into one rounding, which moves a
    result across a whole number now and then; so the product is computed here with
    integers, which leave it nothing to fuse.

    Args:
      base: int32, 0 … 255.
      image: int32, 0 … 255; broadcast against `base`.
      factor: float32, 0 … 1; broadcast likewise.

    Returns:
      int32, 0 … 255.

    Example:
      >>> blend(jnp.int32(10), jnp.int32(21), jnp.float32(0.5)).item()
      15
    """
    mantissa, exponent = jnp.frexp(factor)
    whole = (mantissa * 2**24).astype(jnp.uint32)
    difference = image - base
    # 24 bits by 8 bits: 32 bits, and the conversion rounds as the product would.
    product = (whole * jnp.abs(difference).astype(jnp.uint32)).astype(jnp.float32)
    product = jnp.ldexp(product, exponent - 24) * jnp.sign(difference)
    return (base.astype(jnp.float32) + product).astype(jnp.int32)


def grey_levels(images: Array) -> Array:
    """Luma in whole levels, `(19595 r + 38470 g + 7471 b + 2¹⁵) >> 16`.

    Args:
      images: int32 `[..., c]`, three channels or one.

    Returns:
      int32 `[..., 1]`.
    """
    if images.shape[-1] == 1:
        return images
    red, green, blue = (images[..., i : i + 1] for i in range(3))
    return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16


def smoothed(images: Array) -> Array:
    """Each pixel with its eight neighbours, `(4·centre + Σ of nine) / 13`, rounded.

    The border of one pixel stays as it is.

    Args:
      images: int32 `[n, h, w, c]`.

    Returns:
      int32 `[n, h, w, c]`.
    """
    height, width = images.shape[1:3]
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows = padded[:, :height] + padded[:, 1:-1] + padded[:, 2:]
    nine = rows[:, :, :width] + rows[:, :, 1:-1] + rows[:, :, 2:]
    inner_row = (jnp.arange(height) > 0) & (jnp.arange(height) < height - 1)
    inner_column = (jnp.arange(width) > 0) & (jnp.arange(width) < width - 1)
    inner = inner_row[:, None, None] & inner_column[:, None]
    return jnp.where(inner, (2 * (nine + 4 * images) + 13) // 26, images)


def blend_pixels(images: Array, operation: Array, magnitude: Array) -> Array:
    """Color and Sharpness: towards an image's luma, or towards its smoothed self.

    Args:
      images: uint8 `[n, h, w, c]`.
      operation: int32 `[n]`; images with another operation are left as they are.
      magnitude: float32 `[n]`, the share of the image, 0 … 1.

    Returns:
      uint8 `[n, h, w, c]`.

    Source: `PIL.ImageEnhance`.
    """
    levels = images.astype(jnp.int32)
    operation = operation[:, None, None, None]
    ours = (operation == COLOR) | (operation == SHARPNESS)
    base = jnp.where(operation == COLOR, grey_levels(levels), smoothed(levels))
    factor = jnp.where(ours, magnitude[:, None, None, None], 1.0)
    return blend(base, levels, factor).astype(jnp.uint8)
