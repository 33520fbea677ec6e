"""Rows named by position, fetched from whichever devices hold them.

Within `mesh.rowwise` only: a device sees its own share, `s` rows of equal number on
all of them, and row `r` of the pool is row `r - s p` of device `p`. A fetched row comes
from one device and is added to zeros from the others, so it arrives as it is.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsel.selection.sharded.mesh import POOL, total


class Listed(NamedTuple):
    """Some of the pool's rows, in one list that goes from device to device.

    Attributes:
      ids: int32 `[s]`, a device's own ones first, as rows of its share; then `s`.
      mine: int32 scalar, how many those are.
      first: int32 scalar, where they begin in the list.
      length: int32 scalar, the length of the list; the same on all devices.
    """

    ids: jax.Array
    mine: jax.Array
    first: jax.Array
    length: jax.Array


def listed(mask: jax.Array) -> Listed:
    """The rows where `mask` holds, bool `[s]` on each device."""
    size = mask.shape[0]
    ids = jnp.nonzero(mask, size=size, fill_value=size)[0].astype(jnp.int32)
    mine = jnp.sum(mask, dtype=jnp.int32)
    all_counts = lax.all_gather(mine, POOL)
    before = jnp.arange(all_counts.shape[0]) < lax.axis_index(POOL)
    first = jnp.sum(jnp.where(before, all_counts, 0))
    return Listed(ids, mine, first, jnp.sum(all_counts))


def stretch(rows: jax.Array, named: Listed, start: jax.Array, size: int) -> jax.Array:
    """Rows `start … start + size` of a list, on every device; zeros past its end.

    Args:
      rows: `[s, ...]` on each device.
      named: which of them.
      start: int32 scalar.
      size: how many, static.
    """
    place = start + jnp.arange(size, dtype=jnp.int32) - named.first
    here = (place >= 0) & (place < named.mine)
    ids = named.ids[jnp.clip(place, 0, len(named.ids) - 1)]
    return _sent(rows, ids, here)


def fetch(rows: jax.Array, ids: jax.Array) -> jax.Array:
    """The pool's rows `ids`, int32 of any shape, on every device; zeros beyond it."""
    place = ids - first_row(rows)
    return _sent(rows, place, (place >= 0) & (place < len(rows)))


def first_row(rows: jax.Array) -> jax.Array:
    """Which row of the pool a device's first one is."""
    return lax.axis_index(POOL).astype(jnp.int32) * len(rows)


def _sent(rows: jax.Array, place: jax.Array, here: jax.Array) -> jax.Array:
    found = rows[jnp.clip(place, 0, len(rows) - 1)]
    here = here.reshape(here.shape + (1,) * (found.ndim - here.ndim))
    return total(jnp.where(here, found, jnp.zeros_like(found)))
