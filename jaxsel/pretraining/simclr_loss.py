"""The contrastive loss: find an image's other view among all views of a batch."""

import jax
import jax.numpy as jnp
from jax import Array


def simclr_loss(
    first: Array, second: Array, *, temperature: float, symmetric: bool = False
) -> Array:
    """Cross-entropy of picking the other view of the same image.

    With `z = [first; second]` (2b rows) and anchor `i < b`,

        loss = (1/b) Σ_i ( log Σ_{j ≠ i} exp(z_i·z_j / T) − z_i·z_{i+b} / T )

    Only first views are anchors, as in the program of the paper's features;
    `symmetric` averages over all 2b anchors, as SimCLR has it.

    Args:
      first: float `[b, d]`, one view of each image; rows are not normalised here.
      second: float `[b, d]`, the other view.
      temperature: `T`.
      symmetric: whether second views are anchors too.

    Returns:
      float32 scalar, nats.

    Example:
      >>> views = jnp.eye(2)
      >>> round(float(simclr_loss(views, views, temperature=1.0)), 4)  # log(1 + 2/e)
      0.5514

    Source: Chen et al. (2020), Eq. 1; one-sided in SCAN (Van Gansbeke et al., 2020),
    whose encoder Bar & Giryes (arXiv 2406.01086) train.
    """
    loss = _anchored(first, second, temperature)
    if symmetric:
        loss = (loss + _anchored(second, first, temperature)) / 2
    return loss


def _anchored(anchors: Array, others: Array, temperature: float) -> Array:
    b = anchors.shape[0]
    rows = jnp.concatenate([anchors, others])
    # "highest": the products are exponents.
    logits = jnp.matmul(anchors, rows.T, precision="highest") / temperature
    itself = jnp.eye(b, 2 * b, dtype=bool)
    masked = jnp.where(itself, -jnp.inf, logits)
    positive = jnp.diagonal(logits[:, b:])
    return (jax.nn.logsumexp(masked, axis=1) - positive).mean()
