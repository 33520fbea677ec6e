"""One step of a semi-supervised training: three sets of images, one update.

The network sees at once labelled images, unlabelled ones shifted and mirrored (weak
views), and the same unlabelled ones distorted (strong views). What becomes of the
outputs is the method's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from jaxsel.augment.geometry import normalise
from jaxsel.augment.randaugment import rand_augment
from jaxsel.augment.weak import shift_and_mirror
from jaxsel.training.evaluate import Score
from jaxsel.training.optimiser import kernels_only, nesterov_sgd
from jaxsel.training.schedule import cosine_sevenths


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


def take_step(
    carry: Carry,
    keys: Array,
    batch: Batch,
    images: tuple[Array, Array],
    learner: SemiLearner,
    settings: Any,
) -> Carry:
    """One update of everything that a training moves.

    Args:
      carry: so far.
      keys: typed keys `[2]`, the randomness of the views.
      batch: which examples these are.
      images: uint8 labelled `[b, h, w, c]` and unlabelled `[m, h, w, c]`.
      learner: the method.
      settings: of its framework.

    Returns:
      The carry one step later, its score as it was.
    """
    x = _views(keys, *images, settings)
    b, m = len(images[0]), len(images[1])
    parts = (slice(0, b), slice(b, b + m), slice(b + m, None))

    def loss_of(params: Any) -> tuple[Array, tuple[Any, Any]]:
        outputs, state = learner.forward(params, carry.state, x)
        labelled, weak, strong = (
            jax.tree.map(lambda leaf, part=part: leaf[part], outputs) for part in parts
        )
        loss, memory = learner.loss(carry.memory, labelled, weak, strong, batch)
        return loss, (state, memory)

    (loss, (state, memory)), gradient = jax.value_and_grad(loss_of, has_aux=True)(
        carry.params
    )
    update, momentum = optimiser_of(settings).update(
        gradient, carry.momentum, carry.params
    )
    params = optax.apply_updates(carry.params, update)
    first_bad = (carry.diverged_step < 0) & ~jnp.isfinite(loss)
    return carry._replace(
        step=carry.step + 1,
        params=params,
        average=optax.incremental_update(
            params, carry.average, 1 - settings.average_decay
        ),
        state=state,
        momentum=momentum,
        memory=memory,
        loss=loss,
        diverged_step=jnp.where(first_bad, carry.step, carry.diverged_step),
    )


def _views(keys: Array, labelled: Array, unlabelled: Array, settings: Any) -> Array:
    """Labelled, weak and strong views, normalised: `[b + 2m, h, w, c]`."""
    images = jnp.concatenate((labelled, unlabelled, unlabelled))
    weak = shift_and_mirror(keys[0], images, pad=settings.pad, flip=settings.flip)
    own = len(labelled) + len(unlabelled)
    strong = rand_augment(keys[1], weak[own:], count=settings.operations)
    return prepare(jnp.concatenate((weak[:own], strong)), settings)


def prepare(images: Array, settings: Any) -> Array:
    """Images as the network takes them: normalised, in the type it computes in."""
    return normalise(images, settings.mean, settings.std).astype(settings.dtype)


def optimiser_of(settings: Any) -> optax.GradientTransformation:
    """SGD whose penalty leaves biases and normalisations alone."""
    return nesterov_sgd(
        cosine_sevenths(settings.learning_rate, settings.iterations),
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        decayed=kernels_only,
    )
