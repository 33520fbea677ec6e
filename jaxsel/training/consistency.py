"""Losses of labelled and pseudo-labelled examples."""

import jax
import optax
from jax import Array


def labelled_loss(logits: Array, labels: Array) -> Array:
    """Mean cross-entropy in nats of logits `[b, k]` and int32 labels `[b]`."""
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return losses.mean()


def consistency_loss(logits: Array, targets: Array, mask: Array) -> Array:
    """`mean_i mask_i · (−Σ_c targets_ic · log softmax(logits_i)_c)`.

    The mean is over all rows, those with mask 0 included, so the loss weighs little
    while few pseudo-labels are trusted. Targets and mask get no gradient.

    Args:
      logits: `[b, k]`, of the strong views.
      targets: `[b, k]`, distributions.
      mask: `[b]`, 0 or 1.

    Returns:
      A scalar in nats.

    Example:
      >>> import jax.numpy as jnp
      >>> half = jnp.array([[0.5, 0.5], [0.5, 0.5]])
      >>> loss = consistency_loss(jnp.zeros((2, 2)), half, jnp.array([1.0, 0.0]))
      >>> round(loss.item(), 4)
      0.3466

    Source: Sohn et al. (2020), Eq. 4.
    """
    targets, mask = jax.lax.stop_gradient((targets, mask))
    losses = optax.losses.softmax_cross_entropy(logits, targets)
    return (mask.astype(logits.dtype) * losses).mean()
