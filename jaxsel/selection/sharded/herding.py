"""MaxHerding's passes over a pool that lies on many devices.

`similarity(a, b, bandwidth)` and the points are those of `max_herding`: a tree of
arrays with one entry a row. Zero rows that fill shares and tiles gain nothing.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection.sharded import lists, mesh, pairs

Similarity = Callable[..., jax.Array]


def all_gains(
    similarity: Similarity, points: Any, best: jax.Array, bandwidth, *, tile: int
) -> jax.Array:
    """The gain of every row, summed over the pool: float32 `[n]`, by rows."""

    def visit(a, b, bandwidth):
        similar = similarity(a[0], b[0], bandwidth)
        to_a = jnp.where(b[2], jnp.maximum(similar - b[1], 0), 0)
        to_b = jnp.where(a[2][:, None], jnp.maximum(similar - a[1][:, None], 0), 0)
        return jnp.sum(to_a, axis=1), jnp.sum(to_b, axis=0)

    meeting = pairs.Meeting(visit, jnp.add, 0.0, jnp.float32, tile)
    rows = (points, best, jnp.ones(best.shape, bool))
    return pairs.over_pairs(meeting, rows, bandwidth)[: len(best)]


def some_gains(
    similarity: Similarity,
    points: Any,
    best: jax.Array,
    some: Any,
    bandwidth: jax.Array,
    *,
    tile: int,
) -> jax.Array:
    """The gains of a block of points `some`, which is on all devices: float32 `[b]`."""

    def part(rows, whole):
        some, bandwidth = whole

        def of_tile(tiled):
            points, best, real = tiled
            gained = jnp.maximum(similarity(points, some, bandwidth) - best[:, None], 0)
            return jnp.sum(jnp.where(real[:, None], gained, 0), axis=0)

        return lax.map(of_tile, pairs.tiled(tile, rows))

    rows = (points, best, jnp.ones(best.shape, bool))
    of_tiles = mesh.everywhere(mesh.rowwise(part, rows, (some, bandwidth)))
    # One after the other: the same sum whichever device a tile was on.
    nothing = jnp.zeros(of_tiles.shape[1], jnp.float32)
    return lax.fori_loop(0, len(of_tiles), lambda i, g: g + of_tiles[i], nothing)


def best_of(
    similarity: Similarity,
    points: Any,
    given: jax.Array,
    bandwidth: jax.Array,
    *,
    tile: int,
    block: int,
) -> jax.Array:
    """float32 `[n]`: similarity to the most similar row where `given` holds, or 0."""

    def part(rows, bandwidth):
        points, given = rows
        size = len(given)
        named = lists.listed(given)
        tiles = pairs.tiled(tile, points)

        def nearer(state):
            start, best = state
            some = jax.tree.map(lambda x: lists.stretch(x, named, start, block), points)
            real = start + jnp.arange(block) < named.length

            def of_tile(points):
                similar = similarity(points, some, bandwidth)
                return jnp.max(jnp.where(real, similar, 0.0), axis=1)

            most = lax.map(of_tile, tiles).ravel()[:size]
            return start + block, jnp.maximum(best, most)

        start = jnp.int32(0), jnp.zeros(size, jnp.float32)
        return lax.while_loop(lambda s: s[0] < named.length, nearer, start)[1]

    return mesh.rowwise(part, (points, given), bandwidth)[: len(given)]
