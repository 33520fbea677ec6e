"""DINO's way from an image to 224 × 224 normalised pixels, as two matrix products.

Short side to 256 by bicubic interpolation, the central 224 × 224 pixels, ImageNet's
mean and standard deviation.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsel.models.cubic import cubic_kernel

SIDE = 224
RESIZED = 256
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

_CUBIC = -0.5  # Pillow's
_TAPS = 2  # samples that the kernel reaches to each side
_UNIT = 1 << 22  # Pillow holds weights as whole multiples of 1 / 2^22


def normalised(levels: Array) -> Array:
    """`(levels / 255 - mean) / std`, a channel at a time; float32 `[…, 3]`."""
    return (levels / 255.0 - jnp.array(MEAN)) / jnp.array(STD)


def central_crop(images: Array) -> Array:
    """The central 224 × 224 pixels of images resized to a short side of 256.

    As the reference does it with Pillow: when an image shrinks the kernel is widened by
    the scale (antialiasing), weights are multiples of 2^-22, columns are made first,
    and each pass rounds to whole levels in [0, 255]. An image of 224 × 224 is what
    comes out of this already (so a streamed data set hands them out) and is left as
    it is.

    Args:
      images: uint8 `[n, h, w, 3]`.

    Returns:
      float32 `[n, 224, 224, 3]`, whole levels in [0, 255]: Pillow's, but for a level
      where its sum in integers and ours in float32 fall to different sides of a half
      (fewer than one pixel in ten thousand).

    Example:
      >>> float(central_crop(jnp.full((1, 8, 8, 3), 7, jnp.uint8)).min())
      7.0

    Source: the evaluation transform of DINO (Caron et al., 2021).
    """
    height, width = images.shape[1:3]
    x = images.astype(jnp.float32)
    if (height, width) == (SIDE, SIDE):
        return x
    down, along = _crop_weights(height, width), _crop_weights(width, height)
    highest = jax.lax.Precision.HIGHEST
    x = _levels(jnp.einsum("jw,nhwc->nhjc", jnp.asarray(along), x, precision=highest))
    return _levels(jnp.einsum("ih,nhjc->nijc", jnp.asarray(down), x, precision=highest))


def _levels(x: Array) -> Array:
    return jnp.clip(jnp.floor(x + 0.5), 0.0, 255.0)


@functools.cache
def _crop_weights(size: int, other: int) -> np.ndarray:
    """What each of the 224 kept pixels along a side of length `size` is made of.

    Args:
      size: of the side.
      other: length of the other side; the shorter becomes 256.

    Returns:
      float32 `[224, size]`.
    """
    resized = RESIZED if size <= other else RESIZED * size // other
    first = round((resized - SIDE) / 2)
    return resize_weights(size, resized)[first : first + SIDE]


def resize_weights(size: int, wanted: int) -> np.ndarray:
    """The linear map of Pillow's bicubic resize along one axis.

    Args:
      size: pixels that there are.
      wanted: pixels to be made.

    Returns:
      float32 `[wanted, size]`, exact multiples of 2^-22; rows sum to 1 within
      rounding.

    Example:
      >>> np.flatnonzero(resize_weights(4, 8)[4]).tolist()  # around 2.25, edges of it
      [0, 1, 2, 3]
    """
    scale = size / wanted
    widened = max(scale, 1.0)
    weights = np.zeros((wanted, size))
    for i in range(wanted):
        centre = (i + 0.5) * scale
        first = max(int(centre - _TAPS * widened + 0.5), 0)
        last = min(int(centre + _TAPS * widened + 0.5), size)
        kernel = cubic_kernel((np.arange(first, last) + 0.5 - centre) / widened, _CUBIC)
        weights[i, first:last] = kernel / kernel.sum()
    halves = np.copysign(0.5, weights)
    return (np.trunc(weights * _UNIT + halves) / _UNIT).astype(np.float32)
