"""Selection by feature norm (Bar & Giryes, Eq. 1): long rows are drawn more often."""

import functools

import jax
import jax.numpy as jnp

from jaxsel.selection import sampling
from jaxsel.selection.contract import Picks
from jaxsel.selection.rules import Rules, begin


def row_norms(rows: jax.Array, order: float = 2) -> jax.Array:
    """The l1, l2 or linf norm of every row: `[n, d]` to `[n]`."""
    if order == 1:
        return jnp.sum(jnp.abs(rows), axis=-1)
    if order == 2:
        return jnp.sqrt(jnp.sum(jnp.square(rows), axis=-1))
    return jnp.max(jnp.abs(rows), axis=-1)


@functools.partial(
    jax.jit, static_argnames=("budget", "norm_ord", "deterministic", "tie")
)
def select_norm(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    norm_ord: float = 2.0,
    deterministic: bool = False,
    input_norms: jax.Array | None = None,
    tie: str = "lowest",
    rules: Rules | None = None,
) -> Picks:
    r"""Draws rows without replacement, each draw with p_i proportional to the norm.

    At every draw, among the rows not yet drawn, Eq. 1 of the paper:

      p_i = ||F_i||_p / sum_j ||F_j||_p .

    That law is the law of the `budget` largest values of log ||F_i||_p + G_i with
    i.i.d. Gumbel G_i, which is one pass. The norm, not its square.

    Args:
      key: PRNG key.
      features: float32 `[n, d]`, raw: on unit rows this is uniform sampling.
      labelled: bool `[n]`, rows never returned.
      budget: rows to pick, at most the number of unlabelled ones.
      norm_ord: p, one of 1, 2, inf.
      deterministic: take the `budget` largest norms instead (paper, Fig. 6c).
      input_norms: float32 `[n]` or None; divides the norms (paper, section 4.3).
      tie: "lowest" or "random", who comes first among equal norms when
        deterministic.
      rules: what the picks must heed beyond `labelled`, or None. Where no row is
        allowed any more the rest of the indices is -1.

    Returns:
      Picks; a gain is the row's norm, divided by `input_norms` where given. A
      smaller budget is a prefix.

    When nothing is left: once all remaining norms are 0, a second round draws
    uniformly from the rest (in row order when deterministic).

    Example:
      >>> import jax, jax.numpy as jnp
      >>> x, none = jnp.array([[3.0], [0.0], [4.0]]), jnp.zeros(3, bool)
      >>> picks = select_norm(jax.random.key(0), x, none, budget=3, deterministic=True)
      >>> picks.indices.tolist(), int(picks.rounds)
      ([2, 0, 1], 2)

    References: Bar & Giryes, arXiv 2406.01086, Eq. 1. Gumbel-top-k: Yellott 1977.
    """
    weights = row_norms(features, norm_ord)
    if input_norms is not None:
        weights = jnp.where(input_norms > 0, weights / input_norms, 0.0)
    free = ~labelled
    positive = free & (weights > 0)
    tiers = positive, free & ~positive
    key_noise, key_tie = jax.random.split(key)
    if not deterministic:
        noise = sampling.gumbel(key_noise, weights.shape)
        scores = jnp.log(jnp.where(weights > 0, weights, 1.0)) + noise
    elif tie == "random":
        lots = jax.random.permutation(key_tie, weights.size)
        order = jnp.lexsort((lots, -weights, labelled))
        places = jnp.arange(weights.size, dtype=jnp.int32)
        scores = jnp.zeros_like(places).at[order].set(-places)
    else:
        scores = weights
    if rules is not None:
        standing = begin(rules, budget)
        rows, tier = sampling.in_tiers_by_rules(scores, tiers, rules, standing, budget)
    elif deterministic and tie == "random":
        rows = order[:budget].astype(jnp.int32)
        tier = (weights[rows] <= 0).astype(jnp.int32)
    else:
        rows, tier = sampling.in_tiers(scores, tiers, budget)
    rounds = 1 + jnp.any((tier == 1) & (rows >= 0)).astype(jnp.int32)
    return Picks(rows, jnp.where(rows < 0, 0.0, weights[rows]), rounds, {})
