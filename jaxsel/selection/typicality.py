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


class Cluster(NamedTuple):
    """One cluster of a pool whose rows are listed cluster by cluster.

    Attributes:
      features: float `[n, d]`, the pool.
      order: int32 `[n]`, all rows sorted by cluster, ascending within each.
      open: bool `[n]`, rows that may be picked and may be neighbours, by row.
      start: int32 scalar, where the cluster begins in `order`.
      size: int32 scalar, how many rows it has, open or not.
    """

    features: Array
    order: Array
    open: Array
    start: Array
    size: Array


class Typical(NamedTuple):
    """The most typical open row of a cluster.

    Attributes:
      row: int32 scalar; the lowest row among equals.
      mean_distance: float scalar, over its K nearest open neighbours; 0 if K is 0.
      neighbours: int32 scalar, K.
    """

    row: Array
    mean_distance: Array
    neighbours: Array


class _Settings(NamedTuple):
    """What the steps share: static sizes, the cluster's mean and its K."""

    most: int
    squared: bool
    tile: int
    mean: Array
    neighbours: Array
    rounding: Array


class _Part(NamedTuple):
    """A tile of a cluster: places in `order`, rows of the pool, centred features."""

    rows: Array
    features: Array
    open: Array


class _Best(NamedTuple):
    """The best row so far and its K-th smallest distance."""

    row: Array
    mean_distance: Array
    kth: Array


