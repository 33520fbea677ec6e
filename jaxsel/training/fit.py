"""One training run as one scan over its epochs."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from jaxsel.training.batches import BatchPlan, draws_per_epoch, epoch_order
from jaxsel.training.learner import Learner


class Fitted(NamedTuple):
    """What a training leaves behind.

    Attributes:
      params: weights after the last step.
      state: running statistics after the last step.
      final_loss: float32 scalar, loss of the last batch before its update.
      diverged_step: int32 scalar, first step whose loss was not finite, or −1.
    """

    params: Any
    state: Any
    final_loss: Array
    diverged_step: Array


class _Carry(NamedTuple):
    params: Any
    state: Any
    momentum: Any
    loss: Array
    diverged_step: Array


def fit(
    key: Array,
    x: Array,
    y: Array,
    size: Array,
    *,
    learner: Learner,
    optimiser: optax.GradientTransformation,
    plan: BatchPlan,
    epochs: int,
) -> Fitted:
    """Trains from a fresh start on the first `size` rows, and keeps the last weights.

    Each epoch draws an order of the labelled rows (`epoch_order`) and takes its
    batches in turn, minimising the mean cross-entropy. A run that diverges goes on
    with what it has: its step is reported, and nothing stops the runs beside it.

    Args:
      key: all randomness of the run: start, order, augmentation, dropout.
      x: examples `[plan.padded, ...]`.
      y: int32 `[plan.padded]`.
      size: int32 scalar, how many of them count.
      learner: what is trained.
      optimiser: an optax transformation that knows its learning rate.
      plan: static shapes.
      epochs: passes over the labelled rows.

    Returns:
      The fitted weights and how the training went.
    """
    key_start, key_order, key_steps = jax.random.split(key, 3)
    params, state = learner.start(key_start, x[:1])

    def loss_of(params: Any, state: Any, key: Array, rows: Array) -> Any:
        logits, state = learner.logits(key, params, state, x[rows])
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, y[rows])
        return losses.mean(), state

    def step(carry: _Carry, inputs: tuple[Array, Array, Array]) -> tuple[_Carry, None]:
        number, key_step, rows = inputs
        (loss, state), gradient = jax.value_and_grad(loss_of, has_aux=True)(
            carry.params, carry.state, key_step, rows
        )
        update, momentum = optimiser.update(gradient, carry.momentum, carry.params)
        first_bad = (carry.diverged_step < 0) & ~jnp.isfinite(loss)
        diverged = jnp.where(first_bad, number, carry.diverged_step)
        params = optax.apply_updates(carry.params, update)
        return _Carry(params, state, momentum, loss, diverged), None

    def epoch(carry: _Carry, inputs: tuple[Array, Array, Array]) -> tuple[_Carry, None]:
        numbers, keys, draws = inputs
        order = epoch_order(draws, size, plan)
        return lax.scan(step, carry, (numbers, keys, order))

    # Drawn for the whole run at once: a generator inside the loop costs the compiler
    # seconds, and these are a few numbers a label.
    steps = (epochs, plan.steps_per_epoch)
    inputs = (
        jnp.arange(steps[0] * steps[1], dtype=jnp.int32).reshape(steps),
        jax.random.split(key_steps, steps),
        jax.random.uniform(key_order, (epochs, draws_per_epoch(plan))),
    )
    begin = _Carry(
        params, state, optimiser.init(params), jnp.float32(jnp.nan), jnp.int32(-1)
    )
    end, _ = lax.scan(epoch, begin, inputs)
    return Fitted(end.params, end.state, end.loss, end.diverged_step)
