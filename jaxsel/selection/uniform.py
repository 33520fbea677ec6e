"""Uniform random selection, the baseline every method is judged against."""

import functools

import jax
import jax.numpy as jnp

from jaxsel.selection import sampling
from jaxsel.selection.contract import Picks
from jaxsel.selection.rules import Rules, begin


@functools.partial(jax.jit, static_argnames=("budget",))
def select_random(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    rules: Rules | None = None,
) -> Picks:
    """Draws `budget` unlabelled rows uniformly, without replacement.

    The rows with the largest of n i.i.d. noises are a uniform ordered sample; the
    noise does not depend on the budget, so a smaller budget is a prefix.

    Args:
      key: PRNG key.
      features: `[n, d]`; only n is used.
      labelled: bool `[n]`, rows never returned.
      budget: rows to pick, at most the number of unlabelled ones.
      rules: what the picks must heed beyond `labelled`, or None. Where no row is
        allowed any more the rest of the indices is -1.

    Returns:
      Picks; every gain is 1.

    When nothing is left: never happens.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> x, none = jnp.ones((3, 2)), jnp.zeros(3, bool)
      >>> sorted(select_random(jax.random.key(0), x, none, budget=3).indices.tolist())
      [0, 1, 2]
    """
    noise = sampling.gumbel(key, (features.shape[0],))
    if rules is None:
        rows, _ = sampling.in_tiers(noise, (~labelled,), budget)
    else:
        rows, _ = sampling.in_tiers_by_rules(
            noise, (~labelled,), rules, begin(rules, budget), budget
        )
    return Picks(rows, jnp.ones(budget, jnp.float32), jnp.int32(1), {})
