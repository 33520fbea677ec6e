"""A pool of rows on disk: shards of one width and type, one after the other."""

import hashlib
import pathlib
import threading
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.pools.shard import Shard

# What is hashed of a pool: so many stretches of rows, of so many bytes at most.
STRETCHES, STRETCH_BYTES = 16, 1 << 14


class Pool:
    """Rows `[n, d]` that stay on disk.

    Attributes:
      n: rows.
      d: numbers a row.
      dtype: of the rows as they are read: float32, float16, bfloat16 or int8.
      scale: the rows are these numbers times it.
      shards: the files, in order.
      roles: what the columns of the first file are; None of a bare matrix.
      held: bytes that a reading holds beside the rows that it returns.
      bytes_read: from the files, since the pool was opened.

    Example:
      >>> import pathlib, tempfile
      >>> from jaxsel.pools.npy import NpyShard
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "rows.npy"
      >>> np.save(file, np.arange(6, dtype=np.int8).reshape(3, 2))
      >>> pool = Pool([NpyShard(file)])
      >>> pool.n, pool.d, pool.read(1, 3).tolist(), pool.take([2, 0]).tolist()
      (3, 2, [[2, 3], [4, 5]], [[4, 5], [0, 1]])
    """

    def __init__(self, shards: list[Shard], scale: float = 1.0) -> None:
        """Puts shards together; those without rows have no width or type to compare.

        Raises:
          UserError: a shard of another width or type than the first; no rows at all.
        """
        filled = [shard for shard in shards if shard.n]
        if not filled:
            raise UserError(
                f"expected rows in the pool, found none in {str(shards[0].path)!r}"
                + (f" and {len(shards) - 1} other files" if len(shards) > 1 else "")
                + ": check what wrote it"
            )
        first = filled[0]
        for shard in filled[1:]:
            if (shard.d, shard.dtype) != (first.d, first.dtype):
                raise UserError(
                    f"expected shards of {first.d} {first.dtype} numbers a row, as in "
                    f"{str(first.path)!r}, found {shard.d} {shard.dtype} in "
                    f"{str(shard.path)!r}: leave it out, or write it again"
                )
        self.shards = shards
        self.scale = scale
        self.roles = first.roles
        self.d, self.dtype = first.d, first.dtype
        self._starts = np.concatenate([[0], np.cumsum([shard.n for shard in shards])])
        self.n = int(self._starts[-1])
        self.held = max(shard.held for shard in shards)
        self.bytes_read = 0
        self._lock = threading.Lock()

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in memory."""
        return self.d * self.dtype.itemsize

    def read(self, start: int, stop: int, out: np.ndarray | None = None) -> np.ndarray:
        """Rows `start ... stop`: `[stop - start, d]` of the pool's type.

        Args:
          start, stop: places in the pool.
          out: where to write them; a new array without it.

        Raises:
          UserError: a file is gone, cut, grown or written anew.
        """
        rows = np.empty((stop - start, self.d), self.dtype) if out is None else out
        done = 0
        for shard, begin in zip(self.shards, self._starts, strict=False):
            low, high = max(start, begin), min(stop, begin + shard.n)
            if low < high:
                here = rows[low - start : high - start]
                done += shard.read(int(low - begin), here)
        self._count(done)
        return rows

    def take(self, rows: Any) -> np.ndarray:
        """The given rows, in any order: `[m, d]` of the pool's type."""
        wanted = np.asarray(rows, np.int64)
        order = np.argsort(wanted, kind="stable")
        ascending = wanted[order]
        edges = np.searchsorted(ascending, self._starts)
        found = np.empty((len(wanted), self.d), self.dtype)
        done = 0
        for i, shard in enumerate(self.shards):
            begin, end = edges[i], edges[i + 1]
            if begin < end:
                here = ascending[begin:end] - self._starts[i]
                done += shard.take(here, found[begin:end])
        self._count(done)
        if np.all(order[1:] > order[:-1]):
            return found
        given = np.empty_like(found)
        given[order] = found
        return given

    def names(self, rows: Any) -> np.ndarray | None:
        """The ids of rows, str `[m]`, in their order; None where no file has ids.

        A row without an id, as of a shard that has none, is named by its file and its
        place there: `part1.parquet:7`.
        """
        wanted = np.asarray(rows, np.int64)
        found: list[str] = [""] * len(wanted)
        named = False
        for i, shard in enumerate(self.shards):
            here = (wanted >= self._starts[i]) & (wanted < self._starts[i + 1])
            place = np.flatnonzero(here)
            place = place[np.argsort(wanted[place], kind="stable")]
            ids = shard.names(wanted[place] - self._starts[i]) if len(place) else None
            named = named or ids is not None
            for at, where in enumerate(place.tolist()):
                name = "" if ids is None else str(ids[at])
                found[where] = name or self.place_of(int(wanted[where]))
        return np.array(found, dtype=str) if named else None

    def place_of(self, row: int) -> str:
        """The file that holds a row and the row's place in it, as one name."""
        path, place = self.file_of(row)
        return f"{path.as_posix()}:{place}"

    def exact(self) -> "Pool":
        """The same pool in float64, if its files hold more than float32 can."""
        shards = [shard.exact() for shard in self.shards]
        same = all(a is b for a, b in zip(shards, self.shards, strict=True))
        return self if same else Pool(shards, self.scale)

    def file_of(self, row: int) -> tuple[pathlib.Path, int]:
        """The file that holds a row, and the row's place in it."""
        i = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self.shards[i].path, int(row - self._starts[i])

    def fingerprint(self) -> dict[str, Any]:
        """What tells this pool from another at a glance, without a pass.

        Names, sizes, shape, type, some rows. Whether all rows are the same is for
        `jaxsel.pools.contents`, which has them read.
        """
        digest = hashlib.sha256()
        length = max(1, min(self.n, STRETCH_BYTES // self.row_bytes))
        for start in np.unique(np.linspace(0, self.n - length, STRETCHES).astype(int)):
            digest.update(self.read(start, start + length).tobytes())
        return {
            "files": [[shard.path.name, shard.stamp.size] for shard in self.shards],
            "shape": [self.n, self.d],
            "dtype": str(self.dtype),
            "scale": self.scale,
            "rows_sha256": digest.hexdigest(),
        }

    def _count(self, done: int) -> None:
        with self._lock:
            self.bytes_read += done
