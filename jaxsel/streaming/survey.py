"""The first pass: lengths of all rows, their sum, and whether all are finite."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.errors import UserError
from jaxsel.selection import magnitudes, seeing
from jaxsel.selection.norm import row_norms
from jaxsel.streaming.plan import GRAIN
from jaxsel.streaming.stream import Stream


class OtherForm(Exception):
    """The rows have to be read in another form: the survey starts again in it.

    Attributes:
      form: for the method, of the rows.
      entries: float64 `[n]`, the largest entries of the rows.
    """

    def __init__(self, form: magnitudes.Form, entries: np.ndarray) -> None:
        super().__init__(form)
        self.form, self.entries = form, entries


class Survey(NamedTuple):
    """What one pass tells.

    Attributes:
      lengths: `[n]`, l1, l2 or linf norms of the rows, in the type of the rows.
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
      UserError: NaN or infinity, named by file and row.
      OtherForm: the rows have to be read in another form.
    """
    if stream.form != magnitudes.Form(1.0, False):
        return _in_form(stream, order)
    lengths = np.empty(stream.n, np.float32)
    bits = np.empty(stream.n, np.int32)
    total, squares = np.zeros(stream.d), 0.0
    for where, rows, found in stream.measured():
        assert found is not None
        bits[where] = found
        told = _measure(rows, order=order)
        lengths[where], sums, square = _on_host(told, where)
        # In float64, or the mean would depend on where blocks end.
        total += sums.sum(axis=0, dtype=np.float64)
        squares += float(square.sum(dtype=np.float64))
    entries = _entries(stream, bits)
    extent = magnitudes.extent_of(entries)
    if stream.entry is not None:
        form = seeing.form_for(stream.entry, extent, stream.options, apart=False)
        if form != stream.form:
            raise OtherForm(form, entries)
    return Survey(lengths, total / stream.n, squares, extent.zero_rows)


def _in_form(stream: Stream, order: float) -> Survey:
    """The same of rows whose magnitudes are known."""
    lengths = np.empty(stream.n, stream.dtype)
    total, squares = np.zeros(stream.d), 0.0
    for where, rows in stream.scan():
        told = _measure(rows, order=order)
        lengths[where], sums, square = _on_host(told, where)
        total += sums.sum(axis=0, dtype=np.float64)
        squares += float(square.sum(dtype=np.float64))
    return Survey(lengths, total / stream.n, squares, stream.zero_rows)


def _entries(stream: Stream, bits: np.ndarray) -> np.ndarray:
    """The largest entries of the rows: float64 `[n]`.

    Raises:
      UserError: a row is not finite.
    """
    pool = stream.pool
    exact = pool.exact()
    read = None if exact is pool else exact.take
    entries = magnitudes.largest_entries(bits, read) * pool.scale
    bad = np.flatnonzero(~np.isfinite(entries))
    if bad.size:
        path, place = pool.file_of(int(bad[0]))
        raise UserError(
            f"expected finite numbers, found NaN or infinity in {bad.size} row(s), "
            f"first in row {place} of {str(path)!r} (row {bad[0]} of the pool): remove "
            "or repair them, or leave them out with --drop-bad (drop_bad=True)"
        )
    return entries


@partial(jax.jit, static_argnames="order")
def _measure(rows: jax.Array, *, order: float) -> tuple[jax.Array, ...]:
    """Norms `[b]`; sums of every GRAIN rows and their squares."""
    parts = rows.reshape(-1, GRAIN, rows.shape[1])
    return (
        row_norms(rows, order),
        jnp.sum(parts, axis=1),
        jnp.sum(jnp.square(parts), axis=(1, 2)),
    )


def _on_host(found: tuple[jax.Array, ...], where: slice) -> tuple[np.ndarray, ...]:
    """In NumPy, without the rows that pad the block."""
    count = where.stop - where.start
    lengths, sums, squares = (np.asarray(value) for value in found)
    return lengths[:count], sums, squares
