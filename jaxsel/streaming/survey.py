"""The first pass: lengths of all rows, their sum, and whether all are finite."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.errors import UserError
from jaxsel.selection.norm import row_norms
from jaxsel.streaming.plan import GRAIN
from jaxsel.streaming.stream import Stream

# Largest entries of a pool whose squares float32 can hold, for any sensible width.
SMALL, LARGE = 1e-12, 1e12


class Survey(NamedTuple):
    """What one pass tells.

    Attributes:
      lengths: float32 `[n]`, l1, l2 or linf norms of the rows.
      mean: float64 `[d]`, of all rows.
      squares: the sum of the rows' squared entries.
      zero_rows: how many rows are zero.
    """

    lengths: np.ndarray
    mean: np.ndarray
    squares: float
    zero_rows: int


def survey(stream: Stream, order: float = 2.0) -> Survey:
    """Reads the pool once.

    Args:
      stream: the pool.
      order: of the norms, one of 1, 2, inf.

    Raises:
      UserError: NaN or infinity, named by file and row; numbers whose squares float32
        cannot hold.
    """
    lengths = np.empty(stream.n, np.float32)
    total, squares = np.zeros(stream.d), 0.0
    zero_rows, highest = 0, 0.0
    for where, rows in stream.scan():
        found = _measure(rows, order=order)
        lengths[where], largest, sums, square = _on_host(found, where)
        bad = np.flatnonzero(~np.isfinite(largest))
        if bad.size:
            path, place = stream.pool.file_of(where.start + int(bad[0]))
            raise UserError(
                f"expected finite numbers, found NaN or infinity in row {place} of "
                f"{str(path)!r} (row {where.start + bad[0]} of the pool): remove or "
                "repair it"
            )
        highest = max(highest, float(largest.max()))
        zero_rows += int(np.sum(largest == 0))
        # In float64, or the mean would depend on where blocks end.
        total += sums.sum(axis=0, dtype=np.float64)
        squares += float(square.sum(dtype=np.float64))
    if highest != 0 and not SMALL < highest < LARGE:
        raise UserError(
            f"expected numbers between {SMALL:g} and {LARGE:g}, whose squares float32 "
            f"can hold, found {highest:g}: open the pool with scale="
            f"{2.0 ** -np.floor(np.log2(highest)):g}"
        )
    return Survey(lengths, total / stream.n, squares, zero_rows)


@partial(jax.jit, static_argnames="order")
def _measure(rows: jax.Array, *, order: float) -> tuple[jax.Array, ...]:
    """Norms and largest entries `[b]`; sums of every GRAIN rows and their squares."""
    parts = rows.reshape(-1, GRAIN, rows.shape[1])
    return (
        row_norms(rows, order),
        jnp.max(jnp.abs(rows), axis=1),
        jnp.sum(parts, axis=1),
        jnp.sum(jnp.square(parts), axis=(1, 2)),
    )


def _on_host(found: tuple[jax.Array, ...], where: slice) -> tuple[np.ndarray, ...]:
    """In NumPy, without the rows that pad the block."""
    count = where.stop - where.start
    lengths, largest, sums, squares = (np.asarray(value) for value in found)
    return lengths[:count], largest[:count], sums, squares
