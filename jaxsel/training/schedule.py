"""The learning rate over a training: half a cosine, or the first part of one."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array


def cosine_per_epoch(
    base: float, epochs: int, steps_per_epoch: int
) -> Callable[[Array], Array]:
    """Half a cosine from `base` towards zero, constant within an epoch.

    `lr(e) = base · ½ · (1 + cos(π e / epochs))` for epoch `e = 0 … epochs − 1`; no
    warm-up, so that the last epoch still moves a little.

    Args:
      base: rate of the first epoch.
      epochs: length of the training.
      steps_per_epoch: updates in an epoch.

    Returns:
      A function from the step (int32, from 0) to the rate (float32).

    Example:
      >>> rate = cosine_per_epoch(0.1, epochs=4, steps_per_epoch=3)
      >>> [round(float(rate(jnp.int32(step))), 4) for step in (0, 2, 3, 6, 11)]
      [0.1, 0.1, 0.0854, 0.05, 0.0146]

    Source: Loshchilov & Hutter (2017), Eq. 5, without restarts; Bar & Giryes,
    arXiv 2406.01086, training details.
    """

    def rate(step: Array) -> Array:
        epoch = step // steps_per_epoch
        return base * 0.5 * (1 + jnp.cos(jnp.pi * epoch / epochs))

    return rate


def cosine_sevenths(base: float, steps: int) -> Callable[[Array], Array]:
    """`base · cos(7π t / (16 · steps))` at step `t`: from `base` to a fifth of it.

    Args:
      base: rate of the first step.
      steps: length of the training.

    Returns:
      A function from the step (int32, from 0) to the rate (float32).

    Example:
      >>> rate = cosine_sevenths(0.03, steps=100)
      >>> [round(float(rate(jnp.int32(step))), 5) for step in (0, 50, 100)]
      [0.03, 0.02319, 0.00585]

    Source: Sohn et al. (2020), section 2.4.
    """

    def rate(step: Array) -> Array:
        return base * jnp.cos((7 * jnp.pi / 16) * (step / steps))

    return rate
