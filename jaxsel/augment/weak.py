"""The weak view of the semi-supervised frameworks: a small shift and a mirror."""

import jax
import jax.numpy as jnp
from jax import Array


def shift_and_mirror(key: Array, images: Array, *, pad: int, flip: bool) -> Array:
    """Shifts each image by −pad … pad pixels both ways and mirrors half of them.

    What comes in at an edge is the image reflected in it (its outermost row or column
    is not repeated), as if a window were cut from a canvas padded by reflection. Shift
    and mirror are one look-up of pixels.

    Args:
      key: randomness.
      images: `[n, h, w, c]`, sides larger than `pad`.
      pad: pixels.
      flip: whether to mirror at all.

    Returns:
      `[n, h, w, c]`, the type of `images`.

    Example:
      >>> row = jnp.arange(4).reshape(1, 1, 4, 1).repeat(4, axis=1)
      >>> shift_and_mirror(jax.random.key(0), row, pad=0, flip=False)[0, 0, :, 0]
      Array([0, 1, 2, 3], dtype=int32)

    Source: FixMatch (Sohn et al., 2020), section 2.3.
    """
    n, height, width, _ = images.shape
    uniform = jax.random.uniform(key, (n, 3))
    shift = jnp.floor(uniform[:, :2] * (2 * pad + 1)).astype(jnp.int32)
    shift = jnp.minimum(shift, 2 * pad) - pad
    rows = _reflected(shift[:, :1] + jnp.arange(height), height)
    columns = _reflected(shift[:, 1:] + jnp.arange(width), width)
    if flip:
        columns = jnp.where(uniform[:, 2:] < 0.5, columns[:, ::-1], columns)
    return jax.vmap(lambda image, r, c: image[r[:, None], c])(images, rows, columns)


def _reflected(place: Array, size: int) -> Array:
    """Places outside 0 … size − 1 mirrored into it."""
    return (size - 1) - jnp.abs((size - 1) - jnp.abs(place))
