"""Random changes of an image's colours: jitter and grayscale, on the device.

The operations are those of torchvision's float tensors: images are in 0 … 1, the
result of each operation is clipped to 0 … 1, and nothing is rounded. (On Pillow images
torchvision rounds each result down to a whole level of 255, and turns hues through an
8-bit colour wheel, which moves a pixel by up to 12 levels.)

Colours are held as three planes `[3, n, h, w]`: adjacent pixels then lie next to each
other in memory, for a CPU's vector registers as for a GPU's threads. As in
`jaxsel.augment.geometry`, image `i` has the draws number `i` of the batch's key.
"""

import jax
import jax.numpy as jnp
from jax import Array

# ITU-R BT.601, to the four places that torchvision has.
_LUMA = (0.2989, 0.587, 0.114)

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)


def to_planes(images: Array) -> Array:
    """`[n, h, w, 3]` to `[3, n, h, w]`."""
    return jnp.moveaxis(images, -1, 0)


def from_planes(planes: Array) -> Array:
    """`[3, n, h, w]` to `[n, h, w, 3]`."""
    return jnp.moveaxis(planes, 0, -1)


def luma(planes: Array) -> Array:
    """`0.2989 r + 0.587 g + 0.114 b`: `[3, n, h, w]` to `[n, h, w]`."""
    red, green, blue = planes
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue


def adjust(planes: Array, operation: Array, amount: Array) -> Array:
    """One operation on each image, each image its own.

    Brightness, contrast and saturation blend the image `x` with a base,
    `clip(a·x + (1 − a)·base, 0, 1)`: black, the mean of the image's luma, or each
    pixel's luma. `a = 1` changes nothing, `a > 1` extrapolates. Hue goes round the
    hexagon of hue, saturation and value by `a` turns; 0 changes nothing.

    Args:
      planes: float `[3, n, h, w]` in 0 … 1.
      operation: int32 `[n]`: `BRIGHTNESS`, `CONTRAST`, `SATURATION` or `HUE`.
      amount: float `[n]`, the factor `a`.

    Returns:
      float `[3, n, h, w]` in 0 … 1.

    Example:
      >>> red = jnp.array([0.5, 0.0, 0.0])[:, None, None, None]
      >>> green = adjust(red, jnp.array([HUE]), jnp.array([1 / 3]))
      >>> green[:, 0, 0, 0].round(4).tolist()
      [0.0, 0.5, 0.0]

    Source: `torchvision.transforms.functional.adjust_*`, for float tensors.
    """
    operation, amount = operation[:, None, None], amount[:, None, None]
    grey = luma(planes)
    mean = grey.mean((1, 2), keepdims=True)
    base = jnp.where(operation == CONTRAST, mean, grey)
    base = jnp.where(operation == BRIGHTNESS, 0.0, base)
    blended = jnp.clip(amount * planes + (1 - amount) * base, 0.0, 1.0)
    return jnp.where(operation == HUE, _turn_hue(planes, amount), blended)


def _turn_hue(planes: Array, turns: Array) -> Array:
    """Adds `turns` to the hue.

    With value `v = max(r, g, b)`, chroma `c = v − min(r, g, b)` and the hue `H` in
    sixths of a turn, the channels are `v − c·clip(min(k, 4 − k), 0, 1)` at
    `k = (H + 5, 3, 1) mod 6`: conversion there and back without dividing by `v`.
    """
    red, green, blue = planes
    value = jnp.maximum(jnp.maximum(red, green), blue)
    chroma = value - jnp.minimum(jnp.minimum(red, green), blue)
    scale = 1 / jnp.where(chroma > 0, chroma, 1.0)  # Grey has no hue: any will do.
    hue = jnp.where(
        value == red,
        (green - blue) * scale,
        jnp.where(value == green, 2 + (blue - red) * scale, 4 + (red - green) * scale),
    )
    hue = hue + 6 * turns

    def channel(offset: int) -> Array:
        k = hue + offset
        k = k - 6 * jnp.floor(k / 6)
        return value - chroma * jnp.clip(jnp.minimum(k, 4 - k), 0.0, 1.0)

    return jnp.stack([channel(5), channel(3), channel(1)])


def colour_jitter(
    key: Array,
    planes: Array,
    *,
    strength: tuple[float, float, float, float],
    probability: float,
) -> Array:
    """Brightness, contrast, saturation and hue by random amounts in random order.

    With `strength = (b, c, s, h)` the three factors are uniform over
    `[max(0, 1 − b), 1 + b]` and so on, the hue's turn over `[−h, h]`, and each image
    draws one of the 24 orders.

    Args:
      key: randomness.
      planes: float `[3, n, h, w]` in 0 … 1.
      strength: of brightness, contrast, saturation and hue.
      probability: that an image is changed at all.

    Returns:
      float `[3, n, h, w]` in 0 … 1.

    Source: `torchvision.transforms.ColorJitter` within `RandomApply`; the strengths
    of SimCLR (Chen et al., 2020, appendix A, at s = ½ with half of its hue) are
    (0.4, 0.4, 0.4, 0.1) in SCAN (Van Gansbeke et al., 2020).
    """
    key_apply, key_amounts, key_order = jax.random.split(key, 3)
    n = planes.shape[1]
    low = jnp.array([max(0.0, 1 - s) for s in strength[:3]] + [-strength[3]])
    high = jnp.array([1 + s for s in strength[:3]] + [strength[3]])
    draws = jax.random.uniform(key_amounts, (n, 4))
    amounts = low + (high - low) * draws
    orders = jnp.argsort(jax.random.uniform(key_order, (n, 4)), axis=1)
    applied = jax.random.uniform(key_apply, (n,)) < probability
    changed = planes
    # Every image passes four slots, and each slot computes both a blend and a turn of
    # hue: eight cheap passes over the pixels where all 24 orders would be 96.
    for slot in range(4):
        operation = orders[:, slot]
        amount = jnp.take_along_axis(amounts, operation[:, None], axis=1)[:, 0]
        changed = adjust(changed, operation, amount)
    return jnp.where(applied[:, None, None], changed, planes)


def random_grayscale(key: Array, planes: Array, *, probability: float) -> Array:
    """Replaces all channels by the luma, with a probability.

    Args:
      key: randomness.
      planes: float `[3, n, h, w]`.
      probability: of an image to lose its colours.

    Returns:
      float `[3, n, h, w]`.
    """
    grey = jax.random.uniform(key, planes.shape[1:2]) < probability
    return jnp.where(grey[:, None, None], luma(planes), planes)
