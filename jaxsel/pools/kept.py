"""A pool on disk without some of its rows."""

from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.files import hash_of
from jaxsel.pools.pool import Pool
from jaxsel.pools.reading import blocks


class KeptPool(Pool):
    """The rows of a pool that were kept; row i is row `rows[i]` of that pool.

    Attributes:
      rows: int64 `[m]`, ascending.

    Example:
      >>> import pathlib, tempfile
      >>> from jaxsel.pools.opening import open_pool
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "rows.npy"
      >>> np.save(file, np.arange(8, dtype=np.int8).reshape(4, 2))
      >>> kept = KeptPool(open_pool(file), np.array([0, 2, 3]))
      >>> kept.read(1, 3).tolist(), kept.take([1]).tolist()
      ([[4, 5], [6, 7]], [[4, 5]])
    """

    def __init__(self, pool: Pool, rows: np.ndarray) -> None:
        """Of a pool, the given rows."""
        self._pool, self.rows = pool, rows
        super().__init__(pool.shards, pool.scale)
        self.n = len(rows)

    def read(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """As `Pool.read`: runs of rows that follow each other are read together."""
        found = np.empty((stop - start, self.d), self.dtype) if out is None else out
        wanted = self.rows[start:stop]
        ends = np.flatnonzero(np.diff(wanted) > 1) + 1
        before = self._pool.bytes_read
        for begin, end in zip([0, *ends], [*ends, len(wanted)], strict=True):
            first, last = int(wanted[begin]), int(wanted[end - 1])
            self._pool.read(first, last + 1, found[begin:end])
        self._count(self._pool.bytes_read - before)
        return found

    def take(self, rows: Any) -> np.ndarray:
        """As `Pool.take`."""
        before = self._pool.bytes_read
        found = self._pool.take(self.rows[np.asarray(rows, np.int64)])
        self._count(self._pool.bytes_read - before)
        return found

    def exact(self) -> Pool:
        """As `Pool.exact`."""
        exact = self._pool.exact()
        return self if exact is self._pool else KeptPool(exact, self.rows)

    def file_of(self, row: int):
        """As `Pool.file_of`: the file, and the place in it."""
        return self._pool.file_of(int(self.rows[row]))

    def names(self, rows: Any) -> np.ndarray | None:
        """As `Pool.names`."""
        return self._pool.names(self.rows[np.asarray(rows, np.int64)])

    def fingerprint(self) -> dict[str, Any]:
        """That of the whole pool, and which rows were kept."""
        return {**self._pool.fingerprint(), "kept": hash_of(self.rows.tolist())}


def without_bad_rows(pool: Pool, size: int) -> tuple[Pool, np.ndarray]:
    """A pool without its rows of NaN or infinity, by one reading of it.

    Args:
      pool: the rows.
      size: rows read at a time.

    Returns:
      The pool, itself where nothing is wrong with it; and the rows left out, int64.

    Raises:
      UserError: no row is left.
    """
    fine = np.empty(pool.n, bool)
    for block in blocks(pool.exact(), size):
        here = slice(block.start, block.start + block.valid)
        fine[here] = np.isfinite(block.rows[: block.valid]).all(axis=1)
    dropped = np.flatnonzero(~fine)
    if len(dropped) == pool.n:
        raise UserError(
            f"expected some rows of finite numbers, found NaN or infinity in all "
            f"{pool.n}: compute the features again"
        )
    return (KeptPool(pool, np.flatnonzero(fine)) if len(dropped) else pool), dropped
