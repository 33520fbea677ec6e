"""ProbCover: greedy coverage of the pool by balls of one radius, without a graph.

On unit rows, x covers y iff `||x - y|| < delta` (strict; a row covers itself). Rows
within delta of a labelled row are covered before the start. Each pick is the row that
covers most rows not yet covered (Yehuda et al., "Active Learning Through a Covering
Lens", NeurIPS 2022, Algorithm 1).

Differs from the paper: its edge list, up to n^2 long, is never built. The gain of
every row, the number of uncovered rows in its ball, is counted once by tiles (n^2 d
flops, `tiles.degrees`), and a pick that newly covers the rows C subtracts from each
row x the number of C within its ball, or counts the uncovered rows in it anew where
these are fewer. A row is covered once a round, so all of that together costs at most
2 n^2 d a round. Only rows x with `||x - pick|| < 2 delta` can lose anything, as C lies
in the ball around the pick; the others are skipped. Memory is O(n d) and one tile. The
relation is decided exactly, and alike in both passes (see `tiles`), so that the gains
are exact integers throughout.

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

from jaxsel.errors import UserError
from jaxsel.selection import rules as rule
from jaxsel.selection.contract import Picks
from jaxsel.selection.delta import auto_delta, purity_delta
from jaxsel.selection.kmeans import kmeans
from jaxsel.selection.rules import Rules, Standing
from jaxsel.selection.sharded import covering, mesh
from jaxsel.selection.tiles import (
    Ball,
    ball_of,
    counts_within,
    degrees,
    listed,
    may_be_within,
    pad_rows,
    take_rows,
)

TILE = 1024
# Rows that lose and rows that are lost, of which a step of the subtraction takes so
# many at a time: few pairs, or most of a step would be padding.
STRIP = 512
BLOCK = 256


class _State(NamedTuple):
    gains: jax.Array  # int32 [n]: uncovered rows in each row's ball
    covered: jax.Array  # bool [n]
    excluded: jax.Array  # bool [n]: picked or labelled, never picked again
    lost: jax.Array  # bool [n]: rows covered since the gains were counted
    touched: jax.Array  # bool [n]: rows whose balls may hold some of them
    rounds: jax.Array  # int32 scalar
    standing: Standing | None  # what the picks have left of the rules


def select_probcover(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    delta: float | jax.Array | str = "auto",
    n_classes: int | None = None,
    tie: str = "lowest",
    rules: Rules | None = None,
) -> Picks:
    """Picks the rows whose balls of radius `delta` greedily cover most of the pool.

    With `U` the uncovered rows, pick `t` is the argmax over the rows not yet picked of
    `|{y in U : ||x - y|| < delta}|`; then its ball leaves `U`.

    Args:
      key: for the clusters of "purity" and for `tie="random"`; unused otherwise.
      features: float32 `[n, d]`, unit rows; a zero row covers only itself.
      labelled: bool `[n]`; their balls are covered from the start.
      budget: number of picks, at most the number of unlabelled rows.
      delta: a distance between unit rows, > 0 (float32; another value does not
        recompile); "auto", see `delta.auto_delta`; or "purity", the rule of the paper,
        see `delta.purity_delta`.
      n_classes: number of classes, needed by "purity" only.
      tie: "lowest" position, or "random" among the exact maxima.
      rules: what the picks must heed beyond `labelled`, or None. Where no row is
        allowed any more the rest of the indices is -1.
        With costs, a pick has the largest gain for its cost (Khuller, Moss & Naor,
        "The budgeted maximum coverage problem", 1999, its greedy rule).

    Returns:
      Picks. `gains` are numbers of newly covered rows. `info` has `delta`; `coverage`,
      the share of the pool within delta of a pick or a labelled row; `uncovered`, the
      number of rows that are not; and `random_coverage`, the mean coverage of as many
      rows drawn uniformly (see `random_coverage`).

    Raises:
      UserError: `delta` is another word, or "purity" without `n_classes`.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> rows = jnp.asarray([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [-1.0, 0.0]])
      >>> none = jnp.zeros(4, bool)
      >>> picks = select_probcover(
      ...     jax.random.key(0), rows, none, budget=2, delta=0.7)
      >>> picks.indices.tolist(), picks.gains.tolist()
      ([1, 3], [3.0, 1.0])
    """
    purity_key, tie_key = jax.random.split(key)
    radius = _radius(purity_key, features, delta, n_classes)
    return cover(
        tie_key, features, labelled, radius, budget=budget, tie=tie, rules=rules
    )


def _radius(key, features, delta, n_classes) -> jax.Array:
    if not isinstance(delta, str):
        return jnp.asarray(delta, jnp.float32)
    if delta == "auto":
        return auto_delta(features)
    if delta != "purity":
        raise UserError(f'delta must be a number, "auto" or "purity"; found {delta!r}')
    if n_classes is None:
        raise UserError(
            'delta="purity" needs the number of classes: give n_classes or delta="auto"'
        )
    clusters = kmeans(key, features, k=min(n_classes, len(features))).assignments
    return purity_delta(features, clusters)


def _surely_none(labelled: jax.Array) -> bool:
    """Whether the mask is known to be empty, outside of a user's own jit."""
    if isinstance(labelled, jax.core.Tracer):
        return False
    with jax.ensure_compile_time_eval():
        return not labelled.any()


