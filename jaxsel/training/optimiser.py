"""Stochastic gradient descent as PyTorch writes it: Nesterov, coupled weight decay."""

import optax


def nesterov_sgd(
    schedule: optax.ScalarOrSchedule, *, momentum: float, weight_decay: float
) -> optax.GradientTransformation:
    """SGD with Nesterov momentum and an L2 penalty on every parameter.

    With gradient `∇` at the weights `w`, and `v = 0` before the first step:

        g = ∇ + weight_decay · w
        v = momentum · v + g
        w = w − lr · (g + momentum · v)

    The penalty is *coupled*: it passes through the momentum, and it is laid on biases
    and normalisation weights too.

    Args:
      schedule: the learning rate, or a function from the step to it.
      momentum: of the velocity.
      weight_decay: of every parameter.

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
        optax.add_decayed_weights(weight_decay),
        optax.trace(decay=momentum, nesterov=True),
        optax.scale_by_learning_rate(schedule),
    )
