"""A shard in parquet: vectors or columns of numbers, read row group by row group."""

import itertools
import pathlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jaxsel.arrow import columns_of, decoded, names_of, names_or_nothing, one_array
from jaxsel.errors import UserError
from jaxsel.pools.shard import Stamp, check_number, check_unchanged, delivered, stamp_of
from jaxsel.roles import NOTHING, Asked, Roles
from jaxsel.tables import HEAD, Table, choose, ids_of, rows_of


class ParquetShard:
    """The features in a parquet file; see `jaxsel.pools.shard.Shard`.

    Which columns they are `jaxsel.columns` says, as for `jaxsel select`.

    A row group is decoded whole. One that a reading ends within is kept for the next,
    since blocks of rows need not end where row groups do. Rows gathered here and there
    cost a row group each: many of them are read faster from `.npy` shards.
    """

    def __init__(self, path: pathlib.Path, asked: Asked = NOTHING) -> None:
        """Reads the footer and the first rows.

        Args:
          path: the file.
          asked: what the caller says of its columns.

        Raises:
          UserError: pyarrow is missing, no parquet, or it is not clear which columns
            are meant (of a file without rows nothing is asked).
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
        groups = [about.row_group(i).num_rows for i in range(about.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(groups)]).astype(np.int64)
        self.n = int(self._starts[-1])
        self._lock = threading.Lock()
        self._decoded: tuple[int, np.ndarray] | None = None
        self._asked, self._doubles = asked, False
        self.d, self.held = 0, 0
        self.dtype: np.dtype = np.dtype(np.float32)
        self.roles: Roles | None = None
        if self.n == 0:
            return  # Writers of no rows often know no type of them either.
        self._used: Roles = self._chosen(schema, asked)
        self.roles = self._used
        self._bytes = [
            _bytes_of(about.row_group(i), self._used.features)
            for i in range(about.num_row_groups)
        ]
        self.dtype = np.dtype(np.float64)  # as it is, to see what it is
        # A writer that flushes an empty batch leaves a group without rows, which tells
        # nothing of the vectors' length.
        first, _ = self._group(int(np.flatnonzero(groups)[0]))
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
        other = ParquetShard(self.path, self._asked)
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
        rows = self._matrix(self._read(i, self._used.features))
        self._decoded = i, rows
        return rows, self._bytes[i]

    def _matrix(self, table: Any) -> np.ndarray:
        columns = {name: one_array(table[name]) for name in self._used.features}
        rows = rows_of(columns, self._used, repr(str(self.path)))
        if self.d and rows.shape[1] != self.d:
            raise UserError(
                f"expected {self.d} numbers a row in {str(self.path)!r}, found "
                f"{rows.shape[1]} in a later row group: write rows of one width"
            )
        if rows.dtype == self.dtype:
            return rows
        # Columns may be of any types, and a gap makes floating point of integers.
        kind = delivered(rows.dtype) if self._used.vector else np.dtype(np.float32)
        with np.errstate(over="ignore"):  # Looked at by the first pass.
            return rows.astype(kind, copy=False)

    def names(self, rows: np.ndarray) -> np.ndarray | None:
        """The ids of rows `[m]`, ascending: str `[m]`; None where there are none.

        What is no id, or missing, is "": when picks are named it is late to refuse.
        """
        if self.roles is None or not self.roles.ids:
            return None
        check_unchanged(self.path, self.stamp)
        name = self.roles.ids[0]
        edges = np.searchsorted(rows, self._starts)
        found = [np.zeros(0, str)]
        for i, (begin, end) in enumerate(itertools.pairwise(edges)):
            if begin < end:
                group = decoded(self._column(i, name))
                group = group.take(self._pa.array(rows[begin:end] - self._starts[i]))
                found.append(names_or_nothing(group))
        return np.concatenate(found)

    def _column(self, group: int, name: str) -> Any:
        """One column of a row group."""
        return one_array(self._read(group, [name])[name])

    def _read(self, group: int, names: Sequence[str]) -> Any:
        _, pq = _pyarrow(self.path)
        try:
            with pq.ParquetFile(self.path) as file:
                return file.read_row_group(group, columns=list(names))
        except (self._pa.ArrowException, OSError) as error:
            check_unchanged(self.path, self.stamp)
            raise UserError(
                f"expected a readable parquet file, found {str(self.path)!r} damaged "
                f"({' '.join(str(error).split())}): write it again"
            ) from error

    def _chosen(self, schema: Any, asked: Asked) -> Roles:
        """What the columns are; the ids are those that tell the first rows apart."""
        where = repr(str(self.path))

        def head(names: Sequence[str]) -> dict[str, Any]:
            table = self._read(0, names)
            return {name: one_array(table[name].slice(0, HEAD)) for name in names}

        def parts(name: str) -> Iterator[Any]:
            return (self._column(i, name) for i in range(len(self._starts) - 1))

        def names(name: str) -> np.ndarray:
            return names_of(self._column(0, name), name, where)

        roles = choose(Table(where, columns_of(schema), head, parts), asked)
        return ids_of(roles, names)[1]


def _pyarrow(path: pathlib.Path) -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UserError(
            f"expected pyarrow, to read {str(path)!r}, found it not installed: pip "
            "install pyarrow, or write .npy shards"
        ) from error
    return pa, pq


def _bytes_of(group: Any, names: Sequence[str]) -> int:
    """Bytes in the file of some columns of a row group."""
    columns = map(group.column, range(group.num_columns))
    return sum(
        column.total_compressed_size
        for column in columns
        if column.path_in_schema in names
        or column.path_in_schema.split(".")[0] in names
    )
