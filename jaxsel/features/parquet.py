"""Features and ids from a parquet file, through pyarrow."""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsel.arrow import columns_of, names_of, one_array
from jaxsel.errors import UserError
from jaxsel.roles import NOTHING, Asked, Roles
from jaxsel.tables import HEAD, Table, choose, ids_of, rows_of


class Read(NamedTuple):
    """What a table holds.

    Attributes:
      rows: real numbers `[n, d]`, in the file's own type.
      ids: str `[n]`, or None where no column names the rows.
      roles: what its columns are.
    """

    rows: np.ndarray
    ids: np.ndarray | None
    roles: Roles


def read_table(file: pathlib.Path, asked: Asked = NOTHING) -> Read:
    """Reads features and ids, from the columns that `jaxsel.columns` chooses.

    Args:
      file: a parquet file.
      asked: what the caller says of its columns.

    Returns:
      Read. Columns of several types are in the one that holds them all.

    Raises:
      UserError: the file is damaged, it is not clear which columns are meant, or a
        vector or an id is missing.
    """
    with _Opened(file) as opened:
        where = repr(str(file))
        roles = choose(opened.table(where), asked)
        columns = opened.read(roles.features)
        ids, roles = ids_of(
            roles, lambda name: names_of(opened.read([name])[name], name, where)
        )
        return Read(rows_of(columns, roles, where), ids, roles)


def table_size(
    file: pathlib.Path, asked: Asked = NOTHING
) -> tuple[tuple[int, ...], str, Roles]:
    """Shape and type of the features that `read_table` reads, from the first row."""
    with _Opened(file) as opened:
        where = repr(str(file))
        roles = choose(opened.table(where), asked)
        roles = roles.named_by(roles.ids[0] if roles.ids else None)
        rows = opened.file.metadata.num_rows
        if rows == 0:
            return (0, len(roles.features)), "float32", roles
        first = rows_of(opened.head(roles.features), roles, where)
        return (rows, first.shape[1]), first.dtype.name, roles


def read_parquet(file: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads a table whose rows are joined to others by id.

    Args:
      file: a parquet file with a column of ids.

    Returns:
      `(rows [m, d] in the file's own type, ids str [m])`.

    Raises:
      UserError: as `read_table`, or no column names the rows.
    """
    found = read_table(file)
    if found.ids is None:
        raise UserError(
            f"expected a column of ids in {str(file)!r}, as id or file_name, found "
            f"none ({found.roles.sentence()}): write the data set's ids beside the "
            "features"
        )
    return found.rows, found.ids


class _Opened:
    """A parquet file of which columns are read as they are asked for."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def __enter__(self) -> "_Opened":
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._errors = (pa.ArrowException, OSError)
        try:
            self.file = pq.ParquetFile(self._path)
            self.schema = self.file.schema_arrow
        except self._errors as error:
            raise self._damaged(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def table(self, where: str) -> Table:
        def parts(name: str) -> list[Any]:
            return [self.read([name])[name]]

        return Table(where, columns_of(self.schema), self.head, parts)

    def head(self, names: Sequence[str]) -> dict[str, Any]:
        """The first rows of some columns; only their beginning is decoded."""
        try:
            batches = self.file.iter_batches(batch_size=HEAD, columns=list(names))
            first = next(batches, None)
        except self._errors as error:
            raise self._damaged(error) from error
        if first is None:
            return self.read(names)
        return {name: first.column(name) for name in names}

    def read(self, names: Sequence[str]) -> dict[str, Any]:
        try:
            table = self.file.read(columns=list(names))
            return {name: one_array(table[name]) for name in names}
        except self._errors as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> UserError:
        return UserError(
            f"expected a readable parquet file, found {str(self._path)!r} damaged or "
            f"truncated ({' '.join(str(error).split())}): write it again"
        )
