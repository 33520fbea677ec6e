"""Trainings on images from disk: the labelled ones in memory, the test set streamed."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxsel.errors import UserError
from jaxsel.training.batches import BatchPlan, batch_plan
from jaxsel.training.evaluate import tally
from jaxsel.training.fit import Fitted, fit
from jaxsel.training.frameworks import optimiser_of
from jaxsel.training.learner import Learner
from jaxsel.training.task import Metrics


def train_streamed(
    learner: Learner,
    settings: Any,
    keys: Array,
    labelled: Iterable[tuple[np.ndarray, np.ndarray]],
    test_batches: Callable[[], Iterable[np.ndarray]],
    test_y: np.ndarray,
    *,
    n_classes: int,
) -> Metrics:
    """Trains runs one after the other, then scores all of them in one pass.

    The same trainings as `Framework.make_train`, for a data set that does not fit into
    memory: of the training set only the labelled images are held, of the test set one
    batch. Reading and decoding the test set is the slow part, so it is read once.

    Args:
      learner: what is trained.
      settings: of its framework.
      keys: typed keys `[r]`.
      labelled: for each run uint8 images `[m, h, w, c]` and int labels `[m]`.
      test_batches: starts a pass over the test images, uint8 `[b, h, w, c]` with
        `b <= settings.eval_batch`, in the order of `test_y`.
      test_y: int32 `[t]`.
      n_classes: number of classes.

    Returns:
      The metrics, one row a run.

    Raises:
      UserError: the test pass holds another number of images than `test_y`.
    """
    fits: list[tuple[Array, Fitted]] = []
    for key, (x, y) in zip(keys, labelled, strict=True):
        plan = batch_plan(
            len(y), min_batch=settings.min_batch, batch_cap=settings.batch_cap
        )
        size = len(y)
        room = [(0, plan.padded - size)]
        x = np.pad(x, room + [(0, 0)] * (x.ndim - 1))
        y = np.pad(y, room).astype(np.int32)
        key_fit, key_eval = jax.random.split(key)
        fitted = _fit(key_fit, x, y, jnp.int32(size), learner, settings, plan)
        fits.append((key_eval, fitted))

    hits, loss = _score_all(
        fits, learner, test_batches(), test_y, settings.eval_batch, n_classes
    )
    counts = np.bincount(test_y, minlength=n_classes)
    with np.errstate(invalid="ignore"):  # A class without test images has no accuracy.
        per_class = hits / counts
    accuracy = jnp.asarray(hits.sum(1) / len(test_y), jnp.float32)
    return Metrics(
        accuracy=accuracy,
        loss=jnp.asarray(loss / len(test_y), jnp.float32),
        per_class_accuracy=jnp.asarray(per_class, jnp.float32),
        final_train_loss=jnp.stack([fitted.final_loss for _, fitted in fits]),
        diverged_step=jnp.stack([fitted.diverged_step for _, fitted in fits]),
        best_accuracy=accuracy,
    )


def _score_all(
    fits: list[tuple[Array, Fitted]],
    learner: Learner,
    batches: Iterable[np.ndarray],
    test_y: np.ndarray,
    size: int,
    n_classes: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Right answers `[r, n_classes]` and summed losses `[r]`, in one pass."""
    hits = np.zeros((len(fits), n_classes), np.int64)
    loss = np.zeros(len(fits), np.float64)
    done = 0
    for number, batch in enumerate(batches):
        targets = test_y[done : done + len(batch)]
        done += len(batch)
        if len(targets) < len(batch):
            break
        short = size - len(batch)
        x = np.pad(batch, [(0, short)] + [(0, 0)] * (batch.ndim - 1))
        y = np.pad(targets, (0, short)).astype(np.int32)
        counted = np.arange(size) < len(batch)
        for run, (key, fitted) in enumerate(fits):
            right, lost = _score(
                jax.random.fold_in(key, number),
                fitted,
                x,
                y,
                counted,
                learner,
                n_classes,
            )
            hits[run] += np.asarray(right)
            loss[run] += float(lost)
    if done != len(test_y):
        raise UserError(
            f"expected {len(test_y)} test images, found {done} so far: the data set "
            "changed while it was read; start again"
        )
    return hits, loss


@functools.partial(jax.jit, static_argnames=("learner", "settings", "plan"))
def _fit(
    key: Array,
    x: Array,
    y: Array,
    size: Array,
    learner: Learner,
    settings: Any,
    plan: BatchPlan,
) -> Fitted:
    return fit(
        key,
        x,
        y,
        size,
        learner=learner,
        optimiser=optimiser_of(settings, plan),
        plan=plan,
        epochs=settings.epochs,
    )


@functools.partial(jax.jit, static_argnames=("learner", "n_classes"))
def _score(
    key: Array,
    fitted: Fitted,
    x: Array,
    y: Array,
    counted: Array,
    learner: Learner,
    n_classes: int,
) -> tuple[Array, Array]:
    logits = learner.predict(key, fitted.params, fitted.state, x)
    return tally(logits, y, counted, n_classes)
