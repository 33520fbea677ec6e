"""Which pairs of rows lie within a radius: tile by tile, every pair decided alike.

A tile of inner products `g = A Bᵀ` is one float32 matrix product. Whether a pair is
within the radius then follows from `||x - y||^2 = ||x||^2 + ||y||^2 - 2 x.y`, except
that rounding moves `g` by an amount that depends on the tile's shape. With `u = 2^-24`
and `gamma_d = d u / (1 - d u)`, summation in *any* order, with or without fused
multiply-add, gives (Higham, Accuracy and Stability, section 3.1)

    |g - x.y| <= gamma_d ||x|| ||y||.

So with `rho >= | ||x||^2 - 1 |` for all rows, `margin = gamma_d (1 + rho) + rho` and
`threshold = 1 - delta^2 / 2`:

    g > threshold + margin   =>  ||x - y|| < delta   (certain)
    g < threshold - margin   =>  ||x - y|| >= delta  (certain)

The few pairs between are *near*; they are gathered and decided by
`two_float.squared_distance`, a function of the two rows alone, to a relative 2^-40.
The relation is therefore symmetric and the same in every pass, for every tile size
and every order of the rows: it is `||x - y|| < delta`, strict, for the real numbers
that the float32 rows and the float32 delta denote.

Rows of zeros have no direction: they are within no radius of any row. A row that is
not of unit length only widens `rho`: more pairs are near, none is decided wrongly.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection.two_float import (
    TwoFloat,
    less,
    squared_distance,
    tree_sum,
    two_product,
)

_ROUNDING = 2.0**-24
# A tile's certain and near pairs are counted in one sum: near ones above bit 16.
_NEAR = 1 << 16
_MAX_TILE = 1 << 14
_NEAR_PAIRS = 64


class Ball(NamedTuple):
    """A radius, ready to be decided; all float32 scalars.

    Attributes:
      squared: delta^2, exactly.
      certain: inner products above it are certainly within.
      possible: inner products below it are certainly not within.
    """

    squared: TwoFloat
    certain: jax.Array
    possible: jax.Array


def unit_ball(rows: jax.Array, delta: jax.Array) -> Ball:
    """The radius `delta` for the given unit rows (float32 `[n, d]`; zero rows allowed).

    Example:
      >>> import jax.numpy as jnp
      >>> rows = jnp.asarray([[1.0, 0.0], [0.0, 1.0]])
      >>> ball = unit_ball(rows, jnp.float32(1.0))
      >>> bool(ball.possible < 0.5 < ball.certain)
      True
    """
    delta = jnp.asarray(delta, jnp.float32)
    depth = rows.shape[1].bit_length() + 1
    squares = tree_sum(rows * rows)
    off = jnp.max(jnp.where(squares > 0, jnp.abs(squares - 1), 0), initial=0)
    rho = off + 2 * depth * _ROUNDING * (1 + off)
    gamma = rows.shape[1] * _ROUNDING / (1 - rows.shape[1] * _ROUNDING)
    squared = two_product(delta, delta)
    threshold = 1 - squared.hi / 2
    # The last term covers the rounding of these few operations themselves.
    margin = gamma * (1 + rho) + rho + 8 * _ROUNDING * (2 + squared.hi)
    return Ball(squared, threshold + margin, threshold - margin)


def inner_products(a: jax.Array, b: jax.Array) -> jax.Array:
    """`a bᵀ` in full float32; `[p, d]` and `[q, d]` give `[p, q]`."""
    return jnp.matmul(a, b.T, precision="highest")


def counts_within(
    a: jax.Array, b: jax.Array, ball: Ball, *, columns: bool = False
) -> tuple[jax.Array, jax.Array]:
    """For every row of `a`, how many rows of `b` are within the ball; and vice versa.

    Args:
      a, b: float32 `[p, d]` and `[q, d]`, unit rows or zero rows (within nothing).
        `q` (and `p` too, with `columns`) is at most 16384.
      ball: the radius.
      columns: whether the counts for the rows of `b` are wanted too.

    Returns:
      int32 `[p]` and `[q]` (zeros without `columns`).
    """
    assert b.shape[0] <= _MAX_TILE and (not columns or a.shape[0] <= _MAX_TILE)
    products = inner_products(a, b)
    code = jnp.where(
        products > ball.certain, 1, jnp.where(products >= ball.possible, _NEAR, 0)
    )
    a_code = jnp.sum(code, axis=1, dtype=jnp.int32)
    b_code = jnp.sum(code, axis=0, dtype=jnp.int32) if columns else None
    a_alive, b_alive = jnp.any(a != 0, axis=1), jnp.any(b != 0, axis=1)
    # A zero row's products are exactly 0, which is beyond a radius above sqrt(2).
    zero_counts = (ball.certain < 0).astype(jnp.int32)
    a_counts = a_code % _NEAR - zero_counts * jnp.sum(~b_alive, dtype=jnp.int32)
    a_counts = jnp.where(a_alive, a_counts, 0)
    b_counts = jnp.zeros(b.shape[0], jnp.int32)
    if b_code is not None:
        b_counts = b_code % _NEAR - zero_counts * jnp.sum(~a_alive, dtype=jnp.int32)
        b_counts = jnp.where(b_alive, b_counts, 0)

    def decide_near(counts):
        near = (products <= ball.certain) & (products >= ball.possible)
        near = near & a_alive[:, None] & b_alive
        return _add_near(a, b, near, ball, counts)

    return lax.cond(
        jnp.any(a_code >= _NEAR), decide_near, lambda c: c, (a_counts, b_counts)
    )


def _add_near(a, b, near, ball, counts):
    """Adds the near pairs that are within, `_NEAR_PAIRS` of them at a time."""
    per_row = jnp.sum(near, axis=1, dtype=jnp.int32)
    ends = jnp.cumsum(per_row)
    pairs = jnp.arange(_NEAR_PAIRS, dtype=jnp.int32)

    def add_pairs(state):
        seen, (a_counts, b_counts) = state
        place = seen + pairs
        valid = place < ends[-1]
        # Pair `place` is number `place - start` of the near ones in row i.
        i = jnp.searchsorted(ends, jnp.where(valid, place, 0), side="right")
        rank = place - (ends[i] - per_row[i])
        j = jnp.argmax(jnp.cumsum(near[i], axis=1, dtype=jnp.int32) > rank[:, None], 1)
        within = less(squared_distance(a[i], b[j]), ball.squared)
        within = (within & valid).astype(jnp.int32)
        counts = a_counts.at[i].add(within), b_counts.at[j].add(within)
        return seen + _NEAR_PAIRS, counts

    start = jnp.int32(0), counts
    return lax.while_loop(lambda s: s[0] < ends[-1], add_pairs, start)[1]


@partial(jax.jit, static_argnames="tile")
def degrees(rows: jax.Array, ball: Ball, *, tile: int) -> jax.Array:
    """How many rows lie within the ball around each row, the row itself among them.

    Each pair of tiles is visited once: `n^2 d` flops instead of `2 n^2 d`.

    Args:
      rows: float32 `[n, d]`, `n` a multiple of `tile`; zero rows count only themselves.
      ball: the radius.
      tile: rows a tile, at most 16384. The result does not depend on it.

    Returns:
      int32 `[n]`.
    """
    n, d = rows.shape
    tiles = n // tile

    def visit(i, j, counts):
        a = lax.dynamic_slice(rows, (i * tile, 0), (tile, d))
        b = lax.dynamic_slice(rows, (j * tile, 0), (tile, d))
        a_add, b_add = counts_within(a, b, ball, columns=True)
        # On the diagonal the two are the same pairs.
        b_add = jnp.where(i == j, 0, b_add)
        counts = add_slice(counts, i * tile, a_add)
        return add_slice(counts, j * tile, b_add)

    def visit_row(i, counts):
        return lax.fori_loop(i, tiles, lambda j, c: visit(i, j, c), counts)

    counts = lax.fori_loop(0, tiles, visit_row, jnp.zeros(n, jnp.int32))
    return jnp.where(jnp.any(rows != 0, axis=1), counts, 1)


def add_slice(values: jax.Array, start: jax.Array, addend: jax.Array) -> jax.Array:
    """`values` with `addend` added to the stretch that begins at `start`."""
    old = lax.dynamic_slice(values, (start,), addend.shape)
    return lax.dynamic_update_slice(values, old + addend, (start,))


def pad_rows(rows: jax.Array, multiple: int) -> jax.Array:
    """`rows` with zero rows appended up to a multiple."""
    return jnp.pad(rows, ((0, -rows.shape[0] % multiple), (0, 0)))


def listed(mask: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The positions where `mask` `[n]` holds, then `n` as padding; their number."""
    n = mask.shape[0]
    ids = jnp.nonzero(mask, size=n, fill_value=n)[0].astype(jnp.int32)
    return ids, jnp.sum(mask, dtype=jnp.int32)


def take_rows(
    rows: jax.Array, ids: jax.Array, start: jax.Array, size: int
) -> tuple[jax.Array, jax.Array]:
    """Ids `start ... start + size` of a list, and their rows; zeros past its end."""
    n = rows.shape[0]
    block = lax.dynamic_slice(
        jnp.pad(ids, (0, size), constant_values=n), (start,), (size,)
    )
    return block, jnp.where((block < n)[:, None], rows[jnp.minimum(block, n - 1)], 0)
