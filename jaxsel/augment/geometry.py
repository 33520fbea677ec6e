"""Random crops and flips of image batches, on the device.

Images are `[n, h, w, c]` with values 0 … 255, uint8 or float32. Image `i` of a batch
has the draws number `i` of the batch's key: what happens to it does not depend on
its neighbours, nor on how many there are. (JAX's counter-based generator gives this
for a draw of shape `[n, ...]`, and one generator compiles faster than `n` keys.)
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

CROPS = ("pad", "resized", "none")

_ATTEMPTS = 10
_RATIO = (3 / 4, 4 / 3)


def normalise(images: Array, mean: tuple[float, ...], std: tuple[float, ...]) -> Array:
    """`(images / 255 − mean) / std`, channel by channel.

    Args:
      images: `[..., c]`, values 0 … 255.
      mean: one number a channel, of images in 0 … 1.
      std: one number a channel.

    Returns:
      float32, the shape of `images`.

    Example:
      >>> normalise(jnp.full((1, 1, 1, 1), 255, jnp.uint8), (0.5,), (0.25,)).item()
      2.0
    """
    scale = 1 / (255 * np.asarray(std, np.float64))
    offset = np.asarray(mean, np.float64) / np.asarray(std, np.float64)
    scaled = images.astype(jnp.float32) * jnp.asarray(scale, jnp.float32)
    return scaled - jnp.asarray(offset, jnp.float32)


def random_flip(key: Array, images: Array) -> Array:
    """Mirrors each image left to right with probability ½.

    Args:
      key: randomness.
      images: `[n, h, w, c]`.

    Returns:
      `[n, h, w, c]`, the type of `images`.
    """
    flip = jax.random.uniform(key, images.shape[:1]) < 0.5
    return jnp.where(flip[:, None, None, None], images[:, :, ::-1], images)


def random_crop(key: Array, images: Array, *, pad: int) -> Array:
    """Shifts each image by −pad … pad pixels both ways; black comes in.

    The image is laid on a black canvas `pad` pixels larger on each side and a window
    of its own size is cut out, its corner uniform over the `(2·pad + 1)²` places.
    Black is 0 *before* normalisation.

    Args:
      key: randomness.
      images: `[n, h, w, c]`.
      pad: pixels.

    Returns:
      `[n, h, w, c]`, the type of `images`.
    """
    n, height, width, channels = images.shape
    corners = _uniform_integer(jax.random.uniform(key, (n, 2)), 2 * pad + 1)
    canvas = jnp.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)))

    def cut(image: Array, corner: Array) -> Array:
        start = (corner[0], corner[1], jnp.zeros_like(corner[0]))
        return lax.dynamic_slice(image, start, (height, width, channels))

    return jax.vmap(cut)(canvas, corners)


def random_resized_crop(
    key: Array, images: Array, *, scale: tuple[float, float]
) -> Array:
    """Cuts a random box out of each image and stretches it to the full size.

    The box has an area uniform over `scale` times the image's, and a log-uniform
    aspect ratio width/height in [¾, 4⁄3]; sides are rounded to pixels, a box that does
    not fit is redrawn (at most ten times, then the whole image serves), and its corner
    is uniform over the places where it fits.

    Args:
      key: randomness.
      images: `[n, h, w, c]`.
      scale: smallest and largest share of the area, in (0, 1].

    Returns:
      float32 `[n, h, w, c]`, whole numbers 0 … 255.

    Source: Szegedy et al. (2015) as `torchvision.transforms.RandomResizedCrop` draws
    it, whose last resort differs for images more oblong than 4:3.
    """
    n, height, width, _ = images.shape
    boxes = draw_boxes(key, n, height, width, scale=scale)
    return crop_and_resize(images, boxes, height, width)


def draw_boxes(
    key: Array, n: int, height: int, width: int, *, scale: tuple[float, float]
) -> Array:
    """The boxes of `random_resized_crop` for `n` images of `height` by `width`.

    Returns:
      int32 `[n, 4]`: top, left, height, width.
    """
    draws = jax.random.uniform(key, (n, _ATTEMPTS + 1, 2))
    area = scale[0] + (scale[1] - scale[0]) * draws[:, :-1, 0]
    low, high = np.log(_RATIO).tolist()
    ratio = jnp.exp(low + (high - low) * draws[:, :-1, 1])
    widths = jnp.round(jnp.sqrt(area * (height * width) * ratio)).astype(jnp.int32)
    heights = jnp.round(jnp.sqrt(area * (height * width) / ratio)).astype(jnp.int32)
    fits = (widths > 0) & (widths <= width) & (heights > 0) & (heights <= height)
    first, any_fits = fits.argmax(1)[:, None], fits.any(1)
    box_height = jnp.where(
        any_fits, jnp.take_along_axis(heights, first, 1)[:, 0], height
    )
    box_width = jnp.where(any_fits, jnp.take_along_axis(widths, first, 1)[:, 0], width)
    top = _uniform_integer(draws[:, -1, 0], height - box_height + 1)
    left = _uniform_integer(draws[:, -1, 1], width - box_width + 1)
    return jnp.stack([top, left, box_height, box_width], axis=1)


def _uniform_integer(draws: Array, count: Array | int) -> Array:
    """Uniform over 0 … count − 1 from draws in [0, 1)."""
    return jnp.minimum(jnp.floor(draws * count).astype(jnp.int32), count - 1)


def crop_and_resize(images: Array, boxes: Array, height: int, width: int) -> Array:
    """Bilinear resize of a box of each image, as Pillow does it.

    Output row `i` is centred at `t = top + (i + ½)·h/height` and averages the rows `j`
    of the box with weights `max(0, 1 − |j + ½ − t| / max(h/height, 1))`, normalised:
    a triangle that widens when the box shrinks, so that nothing aliases. Columns
    follow in the same way, and each pass rounds to whole numbers. Both passes are
    matrix products, which suits an accelerator better than a gather.

    Columns are resized first and rows second. Differs from Pillow where a box is
    shrunk: recent versions then take the rows first if that is cheaper, which moves a
    quarter of the pixels by one level. Weights are float32, not 22-bit fixed point.

    Args:
      images: `[n, h, w, c]`, values 0 … 255.
      boxes: int32 `[n, 4]`: top, left, height, width of each box.
      height: rows of the result.
      width: columns of the result.

    Returns:
      float32 `[n, height, width, c]`, whole numbers 0 … 255.
    """
    top, left, box_height, box_width = boxes.T
    rows = jax.vmap(lambda o, s: _triangle(o, s, images.shape[1], height))(
        top, box_height
    )
    cols = jax.vmap(lambda o, s: _triangle(o, s, images.shape[2], width))(
        left, box_width
    )
    # "highest": whole levels up to 255 must survive a TF32 or bfloat16 unit.
    product = lambda form, a, b: jnp.einsum(form, a, b, precision="highest")  # noqa: E731
    pixels = images.astype(jnp.float32)
    across = jnp.floor(product("njx,nhxc->nhjc", cols, pixels) + 0.5)
    return jnp.floor(product("niy,nyjc->nijc", rows, across) + 0.5)


def _triangle(start: Array, size: Array, n_in: int, n_out: int) -> Array:
    """Weights `[n_out, n_in]` of a triangle filter inside `start … start + size`."""
    step = size / n_out
    centres = start + (jnp.arange(n_out) + 0.5) * step
    pixels = jnp.arange(n_in)
    distance = jnp.abs(pixels[None, :] + 0.5 - centres[:, None])
    weights = jnp.maximum(0.0, 1.0 - distance / jnp.maximum(step, 1.0))
    inside = (pixels >= start) & (pixels < start + size)
    weights = jnp.where(inside[None, :], weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def crop(
    key: Array, images: Array, *, kind: str, pad: int, scale: tuple[float, float]
) -> Array:
    """The random crop of a given kind.

    Args:
      key: randomness.
      images: `[n, h, w, c]`, values 0 … 255.
      kind: one of `CROPS`: `"pad"` is `random_crop`, `"resized"` is
        `random_resized_crop`, `"none"` changes nothing.
      pad: for `"pad"`.
      scale: for `"resized"`.

    Returns:
      `[n, h, w, c]`.
    """
    if kind == "pad":
        return random_crop(key, images, pad=pad)
    if kind == "resized":
        return random_resized_crop(key, images, scale=scale)
    return images
