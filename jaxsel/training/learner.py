"""A learner: the three functions that tell one training framework from another."""

from collections.abc import Callable
from typing import Any, NamedTuple

from jax import Array


class Learner(NamedTuple):
    """What is trained, as pure functions of arrays.

    Attributes:
      start: `(key, x) -> (params, state)`; `x` `[1, ...]` shows the shape of an example
        as the task holds it, `state` is what training moves without a gradient.
      logits: `(key, params, state, x) -> (logits [b, k], state)`, in training mode,
        augmentation included.
      predict: `(key, params, state, x) -> logits [b, k]`, in evaluation mode.
    """

    start: Callable[[Array, Array], tuple[Any, Any]]
    logits: Callable[[Array, Any, Any, Array], tuple[Array, Any]]
    predict: Callable[[Array, Any, Any, Array], Array]
