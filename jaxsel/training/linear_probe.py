"""Framework (ii): one linear layer on raw features."""

from typing import Any, NamedTuple

import jax
from jax import Array

from jaxsel.errors import UserError
from jaxsel.training.learner import Learner


class LinearProbe(NamedTuple):
    """Settings of framework (ii); the defaults are the paper's.

    Attributes:
      epochs: passes over the labels.
      learning_rate: of the first epoch; then half a cosine.
      momentum: Nesterov's.
      weight_decay: on every parameter.
      min_batch: fewer labels than this are repeated up to it.
      batch_cap: largest batch, 0 for none.
      eval_batch: test rows at a time; changes speed and memory only.
    """

    epochs: int = 400
    learning_rate: float = 2.5
    momentum: float = 0.9
    weight_decay: float = 3e-4
    min_batch: int = 100
    batch_cap: int = 0
    eval_batch: int = 2500


def check_linear_probe(settings: LinearProbe) -> None:
    """Refuses settings that cannot be trained with.

    Args:
      settings: of framework (ii).

    Raises:
      UserError: naming the first field that is wrong.
    """
    for field in ("epochs", "min_batch", "eval_batch"):
        found = getattr(settings, field)
        if found < 1:
            raise UserError(f"linear_probe.{field}: expected at least 1, found {found}")


def linear_probe_learner(settings: LinearProbe, n_classes: int) -> Learner:
    """`logits = x W + b` on features as they are, not normalised.

    `W` and `b` begin at PyTorch's default, `U(−1/√d, 1/√d)`.

    Args:
      settings: of framework (ii).
      n_classes: outputs of the layer.

    Returns:
      A learner on float32 features `[b, d]`.

    Raises:
      UserError: settings that cannot be trained with, or (when traced) examples that
        are not rows of features.

    Source: Bar & Giryes, arXiv 2406.01086, section 4 (linear classifier on the
    self-supervised features).
    """
    check_linear_probe(settings)

    def start(key: Array, x: Array) -> tuple[Any, Any]:
        if x.ndim != 2:
            raise UserError(
                "linear probe: expected features of shape [n, d], found examples of "
                f"shape {x.shape[1:]}: pass rows of features, not images"
            )
        key_weight, key_bias = jax.random.split(key)
        bound = x.shape[-1] ** -0.5
        shape = (x.shape[-1], n_classes)
        weight = jax.random.uniform(key_weight, shape, minval=-bound, maxval=bound)
        bias = jax.random.uniform(key_bias, (n_classes,), minval=-bound, maxval=bound)
        return {"weight": weight, "bias": bias}, {}

    def predict(key: Array, params: Any, state: Any, x: Array) -> Array:
        del key, state
        return x @ params["weight"] + params["bias"]

    def logits(key: Array, params: Any, state: Any, x: Array) -> tuple[Array, Any]:
        return predict(key, params, state, x), state

    return Learner(start, logits, predict)
