"""Feature files of parquet: ids and vectors, or ids and a column a dimension."""

import pathlib
import re
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.features.parquet import ID_COLUMNS, VECTOR_COLUMNS, read_parquet

# Of tools that write embeddings with the files they are of.
NAME_COLUMNS = ("filename", "filenames", "filepath", "path")
_NUMBERED = re.compile(r"(.*?)(\d+)", re.DOTALL)
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def read_table(file: pathlib.Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads features and ids from a parquet file.

    Ids are the column called `ids` or `id`, or else one of `NAME_COLUMNS`. Features are

    - the column of vectors (`features`, `embedding`, …: `jaxsel.features.parquet`);
    - else the columns called alike but for a number (`embedding_0`, `embedding_1`, …),
      in the order of their numbers, whatever else there is;
    - else all other columns, which have to be numbers.

    Args:
      file: the file.

    Returns:
      `(rows [n, d], ids [n] or None)`, in the file's own type (columns of several types
      in the one that holds them all).

    Raises:
      UserError: the file is damaged, it is not clear which columns are meant, or a
        value is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(file)
        names = _distinct(schema.names, file)
        vectors = [name for name in names if name in VECTOR_COLUMNS]
        if vectors and any(name in ID_COLUMNS for name in names):
            return read_parquet(file)
        id_names = _id_columns(names, file)
        chosen = vectors or _feature_columns(pa, schema, file)
        table = pq.read_table(file, columns=[*id_names, *chosen])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error
    for name in [*id_names, *chosen]:
        if table[name].null_count:
            raise UserError(
                f"expected a value in every row of column {name!r} of {str(file)!r}, "
                f"found {table[name].null_count} empty: fill or remove them"
            )
    ids = np.array(table[id_names[0]].to_pylist()) if id_names else None
    if vectors:
        return _stacked(pa, table, vectors, file), ids
    columns = [table[name].to_numpy() for name in chosen]
    rows = np.empty((table.num_rows, len(columns)), np.result_type(*columns))
    for place, column in enumerate(columns):
        rows[:, place] = column
    return rows, ids


def table_size(file: pathlib.Path) -> tuple[tuple[int, ...], str]:
    """Shape and type of the features that `read_table` reads, from the first row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            schema, rows = opened.schema_arrow, opened.metadata.num_rows
            names = _distinct(schema.names, file)
            vectors = [name for name in names if name in VECTOR_COLUMNS]
            chosen = vectors[:1] or _feature_columns(pa, schema, file)
            first = next(opened.iter_batches(batch_size=1, columns=chosen), None)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error
    if first is None:
        return (0, len(chosen)), "float32"
    columns = [column.flatten() if vectors else column for column in first.columns]
    arrays = [np.asarray(column) for column in columns]
    width = len(arrays[0]) if vectors else len(arrays)
    return (rows, width), np.result_type(*arrays).name


def _damaged(file: pathlib.Path, error: Exception) -> UserError:
    return UserError(
        f"expected a readable parquet file, found {str(file)!r} damaged or "
        f"truncated ({' '.join(str(error).split())}): write it again"
    )


def _distinct(names: list[str], file: pathlib.Path) -> list[str]:
    if len(set(names)) < len(names):
        raise UserError(
            f"expected columns of different names in {str(file)!r}, found one twice: "
            "rename or drop columns"
        )
    return names


def _id_columns(names: list[str], file: pathlib.Path) -> list[str]:
    """The one column of ids, or none."""
    found = [name for name in names if name in ID_COLUMNS] or [
        name for name in names if name in NAME_COLUMNS
    ]
    if len(found) > 1:
        raise UserError(
            f"expected one column of ids in {str(file)!r}, found "
            f"{' and '.join(found)}: drop all but one"
        )
    return found


def _stacked(pa: Any, table: Any, names: list[str], file: pathlib.Path) -> np.ndarray:
    """`[n, d]` of one column of vectors."""
    column = table[names[0]].combine_chunks()
    lists = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    lengths = np.empty(0, np.int64)
    if lists or pa.types.is_fixed_size_list(column.type):
        lengths = np.unique(np.asarray(column.value_lengths()))
    if len(names) > 1 or len(lengths) != 1 or column.flatten().null_count:
        raise UserError(
            f"expected one column of vectors in {str(file)!r}, all of one length and "
            f"without empty numbers, found {' and '.join(names)} of {column.type}: "
            "rename, drop or fill columns"
        )
    return np.asarray(column.flatten()).reshape(len(column), int(lengths[0]))


def _feature_columns(pa: Any, schema: Any, file: pathlib.Path) -> list[str]:
    """Names of the columns of numbers that are the features."""
    left_aside = {*ID_COLUMNS, *NAME_COLUMNS}
    names = [
        name
        for name in schema.names
        if name not in left_aside and not _PANDAS_INDEX.fullmatch(name)
    ]
    numeric = {
        name
        for name in names
        if pa.types.is_floating(schema.field(name).type)
        or pa.types.is_integer(schema.field(name).type)
    }
    series: dict[str, dict[int, str]] = {}
    for name in sorted(numeric):
        if match := _NUMBERED.fullmatch(name):
            series.setdefault(match[1], {})[int(match[2])] = name
    long = {prefix: found for prefix, found in series.items() if len(found) > 1}
    if len(long) > 1:
        raise UserError(
            f"expected one series of numbered columns in {str(file)!r}, found those of "
            f"{' and '.join(map(repr, sorted(long)))}: drop the others"
        )
    if long:
        (found,) = long.values()
        return [found[number] for number in sorted(found)]
    others = [name for name in names if name not in numeric]
    if others or not names:
        what = f"column {others[0]!r}" if others else "no column beside the ids"
        raise UserError(
            f"expected a column of vectors ({', '.join(VECTOR_COLUMNS)}), numbered "
            f"columns, or numbers in all columns of {str(file)!r}, found {what}: "
            "rename or drop columns"
        )
    return names
