"""Accuracy and loss over a test set, in static batches, inside the program."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax


class Score(NamedTuple):
    """How well a test set was predicted.

    Attributes:
      accuracy: float32 scalar; a prediction that is not finite is a wrong one.
      loss: float32 scalar, mean cross-entropy in nats.
      per_class_accuracy: float32 `[k]`; NaN for a class without test examples.
    """

    accuracy: Array
    loss: Array
    per_class_accuracy: Array


def tally(
    logits: Array, targets: Array, counted: Array, n_classes: int
) -> tuple[Array, Array]:
    """Right predictions by class, and the summed cross-entropy, of a batch.

    Args:
      logits: `[b, n_classes]`; a row that is not finite is a wrong prediction.
      targets: int32 `[b]`.
      counted: bool `[b]`, the examples that count.
      n_classes: number of classes.

    Returns:
      `(hits int32 [n_classes], loss float32 scalar)`.
    """
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, targets)
    right = logits.argmax(-1) == targets
    right &= jnp.isfinite(logits).all(-1) & counted
    hits = jax.ops.segment_sum(right.astype(jnp.int32), targets, n_classes)
    return hits, jnp.where(counted, losses, 0.0).sum()


def evaluate(
    key: Array,
    predict: Callable[[Array, Array], Array],
    x: Array,
    y: Array,
    *,
    n_classes: int,
    batch: int,
) -> Score:
    """Scores `predict` on a test set, `batch` examples at a time.

    The last batch reaches back into the one before it, so that every batch is full
    and nothing is copied; what it sees for a second time is not counted.

    Args:
      key: for a predictor that is random; `predict` gets a child of it a batch.
      predict: `(key, x [batch, ...]) -> logits [batch, n_classes]`.
      x: test examples `[t, ...]`.
      y: int32 `[t]`.
      n_classes: number of classes.
      batch: examples at a time; the whole set if it is smaller.

    Returns:
      The score.

    Example:
      >>> score = evaluate(
      ...     jax.random.key(0), lambda key, x: x, jnp.eye(3), jnp.array([0, 1, 1]),
      ...     n_classes=3, batch=2)
      >>> round(score.accuracy.item(), 4), score.per_class_accuracy.tolist()
      (0.6667, [1.0, 0.5, nan])
    """
    total = x.shape[0]
    batch = min(batch, total)

    def add(
        sums: tuple[Array, Array], number: Array
    ) -> tuple[tuple[Array, Array], None]:
        begin = number * batch
        start = jnp.minimum(begin, total - batch)
        fresh = start + jnp.arange(batch) >= begin
        targets = lax.dynamic_slice_in_dim(y, start, batch)
        logits = predict(
            jax.random.fold_in(key, number), lax.dynamic_slice_in_dim(x, start, batch)
        )
        hits, loss = tally(logits, targets, fresh, n_classes)
        return (sums[0] + hits, sums[1] + loss), None

    zeros = (jnp.zeros(n_classes, jnp.int32), jnp.float32(0))
    (hits, loss), _ = lax.scan(add, zeros, jnp.arange(-(-total // batch)))
    counts = jax.ops.segment_sum(jnp.ones_like(y), y, n_classes)
    return Score(hits.sum() / total, loss / total, hits / counts)
