"""Ids and vectors from a parquet file, through pyarrow."""

import pathlib
from typing import Any

import numpy as np

from jaxsel.errors import UserError

ID_COLUMNS = ("ids", "id")
VECTOR_COLUMNS = ("features", "feature", "embedding", "embeddings", "vector")


def read_parquet(file: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads a column of ids and a column of vectors.

    Args:
      file: a parquet file with one column of `ID_COLUMNS` (text or whole numbers) and
        one of `VECTOR_COLUMNS` (lists of numbers, all of one length).

    Returns:
      `(rows [m, d] in the file's own dtype, ids str [m])`.

    Raises:
      UserError: the file is damaged, a column is missing or there twice, a value is
        missing, or vectors differ in length.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(file).names
        id_name = _only("ids", ID_COLUMNS, names, file)
        vector_name = _only("vectors", VECTOR_COLUMNS, names, file)
        table = pq.read_table(file, columns=[id_name, vector_name])
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"expected a readable parquet file, found {file} damaged or truncated "
            f"({' '.join(str(error).split())}): write it again"
        ) from error
    ids = table[id_name].combine_chunks()
    if ids.null_count or not (_is_text(pa, ids.type) or pa.types.is_integer(ids.type)):
        raise UserError(
            f"expected text or whole numbers in every row of column {id_name} of "
            f"{file}, found {ids.null_count} empty rows of {ids.type}: write ids as "
            "the data set names them"
        )
    rows = _matrix(pa, table[vector_name].combine_chunks(), vector_name, file)
    return rows, np.array([str(name) for name in ids.to_pylist()], dtype=str)


def _only(
    what: str, known: tuple[str, ...], names: list[str], file: pathlib.Path
) -> str:
    found = [name for name in names if name in known]
    if len(found) != 1:
        raise UserError(
            f"expected one column of {what} in {file}, named {' or '.join(known)}, "
            f"found {' and '.join(found) or 'none'} among {', '.join(names)}: rename "
            "or drop columns"
        )
    return found[0]


def _is_text(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _matrix(pa: Any, column: Any, name: str, file: pathlib.Path) -> np.ndarray:
    """`[m, d]` of a column of lists."""
    if not (
        pa.types.is_list(column.type)
        or pa.types.is_large_list(column.type)
        or pa.types.is_fixed_size_list(column.type)
    ):
        raise UserError(
            f"expected lists of numbers in column {name} of {file}, found "
            f"{column.type}: write one list a row"
        )
    values = column.flatten()
    numbers = pa.types.is_floating(values.type) or pa.types.is_integer(values.type)
    if column.null_count or values.null_count or not numbers:
        raise UserError(
            f"expected lists of numbers in column {name} of {file}, found "
            f"{column.null_count} empty rows and {values.null_count} empty numbers of "
            f"{values.type}: fill or remove them"
        )
    lengths = np.unique(np.asarray(column.value_lengths()))
    if len(lengths) > 1:
        raise UserError(
            f"expected vectors of one length in column {name} of {file}, found lengths "
            f"{lengths[0]} to {lengths[-1]}: each row needs the same"
        )
    width = int(lengths[0]) if len(lengths) else 0
    return np.asarray(values).reshape(len(column), width)
