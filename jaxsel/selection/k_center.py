"""k-center: farthest-first traversal, several picks to a reading of the pool.

Each pick is the row farthest from its nearest centre (Gonzalez, "Clustering to
minimize the maximum intercluster distance", 1985): a 2-approximation of the smallest
radius that covers the pool with so many balls.

A reading bounds the squared distance of every row to its nearest centre from above, by
one matrix product with the centres picked since the last one:

    ||x - c||^2 <= ||x||^2 + ||c||^2 - 2 g + margin,   margin = gamma (||x|| + ||c||)^2

with `g` the rounded inner product and `gamma` its relative rounding error at worst
(Higham, Accuracy and Stability, section 3.1). Distances only shrink, so the bounds
hold until the next reading. Meanwhile a block of rows is walked, those with the highest
bounds: the row on top has its distance summed anew, from differences, and is the next
pick if that is clearly beyond every other bound, in the block and outside. A walk that
finds no pick, as among equal rows, calls for a plain pass: the distances of all rows,
from differences, to the centres that had none yet. So the picks are those of the plain
traversal, which needs a pass a pick.

Differences do not cancel: an exact copy of a centre is at distance exactly 0, and a
common offset of all rows does no harm.

When nothing is left: all remaining distances are 0; the pick is the lowest remaining
position, and each such pick begins a round of its own.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection import rules as rule
from jaxsel.selection.contract import Picks, no_picks
from jaxsel.selection.rules import Rules, Standing
from jaxsel.selection.sharded import mesh

# A block is so many groups of so many neighbouring rows.
GROUPS = 128
GROUP = 32
# Centres between two readings at most.
TOGETHER = 16
# Squared distances apart by this share are in that order however they are summed.
CLEARLY = 1 + 1e-5
_ROUNDING = 2.0**-24


class _Pool(NamedTuple):
    rows: jax.Array  # float32 [n, d]
    squares: jax.Array  # float32 [n]
    gamma: float
    rules: Rules | None = None


class _State(NamedTuple):
    bound: jax.Array  # float32 [n]: not below the squared distance to any centre
    nearest: jax.Array  # float32 [n]: squared distance to those with a plain pass
    free: jax.Array  # bool [n]: neither picked nor labelled
    indices: jax.Array  # int32 [budget]
    gains: jax.Array  # float32 [budget], squared
    picked: jax.Array  # int32 scalar
    read: jax.Array  # int32 scalar: picks that `bound` knows
    passed: jax.Array  # int32 scalar: picks that `nearest` knows
    rounds: jax.Array  # int32 scalar
    standing: Standing | None = None  # what the picks have left of the rules


@partial(jax.jit, static_argnames=("budget", "tie"))
def select_k_center(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    tie: str = "lowest",
    rules: Rules | None = None,
) -> Picks:
    """Picks, each time, the row farthest from the picks and the labelled rows.

    `pick_t = argmax_x min_{c in L + picks} ||x - c||`; with nothing labelled the first
    pick is the row nearest the mean.

    Args:
      key: used by `tie="random"` only.
      features: float32 `[n, d]`, as they are (not normalised).
      labelled: bool `[n]`, centres from the start.
      budget: number of picks, at most the number of unlabelled rows.
      tie: "lowest" position, or "random" among exact maxima.
      rules: what the picks must heed beyond `labelled`, or None. Where no row is
        allowed any more the rest of the indices is -1.

    Returns:
      Picks. `gains` are the distances at which the rows were picked; they never grow.
      A first pick that had no centre to be far from has the gain inf. `info` has
      `radius`, the largest distance of any row to its nearest centre at the end.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> rows = jnp.asarray([[0.0], [1.0], [2.0], [5.0]])
      >>> picks = select_k_center(
      ...     jax.random.key(0), rows, jnp.zeros(4, bool), budget=3)
      >>> picks.indices.tolist(), picks.gains.tolist()
      ([2, 3, 0], [inf, 3.0, 2.0])
    """
    if budget == 0:
        return no_picks()
    if tie == "random":
        # The lowest position of rows in random order is any of the maxima.
        order = jax.random.permutation(key, len(features))
        if rules is not None:
            rules = rule.reordered(rules, order)
        picks = _traverse(features[order], labelled[order], budget, rules)
        indices = order[picks.indices].astype(jnp.int32)
        return picks._replace(indices=jnp.where(picks.indices < 0, -1, indices))
    return _traverse(features, labelled, budget, rules)


def _traverse(
    features: jax.Array, labelled: jax.Array, budget: int, rules: Rules | None
) -> Picks:
    """Farthest first, ties to the lowest position."""
    d = features.shape[1]
    gamma = (d + 8) * _ROUNDING / (1 - (d + 8) * _ROUNDING)
    pool = _Pool(features, jnp.sum(jnp.square(features), axis=1), gamma, rules)
    none = jnp.int32(0)
    nearest = _to_labelled(features, labelled)
    state = _State(
        bound=nearest,
        nearest=nearest,
        free=~labelled,
        indices=jnp.zeros(budget, jnp.int32),
        gains=jnp.zeros(budget, features.dtype),
        picked=none,
        read=none,
        passed=none,
        rounds=jnp.int32(1),
        standing=None if rules is None else rule.begin(rules, budget),
    )

    def nearest_the_mean(state: _State) -> _State:
        # No row is labelled: all are free, at distance inf from the nearest centre.
        away = _squared_distances(features, _mean(features))
        if rules is not None:
            away = jnp.where(_open(pool, state), away, jnp.inf)
        row = jnp.argmin(away)
        return _take(pool, state, row, jnp.asarray(jnp.inf, features.dtype))

    def some_picks(state: _State) -> _State:
        before = state.picked
        state = _walk(pool, _read(pool, state), budget)
        return lax.cond(
            state.picked > before, lambda s: s, lambda s: _pick_plainly(pool, s), state
        )

    begun = jnp.any(labelled)
    if rules is not None:
        begun = begun | ~jnp.any(_open(pool, state))
    state = lax.cond(begun, lambda s: s, nearest_the_mean, state)

    def wanted(state: _State) -> jax.Array:
        more = state.picked < budget
        return more if rules is None else more & jnp.any(_open(pool, state))

    state = lax.while_loop(wanted, some_picks, state)
    radius = _largest_distance(pool, _read(pool, state))
    indices = state.indices
    if rules is not None:
        indices = jnp.where(jnp.arange(budget) < state.picked, indices, -1)
    return Picks(indices, jnp.sqrt(state.gains), state.rounds, {"radius": radius})


def _open(pool: _Pool, state: _State, rows: jax.Array | None = None) -> jax.Array:
    """bool, for all rows or those given: neither picked nor labelled, and allowed."""
    free = state.free if rows is None else state.free[rows]
    if pool.rules is None or state.standing is None:
        return free
    return free & rule.allowed(pool.rules, state.standing, rows)


def _take(pool: _Pool, state: _State, row: jax.Array, squared: jax.Array) -> _State:
    standing = state.standing
    if pool.rules is not None and standing is not None:
        standing = rule.after(pool.rules, standing, row)
    return state._replace(
        standing=standing,
        free=state.free.at[row].set(False),
        indices=state.indices.at[state.picked].set(row.astype(jnp.int32)),
        gains=state.gains.at[state.picked].set(squared),
        picked=state.picked + 1,
        rounds=state.rounds + (squared == 0),
    )


def _read(pool: _Pool, state: _State) -> _State:
    """Tells `bound` of the picks since the last reading, at most `TOGETHER`."""
    place = state.read + jnp.arange(TOGETHER)
    # Past the end the first of them again, which changes nothing.
    place = jnp.where(place < state.picked, place, state.read)
    centres = state.indices[jnp.minimum(place, len(state.indices) - 1)]
    products = jnp.matmul(pool.rows, pool.rows[centres].T, precision="highest")
    squares = pool.squares[:, None], pool.squares[centres]
    length = jnp.sqrt(squares[0]) + jnp.sqrt(squares[1])
    margin = 1.01 * pool.gamma * jnp.square(length)
    upper = jnp.min(squares[0] + squares[1] - 2 * products + margin, axis=1)
    bound = jnp.minimum(state.bound, upper)
    bound = jnp.where(state.read < state.picked, bound, state.bound)
    return state._replace(bound=bound, read=state.picked)


class _Walk(NamedTuple):
    state: _State
    upper: jax.Array  # float32 [k]: bounds of the block, -inf for a row not free
    exact: jax.Array  # bool [k]: summed from differences
    goes_on: jax.Array  # bool scalar


def _walk(pool: _Pool, state: _State, budget: int | jax.Array) -> _State:
    """Picks from a block for as long as it is certain which row is the farthest."""
    rows, outside = _highest(jnp.where(_open(pool, state), state.bound, -jnp.inf))
    inside = jnp.minimum(rows, len(pool.rows) - 1)
    block = pool.rows[inside]
    real = rows < len(pool.rows)
    usable = real & _open(pool, state, inside)
    before = state.picked

    def next_row(walk: _Walk) -> _Walk:
        state, upper, exact, _ = walk
        _, two = lax.top_k(upper, 2)
        values = jax.vmap(lambda i: _to_nearest(pool, state, rows[i]))(two)
        news = ~jnp.all(exact[two])
        upper = upper.at[two].set(jnp.where(jnp.isneginf(upper[two]), -jnp.inf, values))
        exact = exact.at[two].set(True)
        top = jnp.argmax(upper)
        beyond = jnp.maximum(jnp.max(upper.at[top].set(-jnp.inf)), outside)
        certain = exact[top] & (upper[top] > CLEARLY * jnp.maximum(beyond, 0.0))

        def take(walk: _Walk) -> _Walk:
            others = walk.upper.at[top].set(-jnp.inf)
            state = _take(pool, walk.state, rows[top], walk.upper[top])
            upper = jnp.minimum(others, _squared_distances(block, block[top]))
            goes_on = walk.goes_on
            if state.standing is not None:
                upper = jnp.where(real & _open(pool, state, inside), upper, -jnp.inf)
                # Rows outside may have been opened, which has to be looked at.
                goes_on = goes_on & ~state.standing.grew
            return walk._replace(state=state, upper=upper, goes_on=goes_on)

        walk = _Walk(state, upper, exact, certain | news)
        return lax.cond(certain, take, lambda walk: walk, walk)

    def wanted(walk: _Walk) -> jax.Array:
        picked = walk.state.picked
        return walk.goes_on & (picked < budget) & (picked - before < TOGETHER)

    start = _Walk(
        state,
        jnp.where(usable, state.bound[inside], -jnp.inf),
        jnp.zeros(rows.shape, bool),
        jnp.bool_(True),
    )
    return lax.while_loop(wanted, next_row, start).state


def _to_nearest(pool: _Pool, state: _State, row: jax.Array) -> jax.Array:
    """Squared distance of a row to its nearest centre, from differences."""
    centres = pool.rows[state.indices]
    squared = _squared_distances(centres, pool.rows[row])
    picked = jnp.arange(len(state.indices)) < state.picked
    later = jnp.min(jnp.where(picked, squared, jnp.inf))
    return jnp.minimum(state.nearest[row], later)


def _pick_plainly(pool: _Pool, state: _State) -> _State:
    """Brings the distances of all rows up to date, and picks the largest."""

    def one_centre(step, parts):
        # Distances wait a step before they are merged: on their own they compile to a
        # vectorised pass at the speed of memory, fused with the minimum to a slow one.
        centre = mesh.row(pool.rows, state.indices[step])
        return jnp.minimum(*parts), _squared_distances(pool.rows, centre)

    far = jnp.full_like(state.nearest, jnp.inf)
    parts = (state.nearest, far)
    nearest = jnp.minimum(*lax.fori_loop(state.passed, state.picked, one_centre, parts))
    state = state._replace(bound=nearest, nearest=nearest, passed=state.picked)
    row = jnp.argmax(jnp.where(_open(pool, state), nearest, -jnp.inf))
    return _take(pool, state, row, nearest[row])


def _largest_distance(pool: _Pool, state: _State) -> jax.Array:
    """Of any row to its nearest centre: that of a pick that was not made."""
    everyone = state._replace(
        free=jnp.ones_like(state.free),
        indices=jnp.pad(state.indices, (0, 1)),
        gains=jnp.pad(state.gains, (0, 1)),
        standing=None,
    )
    done = state.picked
    walked = _walk(pool, everyone, done + 1)
    last = lax.cond(
        walked.picked > done, lambda s: s, lambda s: _pick_plainly(pool, s), walked
    )
    return jnp.sqrt(last.gains[done])


def _highest(score: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Rows in ascending order, the highest among them, and the highest outside.

    Rows from `n` on are padding.
    """
    groups = -(-len(score) // GROUP)
    padded = jnp.pad(score, (0, groups * GROUP - len(score)), constant_values=-jnp.inf)
    chosen, outside = jnp.arange(groups), jnp.asarray(-jnp.inf, score.dtype)
    if groups > GROUPS:
        highest = padded.reshape(groups, GROUP).max(axis=1)
        # Apart, or the slices would be merged into the search, which sorts.
        top, chosen = mesh.top_k(highest, GROUPS + 1)
        chosen, outside = jnp.sort(chosen[:GROUPS]), top[GROUPS]
    rows = chosen[:, None] * GROUP + jnp.arange(GROUP)
    return rows.ravel().astype(jnp.int32), outside


def _squared_distances(rows: jax.Array, centre: jax.Array) -> jax.Array:
    return jnp.sum(jnp.square(rows - centre), axis=1)


def _to_labelled(rows: jax.Array, labelled: jax.Array) -> jax.Array:
    """Squared distances to the nearest labelled row; inf where there is none."""
    n = rows.shape[0]
    ids = jnp.nonzero(labelled, size=n, fill_value=0)[0]

    def nearer(i, parts):
        # As in `_pick_plainly`.
        return jnp.minimum(*parts), _squared_distances(rows, mesh.row(rows, ids[i]))

    far = jnp.full(n, jnp.inf, rows.dtype)
    return jnp.minimum(*lax.fori_loop(0, jnp.sum(labelled), nearer, (far, far)))


def _mean(rows: jax.Array) -> jax.Array:
    """The mean row; the second pass takes off the rounding error of the first."""
    rough = jnp.mean(rows, axis=0)
    return rough + jnp.mean(rows - rough, axis=0)
