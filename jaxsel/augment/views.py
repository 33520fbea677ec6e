"""SimCLR's views: two random versions of each image."""

from typing import NamedTuple

import jax
from jax import Array

from jaxsel.augment.colour import (
    colour_jitter,
    from_planes,
    random_grayscale,
    to_planes,
)
from jaxsel.augment.geometry import normalise, random_flip, random_resized_crop


class ViewSettings(NamedTuple):
    """How a view differs from its image.

    Attributes:
      scale: smallest and largest share of the image's area that is cut out.
      flip: whether half of the views are mirrored.
      jitter: strength of brightness, contrast, saturation and hue.
      jitter_probability: of a view to be jittered.
      grayscale_probability: of a view to lose its colours.
      mean: of the pixels in 0 … 1, a number a channel, subtracted last.
      std: of the pixels in 0 … 1, a number a channel, divided by last.
    """

    scale: tuple[float, float] = (0.2, 1.0)
    flip: bool = True
    jitter: tuple[float, float, float, float] = (0.4, 0.4, 0.4, 0.1)
    jitter_probability: float = 0.8
    grayscale_probability: float = 0.2
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)


def random_view(key: Array, images: Array, settings: ViewSettings) -> Array:
    """Resized crop, mirror, colour jitter, grayscale, normalisation, in this order.

    Args:
      key: randomness.
      images: uint8 `[n, h, w, 3]`.
      settings: see `ViewSettings`.

    Returns:
      float32 `[n, h, w, 3]`.
    """
    key_crop, key_flip, key_jitter, key_grey = jax.random.split(key, 4)
    view = random_resized_crop(key_crop, images, scale=settings.scale)
    if settings.flip:
        view = random_flip(key_flip, view)
    planes = to_planes(view / 255)
    planes = colour_jitter(
        key_jitter,
        planes,
        strength=settings.jitter,
        probability=settings.jitter_probability,
    )
    planes = random_grayscale(
        key_grey, planes, probability=settings.grayscale_probability
    )
    return normalise(from_planes(planes) * 255, settings.mean, settings.std)


def simclr_views(
    key: Array, images: Array, settings: ViewSettings
) -> tuple[Array, Array]:
    """Two independent views of each image.

    Args:
      key: randomness.
      images: uint8 `[n, h, w, 3]`.
      settings: see `ViewSettings`.

    Returns:
      Two float32 `[n, h, w, 3]`; row `i` of both is of image `i`.

    Example:
      >>> images = jax.numpy.zeros((2, 8, 8, 3), "uint8")
      >>> first, second = simclr_views(jax.random.key(0), images, ViewSettings())
      >>> first.shape, second.shape
      ((2, 8, 8, 3), (2, 8, 8, 3))

    Source: Chen et al. (2020), without blur, as SCAN (Van Gansbeke et al., 2020) and
    Bar & Giryes, arXiv 2406.01086, train their features.
    """
    key_first, key_second = jax.random.split(key)
    return (
        random_view(key_first, images, settings),
        random_view(key_second, images, settings),
    )
