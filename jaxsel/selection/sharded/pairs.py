"""Every pair of rows once, though the two lie on different devices.

The shares go round: after `k` steps a device holds the rows of the device `k` before
it, with what they have found so far on their way. Half of the way round meets every
pair of shares; then what was found goes home in one step. So a device does
`n^2 / (2 D)` pairs and receives half of the pool, a share at a time; it never holds
more than two of them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection.sharded.mesh import POOL, devices, rowwise


class Meeting(NamedTuple):
    """What happens where two tiles of rows meet.

    Attributes:
      visit: `visit(a, b, whole)`, tiles of the rows' arrays; returns what the rows of
        each find in the other: `[tile]` twice.
      merge: the sum or minimum of two findings.
      blank: the finding of a row that has met no other.
      dtype: of findings.
      tile: rows a tile.
    """

    visit: Callable[..., tuple[jax.Array, jax.Array]]
    merge: Callable[..., jax.Array]
    blank: float
    dtype: Any
    tile: int


def over_pairs(meeting: Meeting, rows: Any, whole: Any) -> jax.Array:
    """What every row finds among all rows, itself included.

    Args:
      meeting: of two tiles.
      rows: a tree of arrays `[n, ...]`; zero rows at the end fill tiles and shares, so
        `visit` must find nothing in them.
      whole: small arrays, the same on every device.

    Returns:
      `[m]`, by rows, with zero rows at the end for equal shares.
    """
    count = devices()

    def moved(by: int, x: jax.Array) -> jax.Array:
        return lax.ppermute(x, POOL, [(i, (i + by) % count) for i in range(count)])

    def part(share: Any, whole: Any) -> jax.Array:
        size = len(jax.tree.leaves(share)[0])
        small = meeting._replace(tile=min(meeting.tile, size))
        share = whole_tiles(small.tile, share)
        length = len(jax.tree.leaves(share)[0])
        blank = jnp.full(length, small.blank, small.dtype)

        def next_one(_: Any, state: Any) -> Any:
            found, other, of_other = state
            other, of_other = jax.tree.map(partial(moved, 1), (other, of_other))
            found, of_other = _meet(small, share, other, found, of_other, whole)
            return found, other, of_other

        found = _meet_own(small, share, blank, whole)
        steps = (count - 1) // 2
        state = found, share, blank
        found, other, of_other = lax.fori_loop(0, steps, next_one, state)
        found = small.merge(found, moved(-steps, of_other))
        if count % 2 == 0:  # The share opposite is met from both sides.
            other = jax.tree.map(partial(moved, 1), other)
            found, _ = _meet(small, share, other, found, blank, whole)
        return found[:size]

    return rowwise(part, rows, whole)


def _meet_own(meeting: Meeting, share: Any, found: jax.Array, whole: Any) -> jax.Array:
    """A share with itself, each pair of tiles once."""
    tiles = len(found) // meeting.tile

    def one(i: jax.Array, j: jax.Array, found: jax.Array) -> jax.Array:
        to_a, to_b = meeting.visit(
            _tile(meeting, share, i), _tile(meeting, share, j), whole
        )
        found = _merged(meeting, found, i, to_a)
        # On the diagonal the two are the same pairs.
        to_b = jnp.where(i == j, jnp.asarray(meeting.blank, meeting.dtype), to_b)
        return _merged(meeting, found, j, to_b)

    def from_tile(i: jax.Array, found: jax.Array) -> jax.Array:
        return lax.fori_loop(i, tiles, lambda j, found: one(i, j, found), found)

    return lax.fori_loop(0, tiles, from_tile, found)


def _meet(
    meeting: Meeting, share: Any, other: Any, found: Any, of_other: Any, whole: Any
) -> tuple[jax.Array, jax.Array]:
    """Two different shares."""
    tiles = len(found) // meeting.tile

    def one(place: jax.Array, state: tuple[jax.Array, jax.Array]) -> Any:
        found, of_other = state
        i, j = place // tiles, place % tiles
        to_a, to_b = meeting.visit(
            _tile(meeting, share, i), _tile(meeting, other, j), whole
        )
        return _merged(meeting, found, i, to_a), _merged(meeting, of_other, j, to_b)

    return lax.fori_loop(0, tiles * tiles, one, (found, of_other))


def _tile(meeting: Meeting, share: Any, i: jax.Array) -> Any:
    start = i * meeting.tile
    return jax.tree.map(
        lambda x: lax.dynamic_slice_in_dim(x, start, meeting.tile), share
    )


def _merged(
    meeting: Meeting, found: jax.Array, i: jax.Array, more: jax.Array
) -> jax.Array:
    start = i * meeting.tile
    old = lax.dynamic_slice_in_dim(found, start, meeting.tile)
    return lax.dynamic_update_slice_in_dim(found, meeting.merge(old, more), start, 0)


def whole_tiles(tile: int, rows: Any) -> Any:
    """A tree of arrays `[s, ...]` with zero rows at the end, up to whole tiles."""

    def padded(x: jax.Array) -> jax.Array:
        return jnp.pad(x, ((0, -len(x) % tile), *[(0, 0)] * (x.ndim - 1)))

    return jax.tree.map(padded, rows)


def tiled(tile: int, rows: Any) -> Any:
    """A tree of arrays `[s, ...]` as `[tiles, tile, ...]`, filled up with zero rows."""
    tile = min(tile, len(jax.tree.leaves(rows)[0]))
    return jax.tree.map(
        lambda x: x.reshape(-1, tile, *x.shape[1:]), whole_tiles(tile, rows)
    )
