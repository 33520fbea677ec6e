"""ProbCover's passes over a pool that lies on many devices.

Each device counts for its own rows; the rows that are counted, a block at a time, are
sent to all of them. Every pair is decided by `tiles`, so the counts are those of one
device, whatever the mesh.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection import tiles
from jaxsel.selection.sharded import lists, mesh, pairs
from jaxsel.selection.tiles import Ball


def degrees(rows: jax.Array, ball: Ball, *, tile: int) -> jax.Array:
    """`tiles.degrees` of `[m, d]`, in equal shares: int32 `[m]` by rows."""

    def visit(a, b, ball):
        return tiles.counts_within(a, b, ball, columns=True)

    meeting = pairs.Meeting(visit, jnp.add, 0, jnp.int32, tile)
    counts = pairs.over_pairs(meeting, rows, ball)
    return jnp.where(jnp.any(rows != 0, axis=1), counts, 1)


def look(
    rows: jax.Array, row: jax.Array, ball: Ball, reach: Ball, *, tile: int
) -> tuple[jax.Array, jax.Array]:
    """Which rows may be within reach of `row` `[1, d]`, and which are in the ball.

    Returns:
      bool `[m]` twice, by rows.
    """

    def part(share, whole):
        row, ball, reach = whole

        def of_tile(a):
            near = tiles.may_be_within(a, row, reach)[:, 0]
            return near, tiles.counts_within(a, row, ball)[0] > 0

        near, fresh = lax.map(of_tile, pairs.tiled(tile, share))
        return near.ravel()[: len(share)], fresh.ravel()[: len(share)]

    return mesh.rowwise(part, rows, (row, ball, reach), out=(mesh.BY_ROWS,) * 2)


def covered_by(
    rows: jax.Array, centres: jax.Array, ball: Ball, *, tile: int, block: int
) -> jax.Array:
    """bool `[m]`, by rows: within the ball of a row where `centres` holds."""

    def part(share, ball):
        rows, centres = share
        named = lists.listed(centres)
        tiled = pairs.tiled(tile, rows)

        def cover(state):
            start, covered = state
            some = lists.stretch(rows, named, start, block)
            hits = lax.map(lambda a: tiles.counts_within(a, some, ball)[0] > 0, tiled)
            return start + block, covered | hits.ravel()[: len(rows)]

        start = jnp.int32(0), centres
        return lax.while_loop(lambda s: s[0] < named.length, cover, start)[1]

    return mesh.rowwise(part, (rows, centres), ball)


def add_counts(
    rows: jax.Array,
    gains: jax.Array,
    touched: jax.Array,
    counted: jax.Array,
    sign: jax.Array,
    ball: Ball,
    *,
    tile: int,
    block: int,
) -> jax.Array:
    """`gains`, plus `sign` times the counted rows in the balls of the touched ones.

    Args:
      rows: float32 `[m, d]`.
      gains: int32 `[m]`.
      touched, counted: bool `[m]`.
      sign: int32 scalar.
      ball: the radius.
      tile, block: how many touched and counted rows meet at a time.
    """

    def part(share, whole):
        rows, gains, touched, counted = share
        sign, ball = whole
        named = lists.listed(counted)
        ids, total = tiles.listed(touched)

        def by_block(state):
            start, gains = state
            some = lists.stretch(rows, named, start, block)
            by_tile = partial(_tile_of_touched, rows, ids, some, sign, ball, tile)
            begin = jnp.int32(0), gains
            _, gains = lax.while_loop(lambda s: s[0] < total, by_tile, begin)
            return start + block, gains

        start = jnp.int32(0), gains
        return lax.while_loop(lambda s: s[0] < named.length, by_block, start)[1]

    return mesh.rowwise(part, (rows, gains, touched, counted), (sign, ball))


def _tile_of_touched(rows, ids, some, sign, ball, tile, state):
    at, gains = state
    chosen, a = tiles.take_rows(rows, ids, at, tile)
    more = sign * tiles.counts_within(a, some, ball)[0]
    return at + tile, gains.at[chosen].add(more, mode="drop")
