"""MaxHerding: greedy kernel coverage of the pool, with gains refreshed only at the top.

The generalised coverage of a selection S is `C(S) = mean_y max_{c in S} k(y, c)`; each
pick is the row that raises it most (Bae, Noh and Sutherland, "Generalized Coverage for
More Robust Low-Budget Active Learning", arXiv 2407.12212):

    gain(x) = mean_y max(0, k(x, y) - best(y)),   best(y) = max_{c in L + S} k(y, c).

With k the RBF kernel on unit rows, `k(x, y) = exp(-||x - y||^2 / (2 h^2))`.

The plain form holds the n x n kernel. Here memory is O(n) and one tile: C is
submodular, so a gain computed for an earlier selection bounds the present one from
above (Minoux's lazy greedy). The gains of the empty selection are counted once over
half of the pairs of tiles; then only the rows with the highest stale gains are brought
up to date, a block of them by one product with the pool, until the best fresh gain is
above every stale one. The picks are those of the plain form.

When nothing is left: all gains are 0 (every row is a copy of a pick); the pick is the
lowest remaining position, and each such pick begins a round of its own.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.errors import UserError
from jaxsel.selection import rules as rule
from jaxsel.selection.contract import Picks
from jaxsel.selection.delta import auto_delta
from jaxsel.selection.rules import Rules
from jaxsel.selection.sharded import herding, mesh
from jaxsel.selection.tiles import (
    add_slice,
    inner_products,
    listed,
    pad_rows,
    take_rows,
)

TILE = 1024
BLOCK = 128


class _Points(NamedTuple):
    rows: jax.Array  # float32 [n, d], mean of the pool taken off
    squares: jax.Array  # float32 [n], squared lengths


class _State(NamedTuple):
    best: jax.Array  # float32 [n]: similarity to the nearest pick; 1 for padding
    bounds: jax.Array  # float32 [n]: n times the gain, perhaps stale; -1: excluded
    fresh: jax.Array  # bool [n]: whether the bound is the present gain


def select_max_herding(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    bandwidth: float | jax.Array | str = "auto",
    tie: str = "lowest",
    rules: Rules | None = None,
) -> Picks:
    """Picks the rows that greedily raise the mean similarity to the nearest pick.

    Args:
      key: used by `tie="random"` only.
      features: float32 `[n, d]`, unit rows (zero rows are points like any other).
      labelled: bool `[n]`, herded from the start.
      budget: number of picks, at most the number of unlabelled rows.
      bandwidth: `h`, a distance between unit rows, or "auto": the radius that
        `delta.auto_delta` finds in the data.
      tie: "lowest" position, or "random" among exact maxima.
      rules: what the picks must heed beyond `labelled`, or None. Where no row is
        allowed any more the rest of the indices is -1.
        With costs, a pick has the largest gain for its cost.

    Returns:
      Picks. `gains` are the increases of C. `info` has `bandwidth` and `similarity`,
      the value of C at the end.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> rows = jnp.asarray([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [-1.0, 0.0]])
      >>> picks = select_max_herding(
      ...     jax.random.key(0), rows, jnp.zeros(4, bool), budget=2, bandwidth=0.5)
      >>> picks.indices.tolist()
      [1, 3]
    """
    if isinstance(bandwidth, str):
        if bandwidth != "auto":
            raise UserError(
                f'bandwidth must be a number or "auto"; found {bandwidth!r}'
            )
        bandwidth = auto_delta(features)
    bandwidth = jnp.asarray(bandwidth, jnp.float32)
    return herd(key, features, labelled, bandwidth, budget=budget, tie=tie, rules=rules)


@partial(jax.jit, static_argnames=("budget", "tie", "tile", "block"))
def herd(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    bandwidth: jax.Array,
    *,
    budget: int,
    tie: str = "lowest",
    tile: int = TILE,
    block: int = BLOCK,
    rules: Rules | None = None,
) -> Picks:
    """`select_max_herding` at a given bandwidth; sizes only change the speed."""
    n = features.shape[0]
    tile, block = min(tile, n), min(block, n)
    rows = pad_rows(features - jnp.mean(features, axis=0), mesh.row_multiple(tile))
    padding = jnp.arange(len(rows)) >= n
    excluded = jnp.pad(labelled, (0, len(rows) - n), constant_values=True)
    pool = _Points(rows, jnp.sum(rows * rows, axis=1))
    best = _best_of(pool, excluded & ~padding, bandwidth, tile=tile, block=block)
    # Nothing is gained on padding.
    best = jnp.where(padding, 1.0, best)
    bounds = jnp.where(excluded, -1.0, _all_gains(pool, best, bandwidth, tile=tile))
    refresh = partial(_refresh, pool, bandwidth, tile=tile, block=block)
    costs = None
    if rules is not None and rules.cost is not None:
        costs = jnp.pad(rules.cost, (0, len(rows) - n), constant_values=1.0)

    def pick(carry, step):
        state, standing, rounds = carry
        may = None
        if rules is not None:
            may = jnp.pad(rule.allowed(rules, standing), (0, len(rows) - n))
        worth = partial(_worth, may, costs)
        state = lax.while_loop(
            partial(_unsettled, worth), partial(refresh, worth), state
        )
        scores = worth(state)[:n]
        chosen = _argmax(jax.random.fold_in(key, step), scores, tie)
        gain = state.bounds[chosen]
        similar = _similarity(pool, _take(pool, chosen[None]), bandwidth)
        if rules is not None:
            none = scores[chosen] < 0  # no row may be picked any more
            gain = jnp.where(none, 0.0, gain)
            similar = jnp.where(none, 0.0, similar)
            row = jnp.where(none, -1, chosen)
            standing = rule.after(rules, standing, row)
            rounds = rounds - none
        else:
            row = chosen
        state = _State(
            jnp.maximum(state.best, similar[:, 0]),
            state.bounds.at[chosen].set(-1.0),
            jnp.zeros_like(state.fresh),
        )
        return (state, standing, rounds + (gain == 0)), (row, gain / n)

    # The first gains were summed by other tiles: they are bounds, not yet final.
    state = _State(best, bounds, jnp.zeros(len(rows), bool))
    standing = None if rules is None else rule.begin(rules, budget)
    start = (state, standing, jnp.int32(1))
    carry, (indices, gains) = lax.scan(pick, start, jnp.arange(budget))
    state, _, rounds = carry
    similarity = jnp.sum(jnp.where(padding, 0, state.best)) / n
    info = {"bandwidth": bandwidth, "similarity": similarity}
    return Picks(indices, gains, rounds, info)


def _similarity(a: _Points, b: _Points, bandwidth: jax.Array) -> jax.Array:
    """`exp(-||x - y||^2 / (2 h^2))`, float32 `[p, q]`; exactly 1 for copies.

    Squared distances within rounding of 0 are 0: some `2 (8 + sqrt(d)) 2^-24` of the
    squared lengths after centring.
    """
    total = a.squares[:, None] + b.squares
    square = total - 2 * inner_products(a.rows, b.rows)
    rounding = 2.0**-23 * (8 + math.sqrt(a.rows.shape[1]))
    square = jnp.where(square <= rounding * total, 0.0, square)
    return jnp.exp(-square / (2 * bandwidth * bandwidth))


def _all_gains(pool: _Points, best: jax.Array, bandwidth: jax.Array, *, tile: int):
    """The gain of every row, summed over the pool; each pair of tiles visited once."""
    if mesh.on_mesh():
        return herding.all_gains(_similarity, pool, best, bandwidth, tile=tile)
    tiles = len(pool.rows) // tile

    def part(values, i):
        return lax.dynamic_slice_in_dim(values, i * tile, tile)

    def visit(i, j, gains):
        a, b = (jax.tree.map(lambda v, k=k: part(v, k), pool) for k in (i, j))
        similar = _similarity(a, b, bandwidth)
        to_b = jnp.sum(jnp.maximum(similar - part(best, j), 0), axis=1)
        to_a = jnp.sum(jnp.maximum(similar - part(best, i)[:, None], 0), axis=0)
        gains = add_slice(gains, i * tile, to_b)
        # On the diagonal the two are the same pairs.
        return add_slice(gains, j * tile, jnp.where(i == j, 0, to_a))

    def visit_row(i, gains):
        return lax.fori_loop(i, tiles, lambda j, g: visit(i, j, g), gains)

    return lax.fori_loop(0, tiles, visit_row, jnp.zeros(len(pool.rows), jnp.float32))


def _worth(may: jax.Array | None, costs: jax.Array | None, state: _State) -> jax.Array:
    """float32 [n]: the bounds, over the costs if there are some; -1 if ruled out."""
    worth = state.bounds
    if costs is not None:
        worth = jnp.where(worth < 0, worth, worth / costs)
    return worth if may is None else jnp.where(may, worth, -1.0)


def _unsettled(worth: Callable[[_State], jax.Array], state: _State) -> jax.Array:
    """Whether the highest worth, at the lowest position among equals, is stale."""
    scores = worth(state)
    best = jnp.argmax(scores)
    return ~state.fresh[best] & (scores[best] >= 0)


def _refresh(
    pool: _Points,
    bandwidth,
    worth: Callable[[_State], jax.Array],
    state: _State,
    *,
    tile: int,
    block: int,
):
    """Brings the bounds of the `block` highest stale worths up to date."""
    stale_worths = mesh.everywhere(jnp.where(state.fresh, -2.0, worth(state)))
    highest, ids = lax.top_k(stale_worths, block)
    some = _take(pool, ids)

    def add_tile(i, gains):
        part = partial(lax.dynamic_slice_in_dim, start_index=i * tile, slice_size=tile)
        similar = _similarity(jax.tree.map(part, pool), some, bandwidth)
        return gains + jnp.sum(jnp.maximum(similar - part(state.best)[:, None], 0), 0)

    if mesh.on_mesh():
        gains = herding.some_gains(
            _similarity, pool, state.best, some, bandwidth, tile=tile
        )
    else:
        gains = lax.fori_loop(
            0, len(pool.rows) // tile, add_tile, jnp.zeros(block, jnp.float32)
        )
    # A copy of a pick gains nothing: what is left there is rounding.
    gains = jnp.where(state.best[ids] == 1, 0.0, gains)
    stale = highest >= 0
    bounds = state.bounds.at[ids].set(jnp.where(stale, gains, state.bounds[ids]))
    return _State(state.best, bounds, state.fresh.at[ids].set(stale | state.fresh[ids]))


def _best_of(pool: _Points, given: jax.Array, bandwidth, *, tile: int, block: int):
    """float32 [n]: similarity to the most similar row where `given` holds, or 0."""
    if mesh.on_mesh():
        return herding.best_of(
            _similarity, pool, given, bandwidth, tile=tile, block=block
        )
    ids, total = listed(given)
    tiles = jax.tree.map(lambda v: v.reshape(-1, tile, *v.shape[1:]), pool)

    def nearer(state):
        start, best = state
        block_ids, _ = take_rows(pool.rows, ids, start, block)
        some = _take(pool, block_ids)

        def of_tile(a):
            similar = _similarity(a, some, bandwidth)
            return jnp.max(jnp.where(block_ids < len(best), similar, 0.0), axis=1)

        return start + block, jnp.maximum(best, lax.map(of_tile, tiles).ravel())

    start = jnp.int32(0), jnp.zeros(len(given), jnp.float32)
    return lax.while_loop(lambda s: s[0] < total, nearer, start)[1]


def _take(pool: _Points, ids: jax.Array) -> _Points:
    return _Points(
        pool.rows.at[ids].get(mode="clip"), pool.squares.at[ids].get(mode="clip")
    )


def _argmax(key: jax.Array, score: jax.Array, tie: str) -> jax.Array:
    if tie == "random":
        lot = jax.random.permutation(key, score.shape[0])
        score = jnp.where(score == jnp.max(score), lot, -1)
    return jnp.argmax(score).astype(jnp.int32)
