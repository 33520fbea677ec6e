"""Pairs of rows within a radius, counted between two blocks, tile by tile."""

from functools import partial
from math import gcd

import jax
import jax.numpy as jnp

from jaxsel.selection.tiles import Ball, add_slice, counts_within
from jaxsel.selection.two_float import two_product

TILE = 1024
# Few rows against few: a large tile would be mostly padding.
STRIP = 256


def ball_at(centre: jax.Array, delta: jax.Array) -> Ball:
    """The ball of radius `delta`, decided with rows minus `centre` `[d]`.

    The centre moves rounding only: which pairs are within does not depend on it.
    """
    return Ball(two_product(delta, delta), centre)


def counts_between(
    a: jax.Array,
    b: jax.Array,
    ball: Ball,
    a_count: int,
    b_count: int,
    *,
    columns: bool = False,
) -> tuple[jax.Array, jax.Array]:
    """For every row of `a`, how many rows of `b` are within the ball; and vice versa.

    Args:
      a, b: float32 `[p, d]` and `[q, d]`; zero rows are within nothing.
      ball: the radius.
      a_count, b_count: how many rows there are before the padding.
      columns: whether the counts for `b` are wanted too.

    Returns:
      int32 `[p]` and `[q]` (zeros without `columns`).
    """
    few = min(a_count, b_count) <= 4 * STRIP
    tile_a = gcd(STRIP if a_count <= STRIP else TILE, len(a))
    tile_b = gcd(STRIP if few else TILE, len(b))
    tiles = -(-a_count // tile_a), -(-b_count // tile_b)
    return _counted(a, b, ball, *tiles, tile_a=tile_a, tile_b=tile_b, columns=columns)


@partial(jax.jit, static_argnames=("tile_a", "tile_b", "columns"))
def _counted(a, b, ball: Ball, tiles_a, tiles_b, *, tile_a, tile_b, columns):
    def one_pair(i, j, counts):
        some = jax.lax.dynamic_slice_in_dim(a, i * tile_a, tile_a)
        others = jax.lax.dynamic_slice_in_dim(b, j * tile_b, tile_b)
        a_add, b_add = counts_within(some, others, ball, columns=columns)
        b_counts = add_slice(counts[1], j * tile_b, b_add) if columns else counts[1]
        return add_slice(counts[0], i * tile_a, a_add), b_counts

    def one_row(i, counts):
        return jax.lax.fori_loop(0, tiles_b, lambda j, c: one_pair(i, j, c), counts)

    none = jnp.zeros(len(a), jnp.int32), jnp.zeros(len(b), jnp.int32)
    return jax.lax.fori_loop(0, tiles_a, one_row, none)
