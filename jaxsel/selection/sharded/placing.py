"""A pool's rows on the devices of a mesh, each process reading its own only."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding

from jaxsel.selection import magnitudes, validate
from jaxsel.selection.sharded.mesh import BY_ROWS, EVERYWHERE


class Placed(NamedTuple):
    """Rows over a mesh.

    Attributes:
      rows: float32 `[m, d]`, `m` the least multiple of the devices from `n`; rows from
        `n` on are zero and belong to no pool.
      n: how many rows the pool has.
      entries: float64 `[n]`, as `validate.Features`, in the order of the rows.
      given: the array that they were read from.
    """

    rows: jax.Array
    n: int
    entries: np.ndarray
    given: Any


def place(features: Any, mesh: Mesh, order: np.ndarray | None = None) -> Placed:
    """Lays the rows of an array over a mesh, in equal shares.

    Every process calls it with the same array (or the same file, memory-mapped) and
    reads the rows of its own devices, one share at a time.

    Args:
      features: what `validate.as_features` takes.
      mesh: of `pool_mesh`.
      order: int `[n]`, the rows in the order wanted; None for as they are.

    Raises:
      UserError: what `validate.as_features` refuses.
    """
    array = validate.as_matrix(features)
    if isinstance(array, jax.Array):
        array = np.asarray(array)
    n, d = array.shape
    rows = spread(array, mesh, order, lambda part, _: part, d, np.float32)
    bits = np.asarray(_row_bits(mesh)(rows))[:n]
    read = validate.reader_of(array)
    if read is not None and order is not None:
        reader, places = read, order
        read = lambda some: reader(places[some])  # noqa: E731
    entries = magnitudes.largest_entries(bits, read)
    bad = np.flatnonzero(~np.isfinite(entries))
    if bad.size and order is not None:
        bad = np.sort(order[bad])
    validate.refuse_not_finite(bad)
    return Placed(rows, n, entries, array)


def spread(
    array: np.ndarray,
    mesh: Mesh,
    order: np.ndarray | None,
    rows_of: Callable[[np.ndarray, slice], np.ndarray],
    width: int,
    dtype: Any,
) -> jax.Array:
    """What becomes of an array's rows, in equal shares over a mesh.

    Args:
      array: `[n, d]`.
      mesh: of `pool_mesh`.
      order: the rows in the order wanted; None for as they are.
      rows_of: `(rows, where)`, some rows and their places in that order, to
        `[m, width]`.
      width: numbers a row.
      dtype: of the result.
    """
    n = array.shape[0]
    m = -(-n // mesh.size) * mesh.size

    def share(index: Any) -> np.ndarray:
        start, stop, _ = index[0].indices(m)
        rows = np.zeros((stop - start, width), dtype)
        end = min(stop, n)
        if start < end:
            which: Any = slice(start, end) if order is None else order[start:end]
            with np.errstate(over="ignore"):  # What float32 cannot hold becomes inf.
                rows[: end - start] = rows_of(array[which], slice(start, end))
        return rows

    sharding = NamedSharding(mesh, BY_ROWS)
    return jax.make_array_from_callback((m, width), sharding, share)


class Rows:
    """Placed rows that are read by number, as NumPy arrays on the host.

    Attributes:
      shape: `(n, d)`.
    """

    def __init__(self, rows: jax.Array, n: int, mesh: Mesh) -> None:
        self.shape = (n, rows.shape[1])
        self._rows = rows
        self._take = _taker(mesh)

    def __getitem__(self, ids: np.ndarray) -> np.ndarray:
        return np.asarray(self._take(self._rows, np.asarray(ids, np.int32)))


@functools.cache
def _taker(mesh: Mesh) -> Any:
    whole, by_rows = NamedSharding(mesh, EVERYWHERE), NamedSharding(mesh, BY_ROWS)
    return jax.jit(
        lambda rows, ids: rows[ids], in_shardings=(by_rows, whole), out_shardings=whole
    )


@functools.cache
def _row_bits(mesh: Mesh) -> Any:
    mine = jax.shard_map(
        magnitudes.row_bits,
        mesh=mesh,
        in_specs=BY_ROWS,
        out_specs=BY_ROWS,
        check_vma=False,
    )
    return jax.jit(mine, out_shardings=NamedSharding(mesh, EVERYWHERE))
