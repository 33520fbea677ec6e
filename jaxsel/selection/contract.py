"""What every selector takes and returns."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Picks(NamedTuple):
    """What a selector returns, in pick order; every field is an array.

    Attributes:
      indices: int32 `[budget]`, distinct rows of the pool, never a labelled one.
      gains: float32 `[budget]`, what each pick added in the method's own measure.
      rounds: int32 scalar, how many rounds were begun: 1, and one more each time
        nothing informative was left (docstring section "When nothing is left").
      info: further named arrays of the method (coverage, inertia, acceptance, ...).
    """

    indices: jax.Array
    gains: jax.Array
    rounds: jax.Array
    info: dict[str, jax.Array]


def no_picks() -> Picks:
    """What a budget of 0 buys."""
    return Picks(jnp.zeros(0, jnp.int32), jnp.zeros(0, jnp.float32), jnp.int32(0), {})
