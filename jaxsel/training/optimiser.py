"""Stochastic gradient descent as PyTorch writes it: Nesterov, coupled weight decay."""

from collections.abc import Callable
from typing import Any

import jax
import optax


def nesterov_sgd(
    schedule: optax.ScalarOrSchedule,
    *,
    momentum: float,
    weight_decay: float,
    decayed: Callable[[Any], Any] | None = None,
) -> optax.GradientTransformation:
    """SGD with Nesterov momentum and an L2 penalty.

    With gradient `∇` at the weights `w`, and `v = 0` before the first step:

        g = ∇ + weight_decay · w
        v = momentum · v + g
        w = w − lr · (g + momentum · v)

    The penalty is *coupled*: it passes through the momentum, and it is laid on biases
    and normalisation weights too, unless `decayed` says otherwise.

    Args:
      schedule: the learning rate, or a function from the step to it.
      momentum: of the velocity.
      weight_decay: of every parameter.
      decayed: from the parameters to a tree of booleans, those with the penalty; all
        if it is None.

    Returns:
      An optax transformation.

    Example:
      >>> import jax.numpy as jnp
      >>> optimiser = nesterov_sgd(0.1, momentum=0.9, weight_decay=0.0)
      >>> step, _ = optimiser.update(
      ...     jnp.array(1.0), optimiser.init(jnp.array(2.0)), jnp.array(2.0))
      >>> round(float(step), 4)
      -0.19

    Source: Sutskever et al. (2013) in the form of `torch.optim.SGD(nesterov=True)`.
    """
    return optax.chain(
        optax.add_decayed_weights(weight_decay, mask=decayed),
        optax.trace(decay=momentum, nesterov=True),
        optax.scale_by_learning_rate(schedule),
    )


def kernels_only(params: Any) -> Any:
    """True for matrices and convolutions, False for vectors: biases, normalisations.

    Example:
      >>> import jax.numpy as jnp
      >>> kernels_only({"kernel": jnp.zeros((2, 3)), "bias": jnp.zeros(3)})
      {'bias': False, 'kernel': True}
    """
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)