def most_typical(
    cluster: Cluster, *, most: int = 20, squared: bool = True, tile: int = 512
) -> Typical:
    """Finds the open member with the smallest mean distance to its neighbours.

    The typicality of TypiClust (Hacohen, Dekel & Weinshall 2022, eq. 1) is one over
    this mean. K = min(most, m // 2) for m open members, the row itself not counted.

    Args:
      cluster: at least one open row.
      most: the largest K; static.
      squared: measure squared Euclidean distances, as TypiClust's public code does;
        otherwise plain ones, as its paper writes. Static.
      tile: rows a tile; static.

    Returns:
      `Typical`.

    Example:
      >>> import jax.numpy as jnp
      >>> x = jnp.array([[0.0], [1.0], [2.0], [5.0]])
      >>> every = jnp.ones(4, bool)
      >>> line = Cluster(x, jnp.arange(4), every, jnp.int32(0), jnp.int32(4))
      >>> found = most_typical(line)
      >>> int(found.row), float(found.mean_distance), int(found.neighbours)
      (1, 1.0, 2)
    """
    tiles = -(-cluster.size // tile)
    count, total = _open_total(cluster, tiles, tile)
    mean = total / jnp.maximum(count, 1).astype(total.dtype)
    neighbours = jnp.minimum(most, count // 2).astype(jnp.int32)
    bounds, radius = _radii(cluster, mean, tiles, tile)
    # The error of ||a||^2 + ||b||^2 - 2ab is at most d eps (||a||^2 + ||b||^2).
    eps = float(jnp.finfo(mean.dtype).eps)
    rounding = 2 * (mean.shape[0] + 4) * eps * radius
    settings = _Settings(most, squared, tile, mean, neighbours, rounding)

    nothing = _Best(
        jnp.int32(cluster.order.shape[0]),
        jnp.asarray(jnp.inf, mean.dtype),
        jnp.zeros((), mean.dtype),
    )
    best, bounds, _ = _sort_lowest(cluster, settings, nothing, bounds)
    bounds = _bound(cluster, settings, best, bounds, jnp.where(count > BATCH, tiles, 0))

    def hopeful(state: tuple[_Best, Array, Array]) -> Array:
        best, _, lowest = state
        return lowest <= best.mean_distance * (1 + mean.shape[0] * eps)

    def sort_more(state: tuple[_Best, Array, Array]) -> tuple[_Best, Array, Array]:
        best, bounds, _ = state
        return _sort_lowest(cluster, settings, best, bounds)

    rest = jnp.where(count > BATCH, -jnp.inf, jnp.inf).astype(mean.dtype)
    best, _, _ = jax.lax.while_loop(hopeful, sort_more, (best, bounds, rest))
    return Typical(best.row, best.mean_distance, neighbours)


def _read(cluster: Cluster, begin: Array, size: int) -> _Part:
    """Members `begin .. begin + size` of the cluster; not open past its end."""
    place = begin + jnp.arange(size, dtype=jnp.int32)
    inside = place < cluster.size
    place = jnp.minimum(cluster.start + place, cluster.order.shape[0] - 1)
    rows = cluster.order[place]
    return _Part(rows, cluster.features[rows], inside & cluster.open[rows])


def _centred(cluster: Cluster, settings: _Settings, i: Array) -> _Part:
    """Tile i of the cluster with the cluster's mean subtracted."""
    part = _read(cluster, i * settings.tile, settings.tile)
    return part._replace(features=part.features - settings.mean)


def _open_total(cluster: Cluster, tiles: Array, tile: int) -> tuple[Array, Array]:
    """How many members are open, and their sum."""

    def add(i: Array, done: tuple[Array, Array]) -> tuple[Array, Array]:
        part = _read(cluster, i * tile, tile)
        weight = part.open.astype(part.features.dtype)
        total = jnp.dot(weight, part.features, precision="highest")
        return done[0] + jnp.sum(part.open, dtype=jnp.int32), done[1] + total

    d = cluster.features.shape[1]
    nothing = (jnp.int32(0), jnp.zeros(d, cluster.features.dtype))
    return jax.lax.fori_loop(0, tiles, add, nothing)


def _radii(
    cluster: Cluster, mean: Array, tiles: Array, tile: int
) -> tuple[Array, Array]:
    """Squared distances of the open members to the mean, and the largest.

    By place in the cluster, inf where not open. `[n + tile]`: whole tiles are
    written, and a cluster may hold all n rows.
    """

    def write(i: Array, done: tuple[Array, Array]) -> tuple[Array, Array]:
        part = _read(cluster, i * tile, tile)
        away = jnp.sum(jnp.square(part.features - mean), axis=1)
        largest = jnp.max(jnp.where(part.open, away, 0))
        away = jnp.where(part.open, away, jnp.inf)
        radii = jax.lax.dynamic_update_slice_in_dim(done[0], away, i * tile, 0)
        return radii, jnp.maximum(done[1], largest)

    n = cluster.order.shape[0]
    radii = jnp.full(n + tile, jnp.inf, mean.dtype)
    return jax.lax.fori_loop(0, tiles, write, (radii, jnp.zeros((), mean.dtype)))


def _lowest(bounds: Array, tiles: Array, tile: int) -> tuple[Array, Array]:
    """The BATCH lowest bounds and their places, tile by tile."""

    def merge(i: Array, done: tuple[Array, Array]) -> tuple[Array, Array]:
        values, places = done
        here = jax.lax.dynamic_slice_in_dim(bounds, i * tile, tile)
        where = i * tile + jnp.arange(tile, dtype=jnp.int32)
        top, at = jax.lax.top_k(-jnp.concatenate([values, here]), BATCH)
        return -top, jnp.concatenate([places, where])[at]

    nothing = (jnp.full(BATCH, jnp.inf, bounds.dtype), jnp.zeros(BATCH, jnp.int32))
    return jax.lax.fori_loop(0, tiles, merge, nothing)


def _sort_lowest(
    cluster: Cluster, settings: _Settings, best: _Best, bounds: Array
) -> tuple[_Best, Array, Array]:
    """Sorts the neighbours of the rows with the lowest bounds.

    Returns the better of `best` and those rows, the bounds with theirs set to inf,
    and the lowest of the bounds that remain.
    """
    tiles = -(-cluster.size // settings.tile)
    values, places = _lowest(bounds, tiles, settings.tile)
    rows = cluster.order[
        jnp.minimum(cluster.start + places, cluster.order.shape[0] - 1)
    ]
    distances = _nearest(cluster, settings, rows, tiles)
    counted = jnp.arange(settings.most) < settings.neighbours
    means = jnp.sum(jnp.where(counted, distances, 0), axis=1)
    means = means / jnp.maximum(settings.neighbours, 1).astype(means.dtype)
    means = jnp.where(jnp.isfinite(values), means, jnp.inf)

    least = jnp.minimum(means.min(), best.mean_distance)
    beyond = jnp.int32(cluster.order.shape[0])
    tied = jnp.where((means == least) & jnp.isfinite(values), rows, beyond)
    row = jnp.minimum(
        tied.min(), jnp.where(best.mean_distance == least, best.row, beyond)
    )
    kth = distances[jnp.argmin(tied), jnp.maximum(settings.neighbours - 1, 0)]
    kth = jnp.where(tied.min() == row, kth, best.kth)

    done = jnp.where(jnp.isfinite(values), places, bounds.shape[0])
    bounds = bounds.at[done].set(jnp.inf, mode="drop")
    lowest, _ = _lowest(bounds, tiles, settings.tile)
    return _Best(row, least, kth), bounds, lowest[0]


def _nearest(cluster: Cluster, settings: _Settings, rows: Array, tiles: Array) -> Array:
    """`[BATCH, most]`: ascending distances of rows to their nearest open others.

    The neighbours are found by expanded squared distances and measured entry by
    entry, in ascending order: copies of a row get the same numbers, whatever tile
    they lie in. Missing neighbours are inf.
    """
    features = cluster.features[rows] - settings.mean
    lengths = jnp.sum(jnp.square(features), axis=1)

    def merge(i: Array, done: tuple[Array, Array]) -> tuple[Array, Array]:
        values, others = done
        part = _centred(cluster, settings, i)
        squared = lengths[:, None] + jnp.sum(jnp.square(part.features), axis=1)
        cross = jnp.dot(features, part.features.T, precision="highest")
        squared = squared - 2 * cross
        apart = part.open & (part.rows != rows[:, None])
        squared = jnp.where(apart, squared, jnp.inf)
        here = jnp.broadcast_to(part.rows, squared.shape)
        values = jnp.concatenate([values, squared], axis=1)
        others = jnp.concatenate([others, here], axis=1)
        top, at = jax.lax.top_k(-values, settings.most)
        return -top, jnp.take_along_axis(others, at, axis=1)

    shape = (BATCH, settings.most)
    nothing = (jnp.full(shape, jnp.inf, lengths.dtype), jnp.zeros(shape, jnp.int32))
    found, others = jax.lax.fori_loop(0, tiles, merge, nothing)
    apart = cluster.features[rows][:, None] - cluster.features[others]
    squared = jnp.sum(jnp.square(apart), axis=2)
    squared = jnp.where(jnp.isfinite(found), squared, jnp.inf)
    return jnp.sort(_measure(squared, settings.squared), axis=1)


def _bound(
    cluster: Cluster, settings: _Settings, best: _Best, bounds: Array, tiles: Array
) -> Array:
    """Lower bounds of T for every row whose bound is finite; the rest stay inf."""

    def half(part: _Part, other: _Part, excess: Array) -> Array:
        """`[t]`: sum over `other` of max(0, kth - d), never less than exact."""
        apart = other.open & (part.rows[:, None] != other.rows)
        return jnp.sum(jnp.where(apart, excess, 0), axis=1)

    def pair(b: Array, sums: Array, a: Array, part: _Part) -> Array:
        other = _centred(cluster, settings, b)
        lengths = jnp.sum(jnp.square(part.features), axis=1)[:, None]
        lengths = lengths + jnp.sum(jnp.square(other.features), axis=1)
        cross = jnp.dot(part.features, other.features.T, precision="highest")
        lower = jnp.maximum(lengths - 2 * cross - settings.rounding, 0)
        excess = jnp.maximum(best.kth - _measure(lower, settings.squared), 0)
        sums = _add_at(sums, half(part, other, excess), a * settings.tile)
        mirrored = jnp.where(a < b, half(other, part, excess.T), 0)
        return _add_at(sums, mirrored, b * settings.tile)

    def row_of_tiles(a: Array, sums: Array) -> Array:
        part = _centred(cluster, settings, a)
        return jax.lax.fori_loop(a, tiles, lambda b, s: pair(b, s, a, part), sums)

    sums = jax.lax.fori_loop(0, tiles, row_of_tiles, jnp.zeros_like(bounds))
    # A float32 sum of m non-negative terms is low by at most m eps of itself.
    sums = sums * (1 + cluster.size * float(jnp.finfo(sums.dtype).eps))
    lower = best.kth - sums / jnp.maximum(settings.neighbours, 1).astype(sums.dtype)
    return jnp.where(jnp.isfinite(bounds), lower, jnp.inf)


def _add_at(sums: Array, values: Array, start: Array) -> Array:
    """Adds `values` to the slice of `sums` that begins at `start`."""
    before = jax.lax.dynamic_slice_in_dim(sums, start, values.shape[0])
    return jax.lax.dynamic_update_slice_in_dim(sums, before + values, start, 0)


def _measure(squared: Array, keep_squared: bool) -> Array:
    """Squared distances as they are, or their roots."""
    return squared if keep_squared else jnp.sqrt(squared)
