"""Greedy k-means++: where Lloyd's iteration starts, one far-away row at a time."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection.sampling import proportional, spread
from jaxsel.selection.sharded import mesh

Array = jax.Array

CENTRED = 4096


class Pool(NamedTuple):
    """The rows a clustering sees.

    Attributes:
      x: float `[n, d]`, the rows minus their mean: expanded squared distances cancel
        when rows share a large offset. Zero where not valid.
      lengths: float `[n]`, their squared lengths.
      valid: bool `[n]`, rows that take part; the others weigh nothing.
      mean: float `[d]`, what was subtracted: that of at most `CENTRED` of them.
    """

    x: Array
    lengths: Array
    valid: Array
    mean: Array


def make_pool(x: Array, valid: Array) -> Pool:
    """Centres the valid rows and measures them; copies `x` once.

    The centre need not be the mean of all: that of some of them does not depend on
    how many devices there are.
    """
    some = spread(len(x), CENTRED) if len(x) > CENTRED else slice(None)
    weight, rows = mesh.everywhere((valid[some].astype(x.dtype), x[some]))
    total = jnp.dot(weight, rows, precision="highest")
    # Fused into its uses, the division may round differently in each of them.
    mean = jax.lax.optimization_barrier(total / jnp.maximum(weight.sum(), 1))
    centred = jnp.where(valid[:, None], x - mean, 0)
    return Pool(centred, jnp.sum(jnp.square(centred), axis=1), valid, mean)


class Start(NamedTuple):
    """The chosen seeds.

    Attributes:
      centres: float `[k, d]`, centred rows; zero where unused.
      used: bool `[k]`. False for the surplus when the pool has fewer distinct rows
        than seeds were asked for.
    """

    centres: Array
    used: Array


class _Seeding(NamedTuple):
    """Loop state: the seeds so far and every row's D² to the nearest of them."""

    start: Start
    closest: Array


def greedy_start(key: Array, pool: Pool, count: Array, *, k: int) -> Start:
    """Chooses `count` seeds, each the best of several candidates.

    With D(x) the distance of row x to the nearest seed so far, a step draws
    `2 + floor(log count)` candidate rows with probability proportional to D(x)² and
    keeps the one that leaves the smallest sum of D². Drawing a single candidate, the
    plain k-means++ of Arthur & Vassilvitskii (2007), ends 5 to 20 % higher in
    inertia; drawing several is the greedy variant of their section 6, which
    scikit-learn runs too.

    A squared distance within its rounding error of zero counts as zero, so a copy of
    a seed is never a second seed: with fewer distinct rows than `count`, the surplus
    stays unused.

    Args:
      key: PRNG key.
      pool: the rows, `[n, d]`.
      count: int32 scalar, seeds wanted, at most `k`.
      k: room for seeds.

    Returns:
      `Start` with centred seeds.
    """
    d = pool.x.shape[1]
    room = 2 + int(math.log(k))
    trials = 2 + jnp.floor(jnp.log(count.astype(jnp.float32))).astype(jnp.int32)

    def step(t: Array, state: _Seeding) -> _Seeding:
        tried = jnp.arange(room) < jnp.where(t == 0, 1, trials)
        return _step(jax.random.fold_in(key, t), pool, state, t, tried)

    state = _Seeding(
        Start(jnp.zeros((k, d), pool.x.dtype), jnp.zeros(k, bool)),
        jnp.where(pool.valid, jnp.inf, 0).astype(pool.x.dtype),
    )
    return jax.lax.fori_loop(0, jnp.minimum(count, k), step, state).start


def _step(key: Array, pool: Pool, state: _Seeding, t: Array, tried: Array) -> _Seeding:
    """Draws candidates and adds as seed t the tried one that leaves the least D²."""
    start, closest = state
    # Before the first seed D is infinite everywhere and the draw uniform.
    weights = jnp.where(jnp.isinf(closest), 1, closest)
    # One pair a candidate: room for more candidates changes none of the first.
    uniforms = jax.random.uniform(key, (tried.shape[0], 2), weights.dtype)
    rows = proportional(uniforms.T, weights)
    # A weight of zero marks a copy of a seed. Such a row is drawn when nothing else
    # is left, and may be when partial sums round.
    tried = tried & (weights[rows] > 0)
    columns = jnp.minimum(_squared_distances(pool, rows), closest)
    best = jnp.argmin(jnp.where(tried, columns.sum(axis=1), jnp.inf))
    found = tried[best]
    start = Start(
        start.centres.at[t].set(jnp.where(found, mesh.row(pool.x, rows[best]), 0)),
        start.used.at[t].set(found),
    )
    return _Seeding(start, jnp.where(found, columns[best], closest))


def _squared_distances(pool: Pool, rows: Array) -> Array:
    """`[c, n]`: from each of c rows to all; exactly 0 to copies of the row."""
    lengths = pool.lengths + pool.lengths[rows][:, None]
    squared = lengths - 2 * jnp.dot(pool.x[rows], pool.x.T, precision="highest")
    # An inner product of d terms errs by at most d u |a||b|, u = eps / 2, and the
    # lengths likewise; 2 |a||b| <= |a|^2 + |b|^2.
    error = pool.x.shape[1] * float(jnp.finfo(pool.x.dtype).eps)
    return jnp.where(squared > error * lengths, squared, 0)
