"""Training on few labelled and all unlabelled images: the loop of framework (iii)."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxsel.errors import UserError
from jaxsel.models.conv import LOWERINGS
from jaxsel.training.evaluate import Score, evaluate
from jaxsel.training.repeating import repeated_permutations
from jaxsel.training.semi_step import (
    Batch,
    Carry,
    SemiLearner,
    optimiser_of,
    prepare,
    take_step,
)
from jaxsel.training.task import Metrics, Task


def check_loop(name: str, settings: Any) -> None:
    """Refuses settings of the loop that cannot be trained with.

    Args:
      name: of the framework.
      settings: its settings.

    Raises:
      UserError: naming the first field that is wrong.
    """
    whole = (
        "widen", "iterations", "labelled_batch", "unlabelled_ratio", "eval_every",
        "eval_batch", "operations",
    )  # fmt: skip
    for field in whole:
        found = getattr(settings, field)
        if found < 1:
            raise UserError(f"{name}.{field}: expected at least 1, found {found}")
    if settings.depth < 10 or (settings.depth - 4) % 6:
        raise UserError(
            f"{name}.depth: expected 10, 16, 22, 28 or so on, found {settings.depth}"
        )
    if settings.iterations % settings.eval_every:
        raise UserError(
            f"{name}.iterations: expected a multiple of eval_every "
            f"({settings.eval_every}), found {settings.iterations}"
        )
    unlabelled = settings.labelled_batch * settings.unlabelled_ratio
    if settings.iterations * unlabelled >= 2**31:
        raise UserError(
            f"{name}.iterations: expected fewer than 2^31 unlabelled images in all, "
            f"found {settings.iterations} steps of {unlabelled}"
        )
    if settings.lowering not in LOWERINGS:
        raise UserError(
            f"{name}.lowering: expected one of {', '.join(LOWERINGS)}, "
            f"found {settings.lowering!r}"
        )
    if settings.dtype not in ("float32", "bfloat16"):
        raise UserError(
            f"{name}.dtype: expected float32 or bfloat16, found {settings.dtype!r}"
        )
    for field in ("cutoff", "average_decay"):
        found = getattr(settings, field)
        if not 0 <= found < 1:
            raise UserError(f"{name}.{field}: expected 0 ≤ value < 1, found {found}")
    if len(settings.mean) != len(settings.std) or min(settings.std) <= 0:
        raise UserError(
            f"{name}.std: expected one positive number for each of mean's "
            f"{len(settings.mean)}, found {settings.std}"
        )


def train_semi_supervised(
    key: Array,
    labelled: Array,
    size: Array,
    task: Task,
    learner: SemiLearner,
    settings: Any,
    n_classes: int,
) -> Metrics:
    """Trains one network from scratch on the labelled rows and on the whole pool.

    Of `task.train_y` the labelled rows are read and no others; the unlabelled examples
    are all rows of the pool, the labelled ones among them. The test set is scored
    every `eval_every` steps with the averaged weights and the running statistics as
    they are.

    Args:
      key: all randomness of the run.
      labelled: int32 `[l]`, the labelled rows, all of them counting.
      size: int32 scalar, must be `l`: the lists of these frameworks are not padded (see
        `group_shape`). The accuracies of a run where it is not are NaN.
      task: the pool and the test set.
      learner: the method.
      settings: of its framework.
      n_classes: number of classes.

    Returns:
      The metrics; `accuracy` is that of the last step, `best_accuracy` the highest.
    """
    carry = begin(key, labelled, task, learner, settings, n_classes)

    def part(carry: Carry, _: None) -> tuple[Carry, None]:
        return advance(key, carry, labelled, task, learner, settings, n_classes), None

    parts = settings.iterations // settings.eval_every
    end, _ = lax.scan(part, carry, length=parts)
    metrics = metrics_of(end)
    whole = size == labelled.shape[0]
    return metrics._replace(
        accuracy=jnp.where(whole, metrics.accuracy, jnp.nan),
        best_accuracy=jnp.where(whole, metrics.best_accuracy, jnp.nan),
    )


def begin(
    key: Array,
    labelled: Array,
    task: Task,
    learner: SemiLearner,
    settings: Any,
    n_classes: int,
) -> Carry:
    """A training before its first step; arguments as of `train_semi_supervised`."""
    _check_images(task, settings)
    key_start, key_memory = jax.random.split(jax.random.fold_in(key, 0))
    params, state = learner.start(key_start, prepare(task.train_x[:1], settings))
    unscored = Score(jnp.float32(0), jnp.float32(0), jnp.zeros(n_classes))
    return Carry(
        jnp.int32(0),
        params,
        params,
        state,
        optimiser_of(settings).init(params),
        learner.begin(key_memory, task.train_x.shape[0], labelled.shape[0]),
        jnp.float32(jnp.nan),
        jnp.int32(-1),
        jnp.float32(0),
        unscored,
    )


def advance(
    key: Array,
    carry: Carry,
    labelled: Array,
    task: Task,
    learner: SemiLearner,
    settings: Any,
    n_classes: int,
) -> Carry:
    """`eval_every` steps and an evaluation, from any step on.

    What a step draws depends on the key and on the step's number alone, so a training
    that is put down between two calls and taken up again goes on as it would have.

    Args:
      key: of the run, the same in every call.
      carry: as from `begin` or from here.
      labelled: as of `train_semi_supervised`, and so on.

    Returns:
      The carry `eval_every` steps later.
    """
    key_labelled, key_rows, key_steps, key_eval = jax.random.split(
        jax.random.fold_in(key, 1), 4
    )
    labels, steps = task.train_y[labelled], settings.eval_every

    def order(key: Array, size: int, batch: int) -> Array:
        first = carry.step * batch
        row = repeated_permutations(key, size, first, steps * batch)
        return row.reshape(steps, batch)

    b = settings.labelled_batch
    m = b * settings.unlabelled_ratio
    slots = order(key_labelled, labelled.shape[0], b)
    rows = order(key_rows, task.train_x.shape[0], m)

    def step(carry: Carry, inputs: tuple[Array, Array, Array]) -> tuple[Carry, None]:
        keys, places, rows = inputs
        batch = Batch(carry.step, places, labels[places], rows)
        images = task.train_x[labelled[places]], task.train_x[rows]
        return take_step(carry, keys, batch, images, learner, settings), None

    # Keys too are made before the loop, where a generator compiles and runs faster.
    numbers = carry.step + jnp.arange(steps)
    keys = jax.vmap(lambda n: jax.random.split(jax.random.fold_in(key_steps, n)))(
        numbers
    )
    carry, _ = lax.scan(step, carry, (keys, slots, rows))
    score = evaluate(
        key_eval,
        lambda _, x: learner.predict(carry.average, carry.state, prepare(x, settings)),
        task.test_x,
        task.test_y,
        n_classes=n_classes,
        batch=settings.eval_batch,
    )
    return carry._replace(score=score, best=jnp.maximum(carry.best, score.accuracy))


def metrics_of(carry: Carry) -> Metrics:
    """What a training has come to at its last evaluation."""
    return Metrics(*carry.score, carry.loss, carry.diverged_step, carry.best)


def _check_images(task: Task, settings: Any) -> None:
    """When traced: images that the views are made for."""
    shape = task.train_x.shape
    channels = len(settings.mean)
    if len(shape) != 4 or shape[-1] != channels or channels not in (1, 3):
        raise UserError(
            f"mean: expected images of {channels} channels (1 or 3), found examples of "
            f"shape {shape[1:]}: give one mean and one std a channel"
        )
    if min(shape[1:3]) <= settings.pad:
        raise UserError(
            f"pad: expected less than the images' side of {min(shape[1:3])}, "
            f"found {settings.pad}"
        )
