"""k-means: greedy k-means++ start, Lloyd's iteration, best of several restarts."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection.seeding import (
    Pool,
    Start,
    greedy_start,
    make_pool,
)
from jaxsel.selection.sharded import mesh, tiling

Array = jax.Array


class KMeans(NamedTuple):
    """A clustering.

    Attributes:
      centres: float `[k, d]`; meaningless where `used` is False.
      used: bool `[k]`. False for the surplus of a pool with fewer than k distinct
        rows, whose clusters stay empty.
      assignments: int32 `[n]`, the nearest used centre (lowest at a tie); -1 for rows
        that are not valid.
      inertia: float scalar, the sum of squared distances to the assigned centres,
        from differences: rows that are copies of their centre add next to nothing.
      history: float `[max_iters + 1]`, the inertia at each iteration's assignment,
        then the final one repeated: a non-increasing sequence, up to rounding.
      iterations: int32 scalar, how often the centres moved.
    """

    centres: Array
    used: Array
    assignments: Array
    inertia: Array
    history: Array
    iterations: Array


@partial(jax.jit, static_argnames=("k", "n_init", "max_iters", "tol", "tile"))
def kmeans(
    key: Array,
    x: Array,
    *,
    k: int,
    count: Array | None = None,
    valid: Array | None = None,
    n_init: int = 1,
    max_iters: int = 300,
    tol: float = 1e-4,
    tile: int = 4096,
) -> KMeans:
    """Clusters the rows of `x` around `k` centres.

    Looks for centres c and assignments a with a small inertia
    sum_i ||x_i - c_{a_i}||². From each of `n_init` greedy k-means++ starts, Lloyd's
    iteration (1982) alternates

        a_i = argmin_j ||x_i - c_j||²,      c_j = mean of {x_i : a_i = j},

    neither of which can raise the inertia, until no assignment changes, or the
    centres move by at most `tol` times the mean variance of a column (squared, summed
    over centres; scikit-learn's rule), or `max_iters` is reached. A centre that loses
    its last row is put on the row farthest from its own centre, one an iteration. The
    restart with the smallest inertia is returned.

    One assignment is a product `[k, d] x [d, tile]`, 2 n k d flops over all tiles.
    Beside `x` memory holds one centred copy of it, O(n log k) for the start and
    O(n + tile k + k d) after.

    Args:
      key: PRNG key.
      x: float `[n, d]`, finite.
      k: room for centres; static.
      count: int32 scalar, centres wanted, at most `k` (the default). Unlike `k` it
        may change without a new compilation.
      valid: bool `[n]`; rows that take part, all by default.
      n_init: restarts.
      max_iters: moves of the centres a restart.
      tol: relative tolerance on the movement of the centres; 0 for strict.
      tile: rows a tile.

    Returns:
      `KMeans`.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> x = jnp.array([[0.0], [1.0], [10.0], [11.0]])
      >>> found = kmeans(jax.random.key(0), x, k=2)
      >>> print(round(float(found.inertia), 4), sorted(found.centres[:, 0].tolist()))
      1.0 [0.5, 10.5]
    """
    n = x.shape[0]
    valid = jnp.ones(n, bool) if valid is None else valid
    count = jnp.int32(k) if count is None else jnp.asarray(count, jnp.int32)
    tile = min(tile, n)
    pool = make_pool(x, valid)
    rows = jnp.maximum(valid.sum(), 1)
    threshold = (
        tol * mesh.everywhere(pool.lengths).sum() / (rows * x.shape[1]).astype(x.dtype)
    )

    def better(best: KMeans, key_restart: Array) -> tuple[KMeans, None]:
        start = greedy_start(key_restart, pool, count, k=k)
        found = _lloyd(pool, start, threshold, max_iters, tile)
        wins = found.inertia < best.inertia
        return jax.tree.map(partial(jnp.where, wins), found, best), None

    none = KMeans(
        jnp.zeros((k, x.shape[1]), x.dtype),
        jnp.zeros(k, bool),
        jnp.full(n, -1, jnp.int32),
        jnp.asarray(jnp.inf, x.dtype),
        jnp.zeros(max_iters + 1, x.dtype),
        jnp.int32(0),
    )
    best, _ = jax.lax.scan(better, none, jax.random.split(key, n_init))
    return best._replace(centres=best.centres + pool.mean)


class _Assignment(NamedTuple):
    """One pass over the pool: who goes where, and what the new means need."""

    labels: Array
    squared: Array
    sums: Array
    counts: Array


def _assign_on_mesh(
    rows: tuple[Array, Array, Array], n: int, mean: Array, start: Start, tile: int
) -> _Assignment:
    """`_assign` by every device for its own tiles `rows`, summed in their order."""

    def part(rows: tuple[Array, Array, Array], whole: tuple[Array, Start]):
        tiles = jax.tree.map(lambda x: x.reshape(-1, tile, *x.shape[1:]), rows)
        mean, start = whole
        found = jax.lax.map(
            lambda x: _assign(Pool(x[0], x[1], x[2], mean), start, tile), tiles
        )
        return _Assignment(
            found.labels.ravel(),
            found.squared.ravel(),
            tiling.ordered_total(found.sums),
            mesh.total(found.counts.sum(axis=0)),
        )

    out: Any = (mesh.BY_ROWS, mesh.BY_ROWS, mesh.EVERYWHERE, mesh.EVERYWHERE)
    found = mesh.rowwise(part, rows, (mean, start), out=_Assignment(*out))
    labels, squared = mesh.everywhere((found.labels, found.squared))
    return found._replace(labels=labels[:n], squared=squared[:n])


def _assign(pool: Pool, start: Start, tile: int) -> _Assignment:
    """Sends every row to its nearest used centre and adds up the clusters."""
    n, d = pool.x.shape
    k = start.used.shape[0]
    half = 0.5 * jnp.sum(jnp.square(start.centres), axis=1)
    half = jnp.where(start.used, half, jnp.inf)[:, None]

    def one_tile(i: Array, done: _Assignment) -> _Assignment:
        # The last tile is moved back to end at row n; rows that an earlier tile has
        # held are not added again.
        begin = jnp.asarray(i * tile, jnp.int32)
        at = jnp.minimum(begin, n - tile)
        read = partial(jax.lax.dynamic_slice_in_dim, start_index=at, slice_size=tile)
        write = partial(jax.lax.dynamic_update_slice_in_dim, start_index=at, axis=0)
        rows, valid = read(pool.x), read(pool.valid)
        # ||x - c||^2 = ||x||^2 + 2 score; the first term does not compare.
        score = half - jnp.dot(start.centres, rows.T, precision="highest")
        least = score.min(axis=0)
        # A minimum and a comparison take a third of the time of an argmin on a CPU.
        places = jnp.arange(k, dtype=jnp.int32)[:, None]
        label = jnp.where(score == least, places, k).min(axis=0)
        squared = jnp.maximum(read(pool.lengths) + 2 * least, 0)
        fresh = valid & (at + jnp.arange(tile, dtype=jnp.int32) >= begin)
        sums, counts = _add_up(label, rows, fresh, k)
        return _Assignment(
            write(done.labels, jnp.where(valid, label, -1)),
            write(done.squared, jnp.where(valid, squared, 0)),
            done.sums + sums,
            done.counts + counts,
        )

    empty = _Assignment(
        jnp.full(n, -1, jnp.int32),
        jnp.zeros(n, pool.x.dtype),
        jnp.zeros((k, d), pool.x.dtype),
        jnp.zeros(k, jnp.int32),
    )
    return jax.lax.fori_loop(0, -(-n // tile), one_tile, empty)


def _add_up(label: Array, rows: Array, fresh: Array, k: int) -> tuple[Array, Array]:
    """Sums and counts of each cluster's rows in one tile.

    A CPU adds rows one by one six times faster than it multiplies by a one-hot
    matrix; on an accelerator the product is fast and, unlike atomic additions, adds
    in the same order every time.
    """
    spare = jnp.where(fresh, label, k)

    def scatter(spare, rows):
        return jax.ops.segment_sum(rows, spare, num_segments=k + 1)[:k]

    def multiply(spare, rows):
        one_hot = (spare[:, None] == jnp.arange(k)).astype(rows.dtype)
        return jnp.dot(one_hot.T, rows, precision="highest")

    sums = jax.lax.platform_dependent(spare, rows, cpu=scatter, default=multiply)
    ones = jnp.ones_like(spare)
    return sums, jax.ops.segment_sum(ones, spare, num_segments=k + 1)[:k]


class _Lloyd(NamedTuple):
    """Loop state of Lloyd's iteration; `labels` belong to `start` once `done`."""

    start: Start
    labels: Array
    history: Array
    iterations: Array
    settled: Array
    done: Array


def _lloyd(
    pool: Pool, start: Start, threshold: Array, max_iters: int, tile: int
) -> KMeans:
    """Moves the centres until they settle, then assigns once more; all centred."""
    assign = partial(_assign, pool, tile=tile)
    if mesh.on_mesh():
        rows = tiling.whole_tiles(tuple(pool[:3]), len(pool.x), tile)
        assign = partial(_assign_on_mesh, rows, len(pool.x), pool.mean, tile=tile)

    def assign_and_move(state: _Lloyd) -> _Lloyd:
        done = state.settled | (state.iterations == max_iters)
        found = assign(state.start)
        means, reseeded = _means(pool, state.start, found)
        centres = jnp.where(done, state.start.centres, means)
        shift = jnp.sum(jnp.square(centres - state.start.centres))
        same = jnp.all(found.labels == state.labels)
        return _Lloyd(
            Start(centres, state.start.used),
            found.labels,
            state.history.at[state.iterations].set(found.squared.sum()),
            state.iterations + ~done,
            (same | (shift <= threshold)) & ~reseeded,
            done,
        )

    state = _Lloyd(
        start,
        jnp.full(pool.x.shape[0], -2, jnp.int32),
        jnp.zeros(max_iters + 1, pool.x.dtype),
        jnp.int32(0),
        jnp.array(False),
        jnp.array(False),
    )
    end = jax.lax.while_loop(lambda state: ~state.done, assign_and_move, state)
    inertia = _inertia(pool, end.start.centres, end.labels)
    history = jnp.where(
        jnp.arange(max_iters + 1) < end.iterations, end.history, inertia
    )
    centres, used = end.start
    return KMeans(centres, used, end.labels, inertia, history, end.iterations)


def _inertia(pool: Pool, centres: Array, labels: Array) -> Array:
    """The sum of squared distances of the valid rows to their own centres.

    Half of ||c||² - x·c, by which centres are compared, loses about d eps ||x||² of
    each distance. Entry by entry nothing cancels: rows that coincide with their centre
    add next to nothing, on every processor, and one pass of 3 n d flops is cheap.
    """
    apart = pool.x - centres[jnp.maximum(labels, 0)]
    squared = jnp.sum(jnp.square(apart), axis=1)
    return mesh.everywhere(jnp.where(labels >= 0, squared, 0)).sum()


def _means(pool: Pool, start: Start, found: _Assignment) -> tuple[Array, Array]:
    """New centres, and whether an empty cluster was given the farthest row."""
    empty = start.used & (found.counts == 0)
    target = jnp.argmax(empty)
    far = jnp.argmax(found.squared)
    home = found.labels[far]
    row = mesh.row(pool.x, far)
    # Rows this near to their centre are copies of it, up to rounding: the difference
    # is taken entry by entry, so it does not cancel.
    away = jnp.sum(jnp.square(row - start.centres[home]))
    copies = 4 * jnp.finfo(row.dtype).eps * pool.lengths[far]
    reseed = empty.any() & (away > copies)

    sums = found.sums.at[home].add(jnp.where(reseed, -row, 0))
    sums = sums.at[target].add(jnp.where(reseed, row, 0))
    counts = found.counts.at[home].add(-reseed.astype(jnp.int32))
    counts = counts.at[target].add(reseed.astype(jnp.int32))
    means = sums / jnp.maximum(counts, 1)[:, None].astype(sums.dtype)
    return jnp.where((counts > 0)[:, None], means, start.centres), reseed
