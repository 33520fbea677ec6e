"""Training on few labelled and all unlabelled images: the loop of framework (iii).

A step shows the network three sets of images at once: labelled ones, unlabelled ones
shifted and mirrored (weak views), and the same ones distorted (strong views). What
becomes of the outputs is the method's; everything else is here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from jaxsel.augment.geometry import normalise
from jaxsel.augment.randaugment import rand_augment
from jaxsel.augment.weak import shift_and_mirror
from jaxsel.errors import UserError
from jaxsel.models.conv import LOWERINGS
from jaxsel.training.evaluate import Score, evaluate
from jaxsel.training.optimiser import kernels_only, nesterov_sgd
from jaxsel.training.repeating import repeated_permutations
from jaxsel.training.schedule import cosine_sevenths
from jaxsel.training.task import Metrics, Task


class Batch(NamedTuple):
    """Which examples a step sees.

    Attributes:
      step: int32 scalar, from 0.
      slots: int32 `[b]`, places in the list of labelled examples.
      labels: int32 `[b]`, their classes.
      rows: int32 `[m]`, unlabelled examples, as rows of the pool.
    """

    step: Array
    slots: Array
    labels: Array
    rows: Array


class SemiLearner(NamedTuple):
    """A semi-supervised method with its network, as pure functions of arrays.

    Attributes:
      start: `(key, x) -> (params, state)` for images shaped like `x`, normalised.
      forward: `(params, state, x) -> (outputs, state)` in training mode; `outputs` is a
        tree of arrays with a leading axis of images.
      predict: `(params, state, x) -> logits` in evaluation mode.
      begin: `(key, n_pool, n_labelled) -> memory`.
      loss: `(memory, labelled, weak, strong, batch) -> (scalar, memory)`, of the three
        parts of `outputs`.
    """

    start: Callable[[Array, Array], tuple[Any, Any]]
    forward: Callable[[Any, Any, Array], tuple[Any, Any]]
    predict: Callable[[Any, Any, Array], Array]
    begin: Callable[[Array, int, int], Any]
    loss: Callable[[Any, Any, Any, Any, Batch], tuple[Array, Any]]


class Carry(NamedTuple):
    """A training between two steps; with its key it is all that the rest needs.

    Attributes:
      step: int32 scalar, updates made so far.
      params: weights.
      average: their moving average, which is what is evaluated.
      state: running statistics.
      momentum: of the optimiser.
      memory: of the method.
      loss: float32 scalar, of the last step before its update.
      diverged_step: int32 scalar, first step whose loss was not finite, or −1.
      best: float32 scalar, highest test accuracy so far.
      score: of the average, at the last evaluation.
    """

    step: Array
    params: Any
    average: Any
    state: Any
    momentum: Any
    memory: Any
    loss: Array
    diverged_step: Array
    best: Array
    score: Score


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
      size: int32 scalar; is `l`.
      task: the pool and the test set.
      learner: the method.
      settings: of its framework.
      n_classes: number of classes.

    Returns:
      The metrics; `accuracy` is that of the last step, `best_accuracy` the highest.
    """
    del size
    carry = begin(key, labelled, task, learner, settings, n_classes)

    def part(carry: Carry, _: None) -> tuple[Carry, None]:
        return advance(key, carry, labelled, task, learner, settings, n_classes), None

    parts = settings.iterations // settings.eval_every
    end, _ = lax.scan(part, carry, length=parts)
    return metrics_of(end)


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
    params, state = learner.start(key_start, _prepare(task.train_x[:1], settings))
    unscored = Score(jnp.float32(0), jnp.float32(0), jnp.zeros(n_classes))
    return Carry(
        jnp.int32(0),
        params,
        params,
        state,
        _optimiser(settings).init(params),
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
    optimiser, steps = _optimiser(settings), settings.eval_every
    labels = task.train_y[labelled]

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
        x = _views(
            keys,
            task.train_x[labelled[batch.slots]],
            task.train_x[batch.rows],
            settings,
        )

        def loss_of(params: Any) -> tuple[Array, tuple[Any, Any]]:
            outputs, state = learner.forward(params, carry.state, x)
            parts = (slice(0, b), slice(b, b + m), slice(b + m, None))
            labelled, weak, strong = (
                jax.tree.map(lambda leaf, part=part: leaf[part], outputs)
                for part in parts
            )
            loss, memory = learner.loss(carry.memory, labelled, weak, strong, batch)
            return loss, (state, memory)

        (loss, (state, memory)), gradient = jax.value_and_grad(loss_of, has_aux=True)(
            carry.params
        )
        update, momentum = optimiser.update(gradient, carry.momentum, carry.params)
        params = optax.apply_updates(carry.params, update)
        keep = settings.average_decay
        first_bad = (carry.diverged_step < 0) & ~jnp.isfinite(loss)
        return carry._replace(
            step=carry.step + 1,
            params=params,
            average=optax.incremental_update(params, carry.average, 1 - keep),
            state=state,
            momentum=momentum,
            memory=memory,
            loss=loss,
            diverged_step=jnp.where(first_bad, carry.step, carry.diverged_step),
        ), None

    # Keys too are made before the loop, where a generator compiles and runs faster.
    numbers = carry.step + jnp.arange(steps)
    keys = jax.vmap(lambda n: jax.random.split(jax.random.fold_in(key_steps, n)))(
        numbers
    )
    carry, _ = lax.scan(step, carry, (keys, slots, rows))
    score = evaluate(
        key_eval,
        lambda _, x: learner.predict(carry.average, carry.state, _prepare(x, settings)),
        task.test_x,
        task.test_y,
        n_classes=n_classes,
        batch=settings.eval_batch,
    )
    return carry._replace(score=score, best=jnp.maximum(carry.best, score.accuracy))


def metrics_of(carry: Carry) -> Metrics:
    """What a training has come to at its last evaluation."""
    return Metrics(*carry.score, carry.loss, carry.diverged_step, carry.best)


def _views(keys: Array, labelled: Array, unlabelled: Array, settings: Any) -> Array:
    """Labelled, weak and strong views, normalised: `[b + 2m, h, w, c]`."""
    images = jnp.concatenate((labelled, unlabelled, unlabelled))
    weak = shift_and_mirror(keys[0], images, pad=settings.pad, flip=settings.flip)
    own = len(labelled) + len(unlabelled)
    strong = rand_augment(keys[1], weak[own:], count=settings.operations)
    return _prepare(jnp.concatenate((weak[:own], strong)), settings)


def _prepare(images: Array, settings: Any) -> Array:
    return normalise(images, settings.mean, settings.std).astype(settings.dtype)


def _optimiser(settings: Any) -> optax.GradientTransformation:
    """SGD whose penalty leaves biases and normalisations alone."""
    return nesterov_sgd(
        cosine_sevenths(settings.learning_rate, settings.iterations),
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        decayed=kernels_only,
    )


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
