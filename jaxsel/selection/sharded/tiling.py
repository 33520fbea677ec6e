"""Sums over the pool in one order, whatever the number of devices.

A float sum depends on its order, and k-means on the last bit of its sums: where
clusters are not well apart, one row that changes sides moves all centres in the end.
So the pool is cut into the tiles of one device, each on one device whole, and what the
tiles add up to is added one after the other, from the first tile to the last.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection.sharded.mesh import POOL, devices, rowwise, total


def whole_tiles(rows: Any, n: int, tile: int) -> Any:
    """Moves rows so that every tile of the pool lies on one device.

    Args:
      rows: a tree of arrays `[n, ...]`.
      n: how many.
      tile: rows a tile; tile `t` begins at row `t * tile`.

    Returns:
      The same arrays as `[m, ...]` in equal shares of whole tiles, zero rows at the
      end. The last devices' shares may hold no row of the pool.
    """
    count = devices()
    share = -(-n // count)
    tiles = -(-n // tile)
    wanted = -(-tiles // count) * tile
    # Device p wants rows from p * wanted on, and has some from p * share on: those it
    # lacks lie on devices after it, so many places away.
    reach = {
        other - p
        for p in range(count)
        for other in range(p, count)
        if p * wanted < min(n, (other + 1) * share)
        and other * share < min(n, (p + 1) * wanted)
    }

    def part(mine: Any, _: Any) -> Any:
        here = lax.axis_index(POOL)
        at = here * wanted + jnp.arange(wanted, dtype=jnp.int32)

        def collected(x: jax.Array) -> jax.Array:
            found = jnp.zeros((wanted, *x.shape[1:]), x.dtype)
            for away in sorted(reach):
                to = [((p + away) % count, p) for p in range(count)]
                other = lax.ppermute(x, POOL, to) if away else x
                place = at - (here + away) * share
                held = (place >= 0) & (place < share) & (here + away < count)
                held = held.reshape(held.shape + (1,) * (x.ndim - 1))
                some = other[jnp.clip(place, 0, share - 1)]
                found = jnp.where(held, some, found)
            return found

        return jax.tree.map(collected, mine)

    return rowwise(part, rows)


def ordered_total(of_tiles: jax.Array) -> jax.Array:
    """Within `rowwise`: the sum of `[tiles, ...]` of all devices, first to last."""

    def add_mine(summed: jax.Array) -> jax.Array:
        return lax.fori_loop(0, len(of_tiles), lambda i, s: s + of_tiles[i], summed)

    def with_device(p: jax.Array, summed: jax.Array) -> jax.Array:
        mine = lax.axis_index(POOL) == p
        summed = lax.cond(mine, add_mine, lambda summed: summed, summed)
        return total(jnp.where(mine, summed, jnp.zeros_like(summed)))

    nothing = jnp.zeros_like(of_tiles[0])
    return lax.fori_loop(0, lax.axis_size(POOL), with_device, nothing)
