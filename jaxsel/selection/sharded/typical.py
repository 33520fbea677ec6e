"""TypiClust's picks from clusters whose rows lie on many devices.

`typicality` finds the most typical member of a stretch of one list. Here a cluster is a
mask, each device bounds and measures its own members, and the rows they are measured
against, a tile at a time, are sent to all of them. The bound, the exact measure and so
the member that is found are those of `typicality`; see there for why they hold.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection import tiles
from jaxsel.selection.sharded import lists, mesh
from jaxsel.selection.typicality import BATCH, SPARE, Typical, as_distance

Array = jax.Array


class _Members(NamedTuple):
    """A cluster's open rows as a device sees them.

    Attributes:
      rows: float `[s, d]`, the device's share of the pool.
      named: the open members of all devices, in row order.
      mean: float `[d]`, of the open members.
      lengths: float `[s]`, squared distances to the mean by place in the device's own
        list; inf past its end.
      neighbours: int32 scalar, K.
      rounding: float scalar, the largest error of an expanded squared distance.
    """

    rows: Array
    named: lists.Listed
    mean: Array
    lengths: Array
    neighbours: Array
    rounding: Array


class _Best(NamedTuple):
    """The best row so far, its mean distance, and its K-th smallest distance."""

    row: Array
    mean_distance: Array
    kth: Array


def most_typical(
    rows: Array, is_open: Array, *, squared: bool, tile: int, most: int = 20
) -> Typical:
    """Finds the open row with the smallest mean distance to its nearest open others.

    Args:
      rows: float32 `[n, d]`, by rows.
      is_open: bool `[n]`, the cluster's rows that may be picked; at least one.
      squared, most: see `typicality.most_typical`.
      tile: rows that are sent at a time, at least `BATCH`.

    Returns:
      `Typical`; its place is the row of the pool, the lowest among equals.
    """

    def part(share: tuple[Array, Array], _: Any) -> Typical:
        members = _members(*share, most, tile)
        far = jnp.asarray(jnp.inf, members.mean.dtype)
        nobody = _Best(jnp.int32(2**31 - 1), far, jnp.zeros_like(far))
        sort = partial(_sort_lowest, members, most, squared, tile)
        best, left, _ = sort(nobody, members.lengths)
        several = members.named.length > BATCH
        bounds = _bounds(members, best, squared, tile, several)
        bounds = jnp.where(jnp.isfinite(left), bounds, jnp.inf)
        eps = rows.shape[1] * float(jnp.finfo(rows.dtype).eps)

        def hopeful(state: tuple[_Best, Array, Array]) -> Array:
            return state[2] <= state[0].mean_distance * (1 + eps)

        # Up to BATCH rows have all been sorted.
        lowest = jnp.where(several, _least(bounds), jnp.inf)
        state = best, bounds, lowest
        best = lax.while_loop(hopeful, lambda s: sort(s[0], s[1]), state)[0]
        return Typical(best.row, best.mean_distance, members.neighbours)

    return mesh.rowwise(part, (rows, is_open), out=mesh.EVERYWHERE)


def _least(values: Array) -> Array:
    return -lax.pmax(-values.min(), mesh.POOL)


def _members(rows: Array, is_open: Array, most: int, tile: int) -> _Members:
    named = lists.listed(is_open)
    d = rows.shape[1]

    def add(state: tuple[Array, Array]) -> tuple[Array, Array]:
        at, summed = state
        _, some = tiles.take_rows(rows, named.ids, at, tile)
        return at + tile, summed + some.sum(axis=0)

    begin = jnp.int32(0), jnp.zeros(d, rows.dtype)
    _, summed = lax.while_loop(lambda s: s[0] < named.mine, add, begin)
    mean = mesh.total(summed) / jnp.maximum(named.length, 1).astype(rows.dtype)

    def length(state: tuple[Array, Array]) -> tuple[Array, Array]:
        at, lengths = state
        ids, some = tiles.take_rows(rows, named.ids, at, tile)
        away = jnp.sum(jnp.square(some - mean), axis=1)
        away = jnp.where(ids < len(rows), away, jnp.inf)
        return at + tile, lax.dynamic_update_slice_in_dim(lengths, away, at, 0)

    begin = jnp.int32(0), jnp.full(len(rows) + tile, jnp.inf, rows.dtype)
    _, lengths = lax.while_loop(lambda s: s[0] < named.mine, length, begin)
    largest = lax.pmax(jnp.max(jnp.where(jnp.isfinite(lengths), lengths, 0)), mesh.POOL)
    neighbours = jnp.minimum(most, named.length // 2).astype(jnp.int32)
    # As in `typicality`: ||a||^2 + ||b||^2 - 2ab errs by d eps (||a||^2 + ||b||^2).
    rounding = 2 * (d + 4) * float(jnp.finfo(rows.dtype).eps) * largest
    return _Members(rows, named, mean, lengths, neighbours, rounding)


def _sort_lowest(
    members: _Members, most: int, squared: bool, tile: int, best: _Best, bounds: Array
) -> tuple[_Best, Array, Array]:
    """Measures the members with the BATCH lowest bounds; see `typicality`."""
    mine, places = lax.top_k(-bounds, min(BATCH, len(bounds)))
    every = lax.all_gather(-mine, mesh.POOL).ravel()
    values, chosen = lax.top_k(-every, BATCH)
    real = jnp.isfinite(values)
    home, rank = chosen // len(mine), chosen % len(mine)
    here = real & (home == lax.axis_index(mesh.POOL))
    place = places[rank]
    ids = members.named.ids[jnp.clip(place, 0, len(members.named.ids) - 1)]
    ids = lists.first_row(members.rows) + ids
    rows = mesh.total(jnp.where(here, ids, 0))
    distances = _nearest(members, rows, most + SPARE, squared, tile)
    counted = jnp.arange(distances.shape[1]) < members.neighbours
    means = jnp.sum(jnp.where(counted, distances, 0), axis=1)
    means = means / jnp.maximum(members.neighbours, 1).astype(means.dtype)
    means = jnp.where(real, means, jnp.inf)

    # The lowest row among equals, here and before.
    least = means.min()
    tied = jnp.where(means == least, rows, 2**31 - 1)
    kth = distances[jnp.argmin(tied), jnp.maximum(members.neighbours - 1, 0)]
    new = _Best(tied.min(), least, kth)
    wins = (least < best.mean_distance) | (
        (least == best.mean_distance) & (new.row < best.row)
    )
    best = jax.tree.map(lambda a, b: jnp.where(wins, a, b), new, best)
    gone = jnp.where(here, place, len(bounds))
    bounds = bounds.at[gone].set(jnp.inf, mode="drop")
    return best, bounds, _least(bounds)


def _nearest(
    members: _Members, wanted_rows: Array, wanted: int, squared: bool, tile: int
) -> Array:
    """`[b, wanted]`: ascending distances of rows to their nearest open others."""
    rows, named = members.rows, members.named
    these = lists.fetch(rows, wanted_rows)
    centred = these - members.mean
    lengths = jnp.sum(jnp.square(centred), axis=1)[:, None]

    def keep(values: Array, at: Array) -> tuple[Array, Array]:
        top, chosen = lax.top_k(-values, wanted)
        return -top, jnp.take_along_axis(at, chosen, axis=1)

    def merge(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        at, values, found = state
        ids, others = tiles.take_rows(rows, named.ids, at, tile)
        ids = lists.first_row(rows) + ids
        away = lax.dynamic_slice_in_dim(members.lengths, at, tile)
        inner = jnp.dot(centred, (others - members.mean).T, precision="highest")
        away = away - 2 * inner + lengths
        away = jnp.where(wanted_rows[:, None] == ids, jnp.inf, away)
        found = jnp.concatenate([found, jnp.broadcast_to(ids, away.shape)], axis=1)
        return at + tile, *keep(jnp.concatenate([values, away], axis=1), found)

    shape = len(wanted_rows), wanted
    begin = jnp.full(shape, jnp.inf, rows.dtype), jnp.zeros(shape, jnp.int32)
    state = jnp.int32(0), *begin
    _, values, found = lax.while_loop(lambda s: s[0] < named.mine, merge, state)
    every = [lax.all_gather(x, mesh.POOL, axis=1, tiled=True) for x in (values, found)]
    values, found = keep(*every)
    apart = these[:, None] - lists.fetch(rows, found)
    away = jnp.sum(jnp.square(apart), axis=2)
    away = jnp.where(jnp.isfinite(values), away, jnp.inf)
    return jnp.sort(as_distance(away, squared), axis=1)


def _bounds(
    members: _Members, best: _Best, squared: bool, tile: int, wanted: Array
) -> Array:
    """Lower bounds of the mean distances by place; inf past the end of the list."""
    rows, named, lengths = members.rows, members.named, members.lengths

    def against(state: tuple[Array, Array]) -> tuple[Array, Array]:
        start, sums = state
        others = lists.stretch(rows, named, start, tile) - members.mean
        real = start + jnp.arange(tile) < named.length
        other_lengths = jnp.sum(jnp.square(others), axis=1)
        other_lengths = jnp.where(real, other_lengths, jnp.inf)

        def own_tile(state: tuple[Array, Array]) -> tuple[Array, Array]:
            at, sums = state
            _, own = tiles.take_rows(rows, named.ids, at, tile)
            inner = jnp.dot(own - members.mean, others.T, precision="highest")
            away = lax.dynamic_slice_in_dim(lengths, at, tile)[:, None] + other_lengths
            lower = as_distance(away - 2 * inner - members.rounding, squared)
            excess = jnp.maximum(best.kth - lower, 0).sum(axis=1)
            return at + tile, tiles.add_slice(sums, at, excess)

        begin = jnp.int32(0), sums
        return start + tile, lax.while_loop(
            lambda s: s[0] < named.mine, own_tile, begin
        )[1]

    # Nothing is bounded where all have been measured.
    end = jnp.where(wanted, named.length, 0)
    begin = jnp.int32(0), jnp.zeros_like(lengths)
    _, sums = lax.while_loop(lambda s: s[0] < end, against, begin)
    eps = float(jnp.finfo(sums.dtype).eps)
    sums = sums * (1 + named.length.astype(sums.dtype) * eps) - best.kth
    bounds = best.kth - sums / jnp.maximum(members.neighbours, 1).astype(sums.dtype)
    return jnp.where(jnp.isfinite(lengths), bounds, jnp.inf)
