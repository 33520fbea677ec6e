"""A pool's rows on the devices of a mesh, each process reading its own only."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding

from jaxsel.selection import validate
from jaxsel.selection.sharded.mesh import BY_ROWS, EVERYWHERE


class Placed(NamedTuple):
    """Rows over a mesh.

    Attributes:
      rows: float32 `[m, d]`, `m` the least multiple of the devices from `n`; rows from
        `n` on are zero and belong to no pool.
      n: how many rows the pool has.
      zero_rows, scale: as `validate.as_features` returns them.
    """

    rows: jax.Array
    n: int
    zero_rows: int
    scale: float


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
    n, d = array.shape
    if isinstance(array, jax.Array):
        array = np.asarray(array)
    m = -(-n // mesh.size) * mesh.size

    def share(index: Any) -> np.ndarray:
        start, stop, _ = index[0].indices(m)
        rows = np.zeros((stop - start, d), np.float32)
        end = min(stop, n)
        if start < end:
            which: Any = slice(start, end) if order is None else order[start:end]
            with np.errstate(over="ignore"):  # What float32 cannot hold becomes inf.
                rows[: end - start] = array[which]
        return rows

    rows = jax.make_array_from_callback((m, d), NamedSharding(mesh, BY_ROWS), share)
    largest = np.asarray(_row_max(mesh)(rows))[:n]
    bad = np.flatnonzero(~np.isfinite(largest))
    if bad.size and order is not None:
        bad = np.sort(order[bad])
    validate.refuse_not_finite(bad)
    scale = validate.scale_of(float(largest.max()))
    if scale != 1.0:
        rows = rows * jnp.float32(scale)
    return Placed(rows, n, int(np.sum(largest == 0)), scale)


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
def _row_max(mesh: Mesh) -> Any:
    # max keeps a NaN, so one pass finds NaN, infinity and the scale.
    whole = NamedSharding(mesh, EVERYWHERE)
    return jax.jit(lambda x: jnp.max(jnp.abs(x), axis=1), out_shardings=whole)
