"""Typicality: which member of one cluster has the nearest neighbours, exactly.

The obvious way sorts every row of an m x m distance matrix. Here most rows are ruled
out by a bound that needs only a sum. Write T_i for the mean of the K smallest of row
i's distances d_ij. For every number t

    T_i  >=  t - (1/K) sum_j max(0, t - d_ij),

with equality when t is row i's K-th smallest distance: among the K smallest,
d >= t - max(0, t - d), and leaving the others out of the sum only raises the right
side. (It is the dual form of a mean of smallest values; Rockafellar & Uryasev 2000
use it for the conditional value at risk.) So:

1. take the rows nearest the cluster's mean and find their T by sorting; call the
   best one's T and K-th smallest distance `least` and t;
2. bound every row with that t: products of tiles and sums, half of them by symmetry;
3. sort only for rows whose bound is at most `least`, the lowest bounds first, until
   no bound is left below it.

The bounds allow for rounding, so the row returned is the one sorting everything
would return. Memory is O(n + tile²): no m x m matrix exists.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

Array = jax.Array

BATCH = 32
"""Rows whose neighbours are sorted at a time."""

SPARE = 12
"""Neighbours beyond K that are measured exactly, in case rounding misplaced some."""


class Cluster(NamedTuple):
    """A cluster: a stretch of a list of rows. A row's place counts from its start.

    Attributes:
      features: float `[p, d]`, the list; p is at least start + size + tile - 1, so
        that whole tiles can be read.
      open: bool `[p]`, rows that may be neighbours, and be picked but for `may`.
      start: int32 scalar, where the cluster begins.
      size: int32 scalar, how many rows it has, open or not.
      may: bool `[p]`, open rows that may be picked; None for all of them.
    """

    features: Array
    open: Array
    start: Array
    size: Array
    may: Array | None = None


class Typical(NamedTuple):
    """The most typical open row of a cluster.

    Attributes:
      place: int32 scalar; the lowest among equals.
      mean_distance: float scalar, over its K nearest open neighbours; 0 if K is 0.
      neighbours: int32 scalar, K.
    """

    place: Array
    mean_distance: Array
    neighbours: Array


class _Plan(NamedTuple):
    """What the steps share.

    Attributes:
      most, squared, tile: the options, static.
      tiles: int32 scalar, how many tiles cover the cluster.
      mean: float `[d]`, of the open rows; subtracted from every tile.
      lengths: float `[s]`, squared distances to the mean by place; inf if not open.
      neighbours: int32 scalar, K.
      rounding: float scalar, the largest error of an expanded squared distance.
    """

    most: int
    squared: bool
    tile: int
    tiles: Array
    mean: Array
    lengths: Array
    neighbours: Array
    rounding: Array


class _Best(NamedTuple):
    """The best row so far and its K-th smallest distance."""

    place: Array
    mean_distance: Array
    kth: Array


def most_typical(
    cluster: Cluster, *, most: int = 20, squared: bool = True, tile: int = 256
) -> Typical:
    """Finds the open member with the smallest mean distance to its neighbours.

    The typicality of TypiClust (Hacohen, Dekel & Weinshall 2022, eq. 1) is one over
    this mean. K = min(most, m // 2) for m open members, the row itself not counted.

    Args:
      cluster: at least one open row.
      most: the largest K; static.
      squared: measure squared Euclidean distances, as TypiClust's public code does;
        otherwise plain ones, as its paper writes. Static.
      tile: rows a tile, at least `BATCH`; static.

    Returns:
      `Typical`.

    Example:
      >>> import jax.numpy as jnp
      >>> x = jnp.pad(jnp.array([[0.0], [1.0], [2.0], [5.0]]), ((0, 31), (0, 0)))
      >>> line = Cluster(x, jnp.arange(35) < 4, jnp.int32(0), jnp.int32(4))
      >>> found = most_typical(line, tile=32)
      >>> int(found.place), float(found.mean_distance), int(found.neighbours)
      (1, 1.0, 2)
    """
    plan, count = _plan(cluster, most, squared, tile)
    eps = float(jnp.finfo(plan.mean.dtype).eps)
    infinite = jnp.asarray(jnp.inf, plan.mean.dtype)
    nothing = _Best(jnp.int32(0), infinite, jnp.zeros_like(infinite))

    hopes = plan.lengths
    if cluster.may is not None:
        at = jnp.minimum(cluster.start + jnp.arange(len(hopes)), len(hopes) - 1)
        hopes = jnp.where(cluster.may[at], hopes, jnp.inf)
    best, lengths, _ = _sort_lowest(cluster, plan, nothing, hopes)
    # Up to BATCH rows have all been sorted.
    rest = jnp.where(count > BATCH, plan.tiles, 0)
    bounds = _bound(cluster, plan, best, rest)
    bounds = jnp.where(jnp.isfinite(lengths), bounds, jnp.inf)

    def hopeful(state: tuple[_Best, Array, Array]) -> Array:
        best, _, lowest = state
        bar = best.mean_distance * (1 + plan.mean.shape[0] * eps)
        return (lowest <= bar) & jnp.isfinite(lowest)

    def sort_more(state: tuple[_Best, Array, Array]) -> tuple[_Best, Array, Array]:
        best, bounds, _ = state
        return _sort_lowest(cluster, plan, best, bounds)

    lowest = jnp.where(count > BATCH, bounds.min(), jnp.inf)
    best, _, _ = jax.lax.while_loop(hopeful, sort_more, (best, bounds, lowest))
    return Typical(best.place, best.mean_distance, plan.neighbours)


def _plan(cluster: Cluster, most: int, squared: bool, tile: int) -> tuple[_Plan, Array]:
    """Measures the cluster; also returns how many rows are open."""
    tiles = -(-cluster.size // tile)
    d = cluster.features.shape[1]
    dtype = cluster.features.dtype

    def add(i: Array, done: tuple[Array, Array]) -> tuple[Array, Array]:
        is_open = _open(cluster, i, tile)
        total = jnp.dot(
            is_open.astype(dtype), _read(cluster, i, tile), precision="highest"
        )
        return done[0] + jnp.sum(is_open, dtype=jnp.int32), done[1] + total

    count, total = jax.lax.fori_loop(0, tiles, add, (jnp.int32(0), jnp.zeros(d, dtype)))
    mean = total / jnp.maximum(count, 1).astype(dtype)

    def measure(i: Array, done: tuple[Array, Array]) -> tuple[Array, Array]:
        away = jnp.sum(jnp.square(_read(cluster, i, tile) - mean), axis=1)
        is_open = _open(cluster, i, tile)
        lengths = jnp.where(is_open, away, jnp.inf)
        lengths = jax.lax.dynamic_update_slice_in_dim(done[0], lengths, i * tile, 0)
        return lengths, jnp.maximum(done[1], jnp.max(jnp.where(is_open, away, 0)))

    nothing = (jnp.full(len(cluster.open), jnp.inf, dtype), jnp.zeros((), dtype))
    lengths, largest = jax.lax.fori_loop(0, tiles, measure, nothing)
    neighbours = jnp.minimum(most, count // 2).astype(jnp.int32)
    # ||a||^2 + ||b||^2 - 2ab errs by at most d eps (||a||^2 + ||b||^2).
    rounding = 2 * (d + 4) * float(jnp.finfo(dtype).eps) * largest
    plan = _Plan(most, squared, tile, tiles, mean, lengths, neighbours, rounding)
    return plan, count


def _read(cluster: Cluster, i: Array, tile: int) -> Array:
    """Rows of tile i; past the cluster's end they belong to others."""
    at = cluster.start + i * tile
    return jax.lax.dynamic_slice_in_dim(cluster.features, at, tile)


def _open(cluster: Cluster, i: Array, tile: int) -> Array:
    """Which rows of tile i are open members."""
    is_open = jax.lax.dynamic_slice_in_dim(cluster.open, cluster.start + i * tile, tile)
    return is_open & (i * tile + jnp.arange(tile) < cluster.size)


def _lowest(bounds: Array, plan: _Plan) -> tuple[Array, Array]:
    """The BATCH lowest bounds and their places, tile by tile."""

    def merge(i: Array, done: tuple[Array, Array]) -> tuple[Array, Array]:
        values, places = done
        here = jax.lax.dynamic_slice_in_dim(bounds, i * plan.tile, plan.tile)
        new = i * plan.tile + jnp.arange(plan.tile, dtype=jnp.int32)
        top, at = jax.lax.top_k(-jnp.concatenate([values, here]), BATCH)
        return -top, jnp.concatenate([places, new])[at]

    nothing = (jnp.full(BATCH, jnp.inf, bounds.dtype), jnp.zeros(BATCH, jnp.int32))
    return jax.lax.fori_loop(0, plan.tiles, merge, nothing)


def _sort_lowest(
    cluster: Cluster, plan: _Plan, best: _Best, bounds: Array
) -> tuple[_Best, Array, Array]:
    """Sorts the neighbours of the rows with the lowest bounds.

    Returns the better of `best` and those rows, the bounds with theirs set to inf,
    and the lowest of the bounds that remain.
    """
    values, places = _lowest(bounds, plan)
    real = jnp.isfinite(values)
    distances = _nearest(cluster, plan, places)
    counted = jnp.arange(distances.shape[1]) < plan.neighbours
    means = jnp.sum(jnp.where(counted, distances, 0), axis=1)
    means = means / jnp.maximum(plan.neighbours, 1).astype(means.dtype)
    means = jnp.where(real, means, jnp.inf)

    # The lowest place among equals, here and before.
    far = jnp.int32(bounds.shape[0])
    least = means.min()
    tied = jnp.where(means == least, places, far)
    mine = _Best(
        tied.min(),
        least,
        distances[jnp.argmin(tied), jnp.maximum(plan.neighbours - 1, 0)],
    )
    wins = (least < best.mean_distance) | (
        (least == best.mean_distance) & (mine.place < best.place)
    )
    best = jax.tree.map(lambda new, old: jnp.where(wins, new, old), mine, best)
    bounds = bounds.at[jnp.where(real, places, far)].set(jnp.inf, mode="drop")
    return best, bounds, bounds.min()


def _nearest(cluster: Cluster, plan: _Plan, places: Array) -> Array:
    """`[BATCH, most + SPARE]`: ascending distances to the nearest open others.

    The neighbours are found by expanded squared distances and measured entry by
    entry, in ascending order: copies of a row get the same numbers, whatever tile
    they lie in. Missing neighbours are inf.
    """
    wanted = plan.most + SPARE
    rows = cluster.features[cluster.start + places]
    centred = rows - plan.mean
    lengths = jnp.sum(jnp.square(centred), axis=1)[:, None]

    def merge(i: Array, done: tuple[Array, Array]) -> tuple[Array, Array]:
        others = _read(cluster, i, plan.tile) - plan.mean
        new = i * plan.tile + jnp.arange(plan.tile, dtype=jnp.int32)
        squared = jax.lax.dynamic_slice_in_dim(plan.lengths, new[0], plan.tile)
        squared = squared - 2 * jnp.dot(centred, others.T, precision="highest")
        squared = jnp.where(places[:, None] == new, jnp.inf, squared + lengths)
        values = jnp.concatenate([done[0], squared], axis=1)
        at = jnp.concatenate([done[1], jnp.broadcast_to(new, squared.shape)], axis=1)
        top, chosen = jax.lax.top_k(-values, wanted)
        return -top, jnp.take_along_axis(at, chosen, axis=1)

    shape = (BATCH, wanted)
    nothing = (jnp.full(shape, jnp.inf, lengths.dtype), jnp.zeros(shape, jnp.int32))
    found, neighbours = jax.lax.fori_loop(0, plan.tiles, merge, nothing)
    apart = rows[:, None] - cluster.features[cluster.start + neighbours]
    squared = jnp.sum(jnp.square(apart), axis=2)
    squared = jnp.where(jnp.isfinite(found), squared, jnp.inf)
    return jnp.sort(as_distance(squared, plan.squared), axis=1)


def _bound(cluster: Cluster, plan: _Plan, best: _Best, tiles: Array) -> Array:
    """Lower bounds of T by place, from the first `tiles` tiles; inf if not open."""

    def pair(b: Array, sums: Array, a: Array, rows: Array, lengths: Array) -> Array:
        others = _read(cluster, b, plan.tile) - plan.mean
        # A length of inf leaves a row that is not open out of every sum.
        squared = lengths[:, None] + slice_of(plan.lengths, b)
        squared = squared - 2 * jnp.dot(rows, others.T, precision="highest")
        lower = as_distance(squared - plan.rounding, plan.squared)
        excess = jnp.maximum(best.kth - lower, 0)
        mirrored = jnp.where(a < b, excess.sum(axis=0), 0)
        return add(add(sums, a, excess.sum(axis=1)), b, mirrored)

    def slice_of(values: Array, i: Array) -> Array:
        return jax.lax.dynamic_slice_in_dim(values, i * plan.tile, plan.tile)

    def add(sums: Array, i: Array, more: Array) -> Array:
        more = slice_of(sums, i) + more
        return jax.lax.dynamic_update_slice_in_dim(sums, more, i * plan.tile, 0)

    def row_of_tiles(a: Array, sums: Array) -> Array:
        rows = _read(cluster, a, plan.tile) - plan.mean
        lengths = slice_of(plan.lengths, a)
        return jax.lax.fori_loop(
            a, tiles, lambda b, done: pair(b, done, a, rows, lengths), sums
        )

    sums = jax.lax.fori_loop(0, tiles, row_of_tiles, jnp.zeros_like(plan.lengths))
    # A row's distance to itself is computed as at most `rounding`, so its own term
    # is at least kth. A sum of m terms is low by at most m eps of itself.
    sums = sums * (1 + cluster.size * float(jnp.finfo(sums.dtype).eps)) - best.kth
    bounds = best.kth - sums / jnp.maximum(plan.neighbours, 1).astype(sums.dtype)
    return jnp.where(jnp.isfinite(plan.lengths), bounds, jnp.inf)


def as_distance(squared: Array, keep_squared: bool) -> Array:
    """Squared distances as they are, or their roots."""
    return squared if keep_squared else jnp.sqrt(jnp.maximum(squared, 0))
