"""The radius at which most balls hold rows of one cluster only, to the last bit.

With `e_i` the distance of row i to the nearest row of another cluster, the radius is
the k-th smallest of them. Inner products find all `e_i` in one pass over half of the
tiles, with a rounding error that is bounded (`jaxsel.selection.tiles`). That error
alone would leave the ball of the deciding row, and of its likes, pure or not by chance.
So the rows whose bounds enclose the radius are looked at again, and the largest float32
radius with enough pure balls is found by halving, each pair near it decided exactly.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsel.selection.sharded import mesh, pairs
from jaxsel.selection.tiles import (
    Ball,
    inner_products,
    listed,
    pad_rows,
    relative_error,
    take_rows,
    within_of_others,
)
from jaxsel.selection.two_float import two_product

_TILE = 1024
_CHUNK = 256


@partial(jax.jit, static_argnames=("purity", "tile"))
def purity_delta(
    features: jax.Array, clusters: jax.Array, *, purity: float = 0.95, tile: int = _TILE
) -> jax.Array:
    """The largest radius at which a share of the rows has a ball of one cluster.

    A row is pure at delta iff all rows within delta (strict) have its cluster, that
    is iff `delta <= e_i`, its distance to the nearest row of another cluster. With e
    ascending, `ceil(purity n)` rows are pure exactly up to `e[n - ceil(purity n)]`. The
    result is the largest float32 that is not above it, for the real numbers that the
    rows denote. One pass over half of the tiles, no grid (Yehuda et al. 2022, section
    4, picks the largest such value of a grid), and a few over the rows that decide.

    Args:
      features: float32 `[n, d]`, unit rows; a zero row is a point like any other.
      clusters: int `[n]`, pseudo-labels: k-means with as many clusters as classes.
      purity: the share, 0.95 in the paper.
      tile: rows a tile; it changes the speed only.

    Returns:
      float32 scalar: 2, the diameter of the sphere, if there is only one cluster; 0 if
      too many rows have a copy in another one.

    Example:
      >>> import jax.numpy as jnp
      >>> rows = jnp.asarray([[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]])
      >>> round(float(purity_delta(rows, jnp.asarray([0, 0, 1]))), 4)
      1.8974
    """
    n, d = features.shape
    tile = min(tile, n)
    padded = pad_rows(features, mesh.row_multiple(tile))
    # Padding has no cluster, and so no row of another one.
    ids = jnp.pad(clusters.astype(jnp.int32), (0, len(padded) - n), constant_values=-1)
    centre = jnp.mean(features, axis=0)
    # Small differences keep their precision once the mean is taken off.
    rows = pad_rows(features - centre, mesh.row_multiple(tile))
    squares = jnp.sum(rows * rows, axis=1)
    nearest = _nearest(rows, squares, ids, tile)[:n]
    error = 2 * relative_error(d) * (squares[:n] + jnp.max(squares))
    low, high = jnp.maximum(nearest - error, 0.0), nearest + error
    place = n - int(np.ceil(purity * n))
    least, most = jnp.sort(low)[place], jnp.sort(high)[place]
    decides = (low <= most) & (high >= least)
    surely = jnp.sum(low > most)
    open_ids, total = listed(decides)

    def enough(delta: jax.Array) -> jax.Array:
        ball = Ball(two_product(delta, delta), centre)
        impure = _impure(padded, ids, open_ids, total, ball, tile)
        return surely + total - impure >= n - place

    return lax.cond(
        jnp.isfinite(most),
        lambda: _largest(enough, jnp.sqrt(least), jnp.sqrt(most)),
        lambda: jnp.float32(2.0),
    )


def _largest(enough: Any, low: jax.Array, high: jax.Array) -> jax.Array:
    """The largest float32 for which `enough` holds; it does a little below `low`.

    float32 numbers that are not negative have the order of their bits.
    """

    def bits(value: jax.Array) -> jax.Array:
        return lax.bitcast_convert_type(value.astype(jnp.float32), jnp.int32)

    def number(code: jax.Array) -> jax.Array:
        return lax.bitcast_convert_type(code, jnp.float32)

    def halve(state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        good, bad = state
        middle = good + (bad - good) // 2
        fits = enough(number(middle))
        return jnp.where(fits, middle, good), jnp.where(fits, bad, middle)

    # A few roundings of the root below and above; no radius at all is always enough.
    good = jnp.maximum(bits(low) - 4, 0)
    bad = jnp.maximum(bits(high) + 4, 1)
    good, _ = lax.while_loop(lambda s: s[1] - s[0] > 1, halve, (good, bad))
    # The square of a smaller one is not a number that float32 keeps.
    delta = jnp.where(number(good) < 2.0**-60, 0.0, number(good))
    # Distances of unit rows are at most 2, but for rounding of the rows.
    return jnp.minimum(delta, 2.0)


def _nearest(rows: jax.Array, squares: jax.Array, ids: jax.Array, tile: int):
    """Squared distances to the nearest row of another cluster; inf without one."""

    def visit(a: Any, b: Any, _: Any) -> tuple[jax.Array, jax.Array]:
        square = a[1][:, None] + b[1] - 2 * inner_products(a[0], b[0])
        other = (a[2][:, None] != b[2]) & (a[2][:, None] > 0) & (b[2] > 0)
        square = jnp.where(other, jnp.maximum(square, 0), jnp.inf)
        return jnp.min(square, axis=1), jnp.min(square, axis=0)

    # Zero rows that fill a tile are of cluster 0, which is none.
    given = rows, squares, ids + 1
    if mesh.on_mesh():
        meeting = pairs.Meeting(visit, jnp.minimum, jnp.inf, jnp.float32, tile)
        return pairs.over_pairs(meeting, given, ())
    tiles = len(rows) // tile

    def part(i: jax.Array) -> Any:
        return jax.tree.map(
            lambda x: lax.dynamic_slice_in_dim(x, i * tile, tile), given
        )

    def meet(i: jax.Array, j: jax.Array, nearest: jax.Array) -> jax.Array:
        for k, found in zip((i, j), visit(part(i), part(j), ()), strict=True):
            old = lax.dynamic_slice_in_dim(nearest, k * tile, tile)
            least = jnp.minimum(old, found)
            nearest = lax.dynamic_update_slice(nearest, least, (k * tile,))
        return nearest

    return lax.fori_loop(
        0,
        tiles,
        lambda i, e: lax.fori_loop(i, tiles, lambda j, e: meet(i, j, e), e),
        jnp.full(len(rows), jnp.inf, jnp.float32),
    )


def _impure(
    rows: jax.Array,
    ids: jax.Array,
    asked: jax.Array,
    total: jax.Array,
    ball: Ball,
    tile: int,
) -> jax.Array:
    """How many of the asked rows have a row of another cluster in their ball.

    Args:
      rows: float32 `[m, d]`, as they are; the last may be padding.
      ids: int32 `[m]`, clusters; -1 for padding.
      asked: int32 `[n]`, places of which the first `total` count.
      ball: the radius.
    """
    size = min(_CHUNK, len(rows))

    def found_in(share: Any, whole: Any) -> jax.Array:
        some, some_ids, ball = whole

        def of_tile(part: Any) -> jax.Array:
            others, other_ids = part
            differ = some_ids[:, None] != other_ids
            known = (some_ids[:, None] >= 0) & (other_ids >= 0)
            return within_of_others(some, others, ball, differ & known)

        # Rows that fill a tile or a share are of cluster 0, which is none.
        tiled, codes = pairs.tiled(tile, share)
        return jnp.any(lax.map(of_tile, (tiled, codes - 1)), axis=0)

    def on_device(share: Any, whole: Any) -> jax.Array:
        return mesh.total(found_in(share, whole).astype(jnp.int32)) > 0

    def one_chunk(state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        start, count = state
        places, some = take_rows(rows, asked, start, size)
        real = (places < len(rows)) & (start + jnp.arange(size) < total)
        some_ids = jnp.where(real, ids[jnp.minimum(places, len(rows) - 1)], -1)
        share = rows, ids + 1
        whole = mesh.everywhere((some, some_ids, ball))
        if mesh.on_mesh():
            impure = mesh.rowwise(on_device, share, whole, out=mesh.EVERYWHERE)
        else:
            impure = found_in(share, whole)
        return start + size, count + jnp.sum(impure & real, dtype=jnp.int32)

    start = jnp.int32(0), jnp.int32(0)
    return lax.while_loop(lambda s: s[0] < total, one_chunk, start)[1]
