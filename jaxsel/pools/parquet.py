"""A shard in parquet: a column of vectors, read row group by row group."""

import itertools
import pathlib
import threading
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.pools.shard import Stamp, check_number, check_unchanged, delivered, stamp_of


class ParquetShard:
    """The only column of vectors of a parquet file; see `jaxsel.pools.shard.Shard`.

    A row group is decoded whole. One that a reading ends within is kept for the next,
    since blocks of rows need not end where row groups do. Rows gathered here and there
    cost a row group each: many of them are read faster from `.npy` shards.
    """

    def __init__(self, path: pathlib.Path, column: str | None = None) -> None:
        """Reads the footer and the first row.

        Args:
          path: the file.
          column: the column of vectors; None where there is only one.

        Raises:
          UserError: pyarrow is missing, no parquet, no or several columns of vectors.
        """
        self.path = path
        self.stamp: Stamp = stamp_of(path)
        self._pa, pq = _pyarrow(path)
        try:
            footer = pq.ParquetFile(path)
            schema, about = footer.schema_arrow, footer.metadata
        except (self._pa.ArrowException, OSError) as error:
            raise UserError(
                f"expected a readable parquet file, found {str(path)!r} damaged or "
                f"truncated ({' '.join(str(error).split())}): write it again"
            ) from error
        self._column = column or _only_vectors(self._pa, schema, path)
        groups = [about.row_group(i).num_rows for i in range(about.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(groups)]).astype(np.int64)
        self.n = int(self._starts[-1])
        if self.n == 0:
            raise UserError(f"expected rows in {str(path)!r}, found none")
        self._lock = threading.Lock()
        self._decoded: tuple[int, np.ndarray] | None = None
        self.d = 0  # until the first group tells
        self.dtype = np.dtype(np.float64)  # as it is, to see what it is
        first, _ = self._group(0)
        self._decoded = None
        self._doubles = first.dtype == np.float64
        check_number(first.dtype, path)
        self.d, self.dtype = first.shape[1], delivered(first.dtype)
        # Decoded twice for a moment: as Arrow has it, and in the type handed out.
        self.held = 2 * max(groups) * self.d * max(4, first.dtype.itemsize)

    def exact(self) -> "ParquetShard":
        """The same rows in float64 where the file holds more than float32 can."""
        if not self._doubles:
            return self
        other = ParquetShard(self.path, self._column)
        check_unchanged(self.path, self.stamp)
        other.dtype = np.dtype(np.float64)
        return other

    def read(self, start: int, out: np.ndarray) -> int:
        """Fills `out` with the rows from `start` on; returns the bytes read."""
        stop = start + len(out)
        with self._lock:
            done = self._take(np.arange(start, stop), out)
            if stop in self._starts:
                self._decoded = None
        return done

    def take(self, rows: np.ndarray, out: np.ndarray) -> int:
        """Fills `out` with the given rows, ascending; whole row groups are read."""
        with self._lock:
            done = self._take(rows, out)
            self._decoded = None
        return done

    def _take(self, rows: np.ndarray, out: np.ndarray) -> int:
        check_unchanged(self.path, self.stamp)
        edges = np.searchsorted(rows, self._starts)
        done = 0
        for i, (begin, end) in enumerate(itertools.pairwise(edges)):
            if begin < end:
                group, read = self._group(i)
                out[begin:end] = group[rows[begin:end] - self._starts[i]]
                done += read
        return done

    def _group(self, i: int) -> tuple[np.ndarray, int]:
        """Row group `i` as `[rows, d]`, and the bytes that were read for it."""
        if self._decoded is not None and self._decoded[0] == i:
            return self._decoded[1], 0
        self._decoded = None
        _, pq = _pyarrow(self.path)
        try:
            with pq.ParquetFile(self.path) as file:
                about = file.metadata.row_group(i)
                read = sum(
                    about.column(c).total_compressed_size
                    for c in range(about.num_columns)
                    if about.column(c).path_in_schema.split(".")[0] == self._column
                )
                table = file.read_row_group(i, columns=[self._column])
        except (self._pa.ArrowException, OSError) as error:
            check_unchanged(self.path, self.stamp)
            raise UserError(
                f"expected a readable parquet file, found {str(self.path)!r} damaged "
                f"({' '.join(str(error).split())}): write it again"
            ) from error
        rows = self._matrix(table[self._column].combine_chunks())
        self._decoded = i, rows
        return rows, read

    def _matrix(self, column: Any) -> np.ndarray:
        values = column.flatten()
        lengths = np.unique(np.asarray(column.value_lengths()))
        if column.null_count or values.null_count or len(lengths) != 1:
            raise UserError(
                f"expected vectors of one length without empty numbers in column "
                f"{self._column!r} of {str(self.path)!r}, found others: fill or remove "
                "them"
            )
        if self.d and lengths[0] != self.d:
            raise UserError(
                f"expected {self.d} numbers a row in {str(self.path)!r}, found "
                f"{lengths[0]} in a later row group: write rows of one width"
            )
        rows = np.asarray(values).reshape(len(column), int(lengths[0]))
        if rows.dtype == self.dtype:
            return rows
        with np.errstate(over="ignore"):  # Looked at by the first pass.
            return rows.astype(delivered(rows.dtype), copy=False)


def _pyarrow(path: pathlib.Path) -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UserError(
            f"expected pyarrow, to read {str(path)!r}, found it not installed: pip "
            "install 'jaxsel[parquet]', or write .npy shards"
        ) from error
    return pa, pq


def _only_vectors(pa: Any, schema: Any, path: pathlib.Path) -> str:
    """The name of the one column that holds lists of numbers."""

    def is_vector(kind: Any) -> bool:
        lists = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        return (lists or pa.types.is_fixed_size_list(kind)) and (
            pa.types.is_floating(kind.value_type)
            or pa.types.is_integer(kind.value_type)
        )

    names = [field.name for field in schema if is_vector(field.type)]
    if len(names) != 1:
        raise UserError(
            f"expected one column of vectors in {str(path)!r}, found "
            f"{' and '.join(map(repr, names)) or 'none'}: name it, or write one list a "
            "row"
        )
    return names[0]
