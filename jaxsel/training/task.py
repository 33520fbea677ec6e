"""What a training reads and what it answers, as plain arrays."""

from typing import NamedTuple

import numpy as np
from jax import Array

from jaxsel.errors import UserError


class Task(NamedTuple):
    """A pool of labelled examples and a test set.

    The pool holds every example; a training sees the rows it is given and no other.

    Attributes:
      train_x: uint8 images `[n, h, w, c]` or float32 features `[n, d]`.
      train_y: int32 `[n]`, classes from 0.
      test_x: uint8 `[t, h, w, c]` or float32 `[t, d]`.
      test_y: int32 `[t]`.
    """

    train_x: Array
    train_y: Array
    test_x: Array
    test_y: Array


class Metrics(NamedTuple):
    """What `r` trainings came to, one row a training.

    Attributes:
      accuracy: float32 `[r]`, share of the test set predicted correctly in evaluation
        mode with the weights of the last step. A prediction that is not finite counts
        as wrong, so a diverged training has a defined (and low) accuracy.
      loss: float32 `[r]`, mean test cross-entropy in nats; not finite if diverged.
      per_class_accuracy: float32 `[r, k]`; NaN for a class the test set lacks.
      final_train_loss: float32 `[r]`, loss of the last training batch.
      diverged_step: int32 `[r]`, first step, from 0, whose loss was not finite;
        −1 if there was none.
      best_accuracy: float32 `[r]`, highest accuracy of all evaluations; that of the
        last step where there is no other. It is picked on the test set, so it flatters.
    """

    accuracy: Array
    loss: Array
    per_class_accuracy: Array
    final_train_loss: Array
    diverged_step: Array
    best_accuracy: Array


def check_indices(indices: np.ndarray, n: int, labels: np.ndarray) -> None:
    """Refuses a labelled set that a training could not or should not use.

    Inside a compiled program an index out of range is clamped without a word, so
    this is looked at before.

    Args:
      indices: integers `[m]`, rows of the pool that are labelled.
      n: size of the pool.
      labels: integers `[n]`, classes of the pool.

    Raises:
      UserError: no indices, one out of range, one twice, a wrong number of labels, or
        a labelled row without a class (a negative label).

    Example:
      >>> check_indices(np.array([0, 2]), 3, np.array([0, 1, 1]))
    """
    indices, labels = np.asarray(indices), np.asarray(labels)
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        raise UserError(
            "expected the labelled rows as a one-dimensional array of integers, "
            f"found {indices.dtype} of shape {indices.shape}: pass row numbers"
        )
    if indices.size == 0:
        raise UserError(
            "expected at least one labelled row, found none: select something first"
        )
    outside = indices[(indices < 0) | (indices >= n)]
    if outside.size:
        raise UserError(
            f"expected labelled rows in 0 … {n - 1}, found {outside[0]}: "
            "the selection was made on another pool"
        )
    values, counts = np.unique(indices, return_counts=True)
    if (counts > 1).any():
        raise UserError(
            "expected distinct labelled rows, found "
            f"{values[counts > 1][0]} more than once: remove the repeats"
        )
    if labels.shape != (n,):
        raise UserError(
            f"expected a label for each of the {n} rows, found an array of shape "
            f"{labels.shape}: pass the labels of the whole pool"
        )
    unknown = indices[labels[indices] < 0]
    if unknown.size:
        raise UserError(
            f"expected a class for every labelled row, found {labels[unknown[0]]} for "
            f"row {unknown[0]}: label it or leave it out"
        )