class _Pool(NamedTuple):
    rows: jax.Array  # float32 [m, d], padded to whole tiles
    ball: Ball
    reach: Ball  # twice the radius
    padding: jax.Array  # bool [m]: not rows of the pool
    excluded: jax.Array  # bool [m]: labelled, or padding
    gains: jax.Array  # int32 [m]: rows in each row's ball


def cover(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    delta: jax.Array,
    *,
    budget: int,
    tie: str = "lowest",
    tile: int = TILE,
    block: int = BLOCK,
    rules: Rules | None = None,
) -> Picks:
    """`select_probcover` at a given radius; tile and block only change the speed."""
    delta = jnp.asarray(delta, jnp.float32)
    # Programs of their own: the compiler needs memory for one at a time.
    pool = _prepare(features, labelled, delta, tile=tile)
    tile = min(tile, len(pool.rows))
    covered = pool.excluded & ~pool.padding  # the labelled rows
    if not _surely_none(labelled):
        covered = _covered_by(pool.rows, covered, pool.ball, tile=tile, block=block)
    return _greedy(
        key,
        pool,
        covered,
        delta,
        len(features),
        budget=budget,
        tie=tie,
        tile=tile,
        block=block,
        rules=rules,
    )


@partial(jax.jit, static_argnames="tile")
def _prepare(features, labelled, delta, *, tile: int) -> _Pool:
    n = features.shape[0]
    tile = min(tile, -(-n // 8) * 8)
    rows = pad_rows(features, mesh.row_multiple(tile))
    ball = ball_of(features, delta)
    # Padding is labelled and covered: it is never picked and never counted.
    padding = jnp.arange(rows.shape[0]) >= n
    excluded = jnp.pad(labelled, (0, rows.shape[0] - n), constant_values=True)
    count = covering.degrees if mesh.on_mesh() else degrees
    gains = count(rows, ball, tile=tile)
    reach = ball_of(features, 2 * delta)
    return _Pool(rows, ball, reach, padding, excluded, gains)


@partial(jax.jit, static_argnames=("n", "budget", "tie", "tile", "block"))
def _greedy(
    key, pool: _Pool, covered, delta, n: int, *, budget: int, tie, tile, block, rules
) -> Picks:
    """Picks from rows covered at the start (bool [m]) to the budget."""
    rows, ball, reach, padding, excluded, all_gains = pool
    reached = jnp.sum(covered)
    starts = jnp.arange(0, len(rows), tile)
    alive = jnp.any(rows != 0, axis=1)  # Zero rows cover themselves, whatever is lost.
    settle = partial(_settle, rows, ball, tile=min(tile, STRIP), block=block)

    def look(row, start):
        # A slice of the rows, for a loop over their tiles would copy them.
        a = lax.dynamic_slice_in_dim(rows, start, tile)
        return may_be_within(a, row, reach)[:, 0], counts_within(a, row, ball)[0] > 0

    def pick(state, step):
        # The last pick's losses, or at first those to the labelled rows.
        gains = settle(state, state.touched & alive & ~state.excluded)
        state = state._replace(gains=gains)
        closed = _closed(state, rules, n)
        state = _new_round_if_done(state, closed, all_gains, padding)
        costs = None if rules is None else rules.cost
        chosen = _best(jax.random.fold_in(key, step), state, closed[:n], costs, tie)
        if mesh.on_mesh():
            row = mesh.row(rows, chosen)[None]
            near, fresh = covering.look(rows, row, ball, reach, tile=tile)
        else:
            row = lax.dynamic_slice_in_dim(rows, chosen, 1)
            near, fresh = lax.map(partial(look, row), starts)
        fresh = fresh.ravel().at[chosen].set(True) & ~state.covered
        standing = state.standing
        if rules is not None and standing is not None:
            none = closed[chosen]  # then so are all
            fresh = fresh & ~none
            chosen = jnp.where(none, -1, chosen)
            standing = rule.after(rules, standing, chosen)
        state = _State(
            state.gains,
            state.covered | fresh,
            state.excluded.at[chosen].set(True),
            fresh,
            near.ravel(),
            state.rounds,
            standing,
        )
        return state, (chosen, jnp.sum(fresh, dtype=jnp.float32))

    state = _State(
        all_gains,
        covered | padding,
        excluded,
        covered,
        ~padding,
        jnp.int32(1),
        None if rules is None else rule.begin(rules, budget),
    )
    state, (indices, taken) = lax.scan(pick, state, jnp.arange(budget))
    uncovered = jnp.where(state.rounds > 1, 0, jnp.sum(~state.covered))
    may_pick = jnp.sum(~excluded)
    if rules is not None:
        may_pick = jnp.sum(~excluded[:n] & rules.eligible)
    by_chance = random_coverage(all_gains, ~(covered | padding), may_pick, budget)
    info = {
        "delta": delta,
        "coverage": 1 - uncovered / n,
        "uncovered": uncovered,
        "random_coverage": (reached + by_chance) / n,
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


def _closed(state: _State, rules: Rules | None, n: int) -> jax.Array:
    """bool [m]: rows that may not be the next pick."""
    if rules is None or state.standing is None:
        return state.excluded
    open_rows = rule.allowed(rules, state.standing)
    pad = (0, len(state.excluded) - n)
    return state.excluded | ~jnp.pad(open_rows, pad)


def _best(key, state: _State, closed, costs: jax.Array | None, tie: str) -> jax.Array:
    n = len(closed)
    gains = jnp.where(closed, -1, state.gains[:n])
    if costs is not None:
        gains = jnp.where(closed, -1.0, gains / costs)
    if tie == "random":
        lot = jax.random.permutation(key, n)
        return jnp.argmax(jnp.where(gains == jnp.max(gains), lot, -1)).astype(jnp.int32)
    return jnp.argmax(gains).astype(jnp.int32)


def _new_round_if_done(state: _State, closed, all_gains, padding) -> _State:
    done = jnp.max(jnp.where(closed, 0, state.gains)) == 0
    if state.standing is not None:
        done = done & ~jnp.all(closed)  # else a new round would not help
    return state._replace(
        gains=jnp.where(done, all_gains, state.gains),
        covered=jnp.where(done, padding, state.covered),
        rounds=state.rounds + done,
    )


@partial(jax.jit, static_argnames=("tile", "block"))
def _covered_by(rows, centres, ball: Ball, *, tile: int, block: int) -> jax.Array:
    """bool [n]: the rows within the ball of one of the rows where `centres` holds."""
    if mesh.on_mesh():
        return covering.covered_by(rows, centres, ball, tile=tile, block=block)
    ids, total = listed(centres)
    tiles = rows.reshape(-1, tile, rows.shape[1])

    def cover(state):
        start, covered = state
        _, some = take_rows(rows, ids, start, block)
        hits = lax.map(lambda a: counts_within(a, some, ball)[0] > 0, tiles)
        return start + block, covered | hits.ravel()

    start = jnp.int32(0), centres
    return lax.while_loop(lambda s: s[0] < total, cover, start)[1]


def _settle(rows, ball: Ball, state: _State, touched, *, tile: int, block: int):
    """The gains, with those of the touched rows brought up to date.

    They lose the lost rows in their balls; or, where fewer rows are left uncovered than
    were lost, these are counted anew: nothing at all once everything is covered.
    """
    anew = jnp.sum(~state.covered) < jnp.sum(state.lost)
    counted = jnp.where(anew, ~state.covered, state.lost)
    sign = jnp.where(anew, 1, -1)
    gains = jnp.where(anew & touched, 0, state.gains)
    if mesh.on_mesh():
        return covering.add_counts(
            rows, gains, touched, counted, sign, ball, tile=tile, block=block
        )
    counted_ids, counted_total = listed(counted)
    touched_ids, touched_total = listed(touched)

    def by_block(state):
        start, gains = state
        _, some = take_rows(rows, counted_ids, start, block)

        def by_tile(state):
            at, gains = state
            ids, a = take_rows(rows, touched_ids, at, tile)
            return at + tile, gains.at[ids].add(
                sign * counts_within(a, some, ball)[0], mode="drop"
            )

        _, gains = lax.while_loop(
            lambda s: s[0] < touched_total, by_tile, (jnp.int32(0), gains)
        )
        return start + block, gains

    start = jnp.int32(0), gains
    return lax.while_loop(lambda s: s[0] < counted_total, by_block, start)[1]
