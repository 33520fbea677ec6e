"""Which pairs of rows lie within a radius: tile by tile, every pair decided alike.

A tile of inner products is one float32 matrix product, and
`||x - y||^2 = ||x||^2 + ||y||^2 - 2 x.y`, except that rounding moves the result by an
amount that depends on the tile's shape. Distances do not change when a point `c` is
subtracted from all rows, and rounding does: so the products are those of `a = x - c`
and `b = y - c`, `c` the mean. With `u = 2^-24` and `gamma_d = d u / (1 - d u)`,
summation in *any* order, with or without fused multiply-add, gives (Higham, Accuracy
and Stability, section 3.1)

    |fl(a.b) - a.b| <= gamma_d ||a|| ||b|| <= gamma_d (||a||^2 + ||b||^2) / 2.

The squares are summed by halving, to `(log2(d) + 1) u`; subtracting `c` costs `u` a
coordinate, `4 u` in the end; and the few sums of the bounds themselves `3 u`. So with
`kappa = gamma_d + (2 log2(d) + 20) u`, which leaves room for all of them,

    | fl(||a||^2 + ||b||^2 - 2 a.b) - ||x - y||^2 | <= kappa (||a||^2 + ||b||^2),

as long as no square of a row or of delta overflows or underflows float32.
A pair whose bounds lie on one side of delta^2 is decided by them. The few whose bounds
enclose it are *near*; they are gathered and decided by `two_float.squared_distance`, a
function of the two rows alone, to a relative 2^-40. The relation is therefore
symmetric and the same in every pass, for every tile size, every order of the rows and
every `c`: it is `||x - y|| < delta`, strict, for the real numbers that the float32
rows and the float32 delta denote.

Rows of zeros have no direction: they are within no radius of any row.
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
    """A radius, ready to be decided.

    Attributes:
      squared: delta^2, exactly; float32 scalars.
      centre: float32 `[d]`, any point; the nearer to the rows, the fewer near pairs.
    """

    squared: TwoFloat
    centre: jax.Array


def ball_of(rows: jax.Array, delta: jax.Array) -> Ball:
    """The radius `delta` for the given rows (float32 `[n, d]`; zero rows allowed).

    Example:
      >>> import jax.numpy as jnp
      >>> ball = ball_of(jnp.asarray([[1.0, 0.0], [0.0, 1.0]]), jnp.float32(0.5))
      >>> float(ball.squared.hi), ball.centre.tolist()
      (0.25, [0.5, 0.5])
    """
    delta = jnp.asarray(delta, jnp.float32)
    return Ball(two_product(delta, delta), jnp.mean(rows, axis=0))


def inner_products(a: jax.Array, b: jax.Array) -> jax.Array:
    """`a bᵀ` in full float32; `[p, d]` and `[q, d]` give `[p, q]`."""
    return jnp.matmul(a, b.T, precision="highest")


class _Sides(NamedTuple):
    """Pair (i, j) is surely within if `a_sure[i] + b_sure[j] < products[i, j]`."""

    products: jax.Array  # float32 [p, q], of the centred rows
    a_sure: jax.Array  # float32 [p, 1]: with the margin added, inf for rows of zeros
    b_sure: jax.Array  # float32 [q]: less half of delta^2
    a_maybe: jax.Array  # likewise, with the margin taken off
    b_maybe: jax.Array

    @property
    def within(self) -> jax.Array:
        """bool `[p, q]`: surely within."""
        return self.a_sure + self.b_sure < self.products

    @property
    def maybe(self) -> jax.Array:
        """bool `[p, q]`: not surely beyond."""
        return self.a_maybe + self.b_maybe < self.products


def relative_error(d: int) -> float:
    """`kappa` of the module, for rows of `d` numbers."""
    gamma = d * _ROUNDING / (1 - d * _ROUNDING)
    return gamma + (2 * d.bit_length() + 20) * _ROUNDING


def _sides(a: jax.Array, b: jax.Array, ball: Ball, *, points: bool = False) -> _Sides:
    """The sides of all pairs; with `points`, a row of zeros is the point 0."""
    kappa = relative_error(a.shape[1])
    a_rows, b_rows = a - ball.centre, b - ball.centre
    a_half, b_half = tree_sum(a_rows**2) / 2, tree_sum(b_rows**2) / 2
    if not points:  # A row of zeros is beyond any radius.
        a_half = jnp.where(jnp.any(a != 0, axis=1), a_half, jnp.inf)
        b_half = jnp.where(jnp.any(b != 0, axis=1), b_half, jnp.inf)
    half = ball.squared.hi / 2
    # The factors of 8 cover the rest of delta^2, and the rounding of the sums.
    vectors = (
        (1 + kappa) * a_half[:, None],
        (1 + kappa) * b_half - half * (1 - 8 * _ROUNDING),
        (1 - kappa) * a_half[:, None],
        (1 - kappa) * b_half - half * (1 + 8 * _ROUNDING),
    )
    # The pairs are looked at in several places. A sum and a comparison come out alike
    # in all of them; a product that a compiler could fuse with the sum might not.
    products = inner_products(a_rows, b_rows)
    return _Sides(products, *lax.optimization_barrier(vectors))


def may_be_within(a: jax.Array, b: jax.Array, ball: Ball) -> jax.Array:
    """bool `[p, q]`: no pair within the ball is missing, a few beyond it are there."""
    return _sides(a, b, ball).maybe


def counts_within(
    a: jax.Array, b: jax.Array, ball: Ball, *, columns: bool = False
) -> tuple[jax.Array, jax.Array]:
    """For every row of `a`, how many rows of `b` are within the ball; and vice versa.

    Args:
      a, b: float32 `[p, d]` and `[q, d]`; rows of zeros are within nothing.
        `q` (and `p` too, with `columns`) is at most 16384.
      ball: the radius.
      columns: whether the counts for the rows of `b` are wanted too.

    Returns:
      int32 `[p]` and `[q]` (zeros without `columns`).
    """
    assert b.shape[0] <= _MAX_TILE and (not columns or a.shape[0] <= _MAX_TILE)
    sides = _sides(a, b, ball)
    code = jnp.where(sides.within, 1, jnp.where(sides.maybe, _NEAR, 0))
    a_code = jnp.sum(code, axis=1, dtype=jnp.int32)
    b_counts = jnp.zeros(b.shape[0], jnp.int32)
    if columns:
        b_counts = jnp.sum(code, axis=0, dtype=jnp.int32) % _NEAR

    def decide_near(counts):
        return _add_near(a, b, sides.maybe & ~sides.within, ball, counts)

    return lax.cond(
        jnp.any(a_code >= _NEAR), decide_near, lambda c: c, (a_code % _NEAR, b_counts)
    )


def within_of_others(
    a: jax.Array, b: jax.Array, ball: Ball, others: jax.Array
) -> jax.Array:
    """Whether the ball of each row of `a` holds one of the rows of `b` it asks for.

    Args:
      a, b: float32 `[p, d]` and `[q, d]`; a row of zeros is a point like any other.
      ball: the radius.
      others: bool `[p, q]`, the pairs that are asked for.

    Returns:
      bool `[p]`.
    """
    sides = _sides(a, b, ball, points=True)
    found = jnp.any(sides.within & others, axis=1)
    near = sides.maybe & ~sides.within & others & ~found[:, None]
    none = jnp.zeros(len(a), jnp.int32), jnp.zeros(len(b), jnp.int32)
    counts, _ = lax.cond(
        jnp.any(near), lambda: _add_near(a, b, near, ball, none), lambda: none
    )
    return found | (counts > 0)


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
