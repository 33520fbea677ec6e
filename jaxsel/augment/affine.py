"""Rotations, shears and shifts in Pillow's fixed-point arithmetic: one warp for all."""

import jax.numpy as jnp
from jax import Array

from jaxsel.augment.operations import (
    ROTATE,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
)

_ONE = 65536  # One pixel: sixteen bits stand behind the point.


def warp(images: Array, coefficients: Array) -> Array:
    """Takes each pixel from where an affine map sends it; black from outside.

    With coefficients `(a, b, c, d, e, f)` in units of 2⁻¹⁶ pixel, the pixel in column
    `x` and row `y` comes from column `(a·x + b·y + c) >> 16` and row
    `(d·x + e·y + f) >> 16`.

    Args:
      images: uint8 `[n, h, w, c]`.
      coefficients: int32 `[n, 6]`.

    Returns:
      uint8 `[n, h, w, c]`.
    """
    n, height, width, channels = images.shape
    x, y = jnp.arange(width)[None, None, :], jnp.arange(height)[None, :, None]
    a, b, c, d, e, f = (coefficients[:, i, None, None] for i in range(6))
    column, row = (a * x + b * y + c) >> 16, (d * x + e * y + f) >> 16
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    source = jnp.where(inside, row * width + column, 0).reshape(n, -1, 1)
    flat = images.reshape(n, height * width, channels)
    taken = jnp.take_along_axis(flat, source, axis=1)
    return jnp.where(inside.reshape(n, -1, 1), taken, 0).reshape(images.shape)


def affine_coefficients(
    operation: Array, magnitude: Array, height: int, width: int
) -> Array:
    """The maps of Rotate, ShearX, ShearY, TranslateX and TranslateY.

    With `v` the magnitude: a counter-clockwise turn by `v` degrees about the middle;
    `x + v·y`, `y + v·x`; `x + v·width`, `y + v·height` (so that positive values move
    the content left and up). Other operations get the identity.

    Differs from Pillow: sines are float32, so an offset of a rotation can be off by
    2⁻¹⁶ pixel, which changes the choice of one pixel in a few hundred thousand.

    Args:
      operation: int32 `[n]`.
      magnitude: float32 `[n]`.
      height: rows of the images.
      width: columns of the images.

    Returns:
      int32 `[n, 6]`, for `warp`.

    Example:
      >>> shift = jnp.array([TRANSLATE_X]), jnp.array([0.25])
      >>> (affine_coefficients(*shift, 8, 8) / 65536).tolist()
      [[1.0, 0.0, 2.0, 0.0, 1.0, 0.5]]

    Source: `PIL.Image.rotate` and `PIL.Image.transform`.
    """
    one, half = jnp.full_like(operation, _ONE), jnp.full_like(operation, _ONE // 2)
    none = jnp.zeros_like(operation)
    shear = _fixed(magnitude)
    middle = _fixed(0.5 * magnitude) + _ONE // 2  # Taken at the centre of a pixel.

    def shifted(size: int) -> Array:
        return jnp.floor(magnitude * size + 0.5).astype(jnp.int32) * _ONE

    maps = {
        ROTATE: _rotation(magnitude, height, width),
        SHEAR_X: (one, shear, middle, none, one, half),
        SHEAR_Y: (one, none, half, shear, one, middle),
        TRANSLATE_X: (one, none, shifted(width), none, one, half),
        TRANSLATE_Y: (one, none, half, none, one, shifted(height)),
    }
    chosen = jnp.stack((one, none, half, none, one, half), axis=1)
    for number, candidate in maps.items():
        ours = (operation == number)[:, None]
        chosen = jnp.where(ours, jnp.stack(candidate, axis=1), chosen)
    return chosen


def _fixed(value: Array) -> Array:
    """The nearest multiple of 2⁻¹⁶, as its numerator."""
    return jnp.floor(value * _ONE + 0.5).astype(jnp.int32)


def _rotation(degrees: Array, height: int, width: int) -> tuple[Array, ...]:
    """Coefficients of a turn about `(width / 2, height / 2)`.

    The offsets are `w/2 − c·(w − 1)/2 + s·(h − 1)/2` and
    `h/2 − s·(w − 1)/2 − c·(h − 1)/2` with cosine `c` and sine `s`. With `u = 1 − c`,
    which float32 holds more exactly, and whole and broken parts of `u` and `s` apart,
    their doubles are sums of integers and of a small rest.
    """
    radians = degrees * (jnp.pi / 180)
    sine = jnp.sin(radians) * _ONE
    versine = 2 * jnp.square(jnp.sin(radians / 2)) * _ONE
    s, u = jnp.floor(sine).astype(jnp.int32), jnp.floor(versine).astype(jnp.int32)
    s_rest, u_rest = sine - s, versine - u
    h, w = height - 1, width - 1

    def halved(whole: Array, rest: Array) -> Array:
        return (whole + jnp.floor(rest).astype(jnp.int32) + 1) >> 1

    x = halved(_ONE + w * u + h * s, w * u_rest + h * s_rest)
    y = halved(_ONE + h * u - w * s, h * u_rest - w * s_rest)
    cosine = _ONE + jnp.floor(0.5 - versine).astype(jnp.int32)
    plus, minus = jnp.floor(sine + 0.5), jnp.floor(0.5 - sine)
    return (
        cosine,
        minus.astype(jnp.int32),
        x,
        plus.astype(jnp.int32),
        cosine,
        y,
    )
