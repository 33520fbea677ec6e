"""Which labelled examples a step trains on, for any number of labels."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array


class BatchPlan(NamedTuple):
    """The static shape of a training; runs with equal plans share a program.

    Attributes:
      padded: length of the padded list of labelled rows.
      batch: examples in a step.
      steps_per_epoch: updates in an epoch.
    """

    padded: int
    batch: int
    steps_per_epoch: int


def batch_plan(size: int, *, min_batch: int, batch_cap: int) -> BatchPlan:
    """The shapes of a training on `size` labels.

    The batch is `max(size, min_batch)`, at most `batch_cap` if that is not 0. Fewer
    labels than a batch are repeated to fill one (`epoch_order`), so that all such
    sizes have one plan; more labels than a batch take `⌊size / batch⌋` steps an epoch.

    Args:
      size: number of labels, at least 1.
      min_batch: smallest batch.
      batch_cap: largest batch; 0 for none.

    Returns:
      The plan.

    Raises:
      ValueError: `size` below 1.

    Example:
      >>> batch_plan(30, min_batch=100, batch_cap=0)
      BatchPlan(padded=100, batch=100, steps_per_epoch=1)
      >>> batch_plan(130, min_batch=100, batch_cap=50)
      BatchPlan(padded=130, batch=50, steps_per_epoch=2)

    Source: Bar & Giryes, arXiv 2406.01086: batch max(#labelled, 100), 50 on ImageNet.
    """
    if size < 1:
        raise ValueError(f"size: expected at least 1 label, found {size}")
    batch = max(size, min_batch)
    if batch_cap:
        batch = min(batch, batch_cap)
    padded = max(size, batch)
    return BatchPlan(padded, batch, padded // batch)


def draws_per_epoch(plan: BatchPlan) -> int:
    """How many uniform numbers `epoch_order` needs: the longest doubled list."""
    # Doubling stops below twice a batch, and does not start at a batch or more.
    return max(2 * plan.batch, plan.padded)


def epoch_order(draws: Array, size: Array, plan: BatchPlan) -> Array:
    """The labelled examples of one epoch, in their order: positions below `size`.

    The list of labels is doubled until it fills a batch, shuffled, and cut to whole
    batches: with 60 labels and batches of 100 the list has 120 entries, and a batch
    is 100 of them without replacement (some labels twice, some once).

    The doubled length is a number of the running program, not of its shape: entries
    beyond it are sorted to the end, so that every size below a batch runs the same
    compiled code.

    Args:
      draws: float32 `[draws_per_epoch(plan)]`, uniform in [0, 1); their order is the
        shuffle.
      size: int32 scalar, number of labels, at most `plan.padded`; a plan of several
        steps an epoch belongs to its own size alone.
      plan: static shapes.

    Returns:
      int32 `[steps_per_epoch, batch]`.

    Source: the index tiling of TypiClust's training code (Hacohen et al., 2022), used
    by Bar & Giryes, arXiv 2406.01086.
    """
    powers = 2 ** jnp.arange(plan.batch.bit_length(), dtype=jnp.int32)
    length = size * 2 ** jnp.sum(size * powers < plan.batch)
    positions = jnp.arange(draws.shape[0], dtype=jnp.int32)
    order = jnp.argsort(jnp.where(positions < length, draws, 2.0))
    used = order[: plan.steps_per_epoch * plan.batch]
    return (used % size).reshape(plan.steps_per_epoch, plan.batch)
