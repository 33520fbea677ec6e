"""ProbCover: greedy coverage of the pool by balls of one radius, without a graph.

On unit rows, x covers y iff `||x - y|| < delta` (strict; a row covers itself). Rows
within delta of a labelled row are covered before the start. Each pick is the row that
covers most rows not yet covered (Yehuda et al., "Active Learning Through a Covering
Lens", NeurIPS 2022, Algorithm 1).

Differs from the paper: its edge list, up to n^2 long, is never built. The gain of
every row, the number of uncovered rows in its ball, is counted once by tiles (n^2 d
flops, `tiles.degrees`), and a pick that newly covers the rows C subtracts from each
row x the number of C within its ball. A row is covered once a round, so all
subtractions together cost at most 2 n^2 d. Only rows x with `||x - pick|| < 2 delta`
can lose anything, as C lies in the ball around the pick; the others are skipped.
Memory is O(n d) and one tile. The relation is decided exactly, and alike in both
passes (see `tiles`), so that the gains are exact integers throughout.

When nothing is left: once no row that may be picked covers an uncovered row (in the
first round: once every row is covered), a new round starts with the coverage emptied;
picks stay excluded, and the labelled rows' balls count in the first round only. A
zero row has no direction: it covers only itself.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection.contract import Picks
from jaxsel.selection.tiles import (
    Ball,
    counts_within,
    degrees,
    inner_products,
    listed,
    pad_rows,
    take_rows,
    unit_ball,
)

TILE = 1024
BLOCK = 256


class _State(NamedTuple):
    gains: jax.Array  # int32 [n]: uncovered rows in each row's ball
    covered: jax.Array  # bool [n]
    excluded: jax.Array  # bool [n]: picked or labelled, never picked again
    rounds: jax.Array  # int32 scalar


@partial(jax.jit, static_argnames=("budget", "tie", "tile", "block"))
def select_probcover(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    delta: jax.Array,
    tie: str = "lowest",
    tile: int = TILE,
    block: int = BLOCK,
) -> Picks:
    """Picks the rows whose balls of radius `delta` greedily cover most of the pool.

    With `U` the uncovered rows, pick `t` is the argmax over the rows not yet picked of
    `|{y in U : ||x - y|| < delta}|`; then its ball leaves `U`.

    Args:
      key: used by `tie="random"` only.
      features: float32 `[n, d]`, unit rows; a zero row covers only itself.
      labelled: bool `[n]`; their balls are covered from the start.
      budget: number of picks, at most the number of unlabelled rows.
      delta: float32 scalar > 0, a distance between unit rows. It is traced: another
        value does not recompile.
      tie: "lowest" position, or "random" among the exact maxima.
      tile, block: sizes of the products; they change the speed, never the picks.

    Returns:
      Picks. `gains` are numbers of newly covered rows. `info` has `delta`; `coverage`,
      the share of the pool within delta of a pick or a labelled row; `uncovered`, the
      number of rows that are not; and `random_coverage`, the mean coverage of as many
      rows drawn uniformly (see `random_coverage`).

    Example:
      >>> import jax, jax.numpy as jnp
      >>> rows = jnp.asarray([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [-1.0, 0.0]])
      >>> none = jnp.zeros(4, bool)
      >>> picks = select_probcover(
      ...     jax.random.key(0), rows, none, budget=2, delta=jnp.float32(0.7))
      >>> picks.indices.tolist(), picks.gains.tolist()
      ([1, 3], [3.0, 1.0])
    """
    n = features.shape[0]
    delta = jnp.asarray(delta, jnp.float32)
    tile = min(tile, -(-n // 8) * 8)
    rows = pad_rows(features, tile)
    ball, reach = unit_ball(rows, delta), unit_ball(rows, 2 * delta)
    # Padding is labelled and covered: it is never picked and never counted.
    padding = jnp.arange(rows.shape[0]) >= n
    excluded = jnp.pad(labelled, (0, rows.shape[0] - n), constant_values=True)
    all_gains = degrees(rows, ball, tile=tile)
    subtract = partial(_subtract, rows, ball, tile=tile, block=block)

    given = excluded & ~padding
    covered = _covered_by(rows, given, ball, tile=tile, block=block) | padding
    first = subtract(all_gains, covered & ~padding, ~excluded)
    unreached = 1 - jnp.sum(covered & ~padding) / n

    def pick(step, carry):
        state, (indices, taken) = carry
        state = _new_round_if_done(state, all_gains, padding)
        chosen = _best(jax.random.fold_in(key, step), state, n, tie)
        row = lax.dynamic_slice(rows, (chosen, 0), (1, rows.shape[1]))
        fresh = counts_within(rows, row, ball)[0] > 0
        fresh = fresh.at[chosen].set(True) & ~state.covered
        excluded = state.excluded.at[chosen].set(True)
        # Nothing reads the gains after the last pick.
        lost = fresh & (step + 1 < budget)
        touched = (inner_products(rows, row)[:, 0] >= reach.possible) & ~excluded
        gains = subtract(state.gains, lost, touched)
        state = _State(gains, state.covered | fresh, excluded, state.rounds)
        taken = taken.at[step].set(jnp.sum(fresh, dtype=jnp.float32))
        return state, (indices.at[step].set(chosen), taken)

    state = _State(first, covered, excluded, jnp.int32(1))
    empty = jnp.zeros(budget, jnp.int32), jnp.zeros(budget, jnp.float32)
    state, (indices, taken) = lax.fori_loop(0, budget, pick, (state, empty))
    uncovered = jnp.where(state.rounds > 1, 0, jnp.sum(~state.covered))
    may_pick = n - jnp.sum(labelled)
    by_chance = random_coverage(all_gains, ~covered, may_pick, budget)
    info = {
        "delta": delta,
        "coverage": 1 - uncovered / n,
        "uncovered": uncovered,
        "random_coverage": 1 - unreached + by_chance / n,
    }
    return Picks(indices, taken, state.rounds, info)


def random_coverage(
    degree: jax.Array, open_rows: jax.Array, pool: jax.Array, budget: int
) -> jax.Array:
    """Expected number of open rows that `budget` uniform draws cover.

    A row with `g` of the `m` candidates in its ball stays uncovered with probability
    `prod_{j<b} (m - g - j) / (m - j)`. The product is taken at its middle factor,
    `(1 - g / (m - (b - 1) / 2))^b`, which is at least as close as the spread between
    a handful of draws. The rows within a labelled row's ball are not open, so that
    all `g` rows of an open one are candidates.

    Args:
      degree: int32 `[n]`, rows in each ball.
      open_rows: bool `[n]`, rows not covered from the start.
      pool: int scalar `m`, rows that may be drawn.
      budget: number of draws `b`.

    Returns:
      float32 scalar.
    """
    middle = jnp.maximum(pool - (budget - 1) / 2, 1.0)
    missed = jnp.clip(1 - degree / middle, 0.0, 1.0) ** budget
    return jnp.sum(jnp.where(open_rows, 1 - missed, 0.0))


def _best(key, state: _State, n: int, tie: str) -> jax.Array:
    gains = jnp.where(state.excluded, -1, state.gains)[:n]
    if tie == "random":
        lot = jax.random.permutation(key, n)
        return jnp.argmax(jnp.where(gains == jnp.max(gains), lot, -1)).astype(jnp.int32)
    return jnp.argmax(gains).astype(jnp.int32)


def _new_round_if_done(state: _State, all_gains, padding) -> _State:
    done = jnp.max(jnp.where(state.excluded, 0, state.gains)) == 0
    return _State(
        jnp.where(done, all_gains, state.gains),
        jnp.where(done, padding, state.covered),
        state.excluded,
        state.rounds + done,
    )


def _covered_by(rows, centres, ball: Ball, *, tile: int, block: int) -> jax.Array:
    """bool [n]: the rows within the ball of one of the rows where `centres` holds."""
    ids, total = listed(centres)
    tiles = rows.reshape(-1, tile, rows.shape[1])

    def cover(state):
        start, covered = state
        _, some = take_rows(rows, ids, start, block)
        hits = lax.map(lambda a: counts_within(a, some, ball)[0] > 0, tiles)
        return start + block, covered | hits.ravel()

    start = jnp.int32(0), centres
    return lax.while_loop(lambda s: s[0] < total, cover, start)[1]


def _subtract(rows, ball: Ball, gains, lost, touched, *, tile: int, block: int):
    """Gains of the touched rows, less the number of lost rows in each one's ball."""
    lost_ids, lost_total = listed(lost)
    touched_ids, touched_total = listed(touched)

    def by_block(state):
        start, gains = state
        _, some = take_rows(rows, lost_ids, start, block)

        def by_tile(state):
            at, gains = state
            ids, a = take_rows(rows, touched_ids, at, tile)
            return at + tile, gains.at[ids].add(
                -counts_within(a, some, ball)[0], mode="drop"
            )

        _, gains = lax.while_loop(
            lambda s: s[0] < touched_total, by_tile, (jnp.int32(0), gains)
        )
        return start + block, gains

    start = jnp.int32(0), gains
    return lax.while_loop(lambda s: s[0] < lost_total, by_block, start)[1]
