"""The walk over a block of rows far from every centre: picks that are certain.

The row on top has its distance summed anew, from differences, and is the next pick if
that is clearly beyond every other bound, in the block and outside.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection.k_center import CLEARLY

# Picks of a walk at most.
TOGETHER = 64


def squared_distances(rows: jax.Array, centre: jax.Array) -> jax.Array:
    """From every row `[k, d]` to a centre `[d]`, by differences: float32 `[k]`."""
    return jnp.sum(jnp.square(rows - centre), axis=1)


class _Walk(NamedTuple):
    upper: jax.Array  # float32 [k]: bounds of the block, -inf for a row not free
    exact: jax.Array  # bool [k]: summed from differences
    new: jax.Array  # float32 [TOGETHER, d]: centres picked in this walk
    places: jax.Array  # int32 [TOGETHER]
    gains: jax.Array  # float32 [TOGETHER]
    added: jax.Array  # int32 scalar
    goes_on: jax.Array  # bool scalar


@jax.jit
def certain_picks(block, inside, nearest, centres, known, outside, wanted):
    """Places in the block, squared distances, and how many picks there are.

    Args:
      block: float32 `[k, d]`.
      inside: float32 `[k]`, bounds, -inf for rows that are not free.
      nearest: float32 `[k]`, squared distances to the centres with a pass of their own.
      centres: float32 `[m, d]`, of which `known` are picks.
      known: int32.
      outside: float32, the highest bound of the other rows.
      wanted: int32, picks at most.
    """

    def to_nearest(walk: _Walk, i: jax.Array) -> jax.Array:
        before = squared_distances(centres, block[i])
        before = jnp.where(jnp.arange(len(centres)) < known, before, jnp.inf)
        since = squared_distances(walk.new, block[i])
        since = jnp.where(jnp.arange(TOGETHER) < walk.added, since, jnp.inf)
        return jnp.minimum(nearest[i], jnp.minimum(jnp.min(before), jnp.min(since)))

    def next_row(walk: _Walk) -> _Walk:
        upper, exact = walk.upper, walk.exact
        _, two = jax.lax.top_k(upper, 2)
        values = jax.vmap(partial(to_nearest, walk))(two)
        news = ~jnp.all(exact[two])
        upper = upper.at[two].set(jnp.where(jnp.isneginf(upper[two]), -jnp.inf, values))
        exact = exact.at[two].set(True)
        top = jnp.argmax(upper)
        beyond = jnp.maximum(jnp.max(upper.at[top].set(-jnp.inf)), outside)
        certain = exact[top] & (upper[top] > CLEARLY * jnp.maximum(beyond, 0.0))
        walk = walk._replace(upper=upper, exact=exact, goes_on=certain | news)

        def take(walk: _Walk) -> _Walk:
            others = walk.upper.at[top].set(-jnp.inf)
            return walk._replace(
                upper=jnp.minimum(others, squared_distances(block, block[top])),
                new=walk.new.at[walk.added].set(block[top]),
                places=walk.places.at[walk.added].set(top.astype(jnp.int32)),
                gains=walk.gains.at[walk.added].set(walk.upper[top]),
                added=walk.added + 1,
            )

        return jax.lax.cond(certain, take, lambda walk: walk, walk)

    start = _Walk(
        inside,
        jnp.zeros(len(block), bool),
        jnp.zeros((TOGETHER, block.shape[1]), block.dtype),
        jnp.zeros(TOGETHER, jnp.int32),
        jnp.zeros(TOGETHER, block.dtype),
        jnp.int32(0),
        jnp.bool_(True),
    )
    end = jax.lax.while_loop(
        lambda walk: walk.goes_on & (walk.added < wanted), next_row, start
    )
    return end.places, end.gains, end.added
