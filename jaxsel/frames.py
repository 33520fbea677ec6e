"""Tables in memory, of pandas, polars and Arrow, by what they can do, not by name.

Which columns are the features `jaxsel.columns` says, as for tables in files. pandas is
not imported; polars hands its columns over as Arrow's.
"""

import contextlib
import datetime
import numbers
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsel.columns import roles_of
from jaxsel.errors import UserError
from jaxsel.roles import (
    CATEGORY,
    DATE,
    FLAG,
    NUMBER,
    OTHER,
    TEXT,
    UNASKED,
    VECTOR,
    Asked,
    Column,
    Roles,
)
from jaxsel.tables import HEAD, is_run, refuse_written

_BLOCK_ROWS = 4096
_LISTED = 5
_KINDS = {"f": NUMBER, "i": NUMBER, "u": NUMBER, "b": FLAG, "M": DATE, "m": DATE}


class Frame(NamedTuple):
    """A table in memory.

    Attributes:
      names: of its columns.
      columns: as its library holds them, in the same order.
    """

    names: list[str]
    columns: list[Any]

    def column(self, name: str) -> Any:
        """The column of this name."""
        return self.columns[self.names.index(name)]


def frame_of(table: Any) -> Frame | None:
    """The columns of a table, or None where something is no table."""
    if isinstance(table, np.ndarray):
        names = table.dtype.names
        if names is None or table.ndim != 1:
            return None
        return Frame(list(names), [table[name] for name in names])
    if hasattr(table, "iloc") and hasattr(table, "columns"):
        names = list(map(str, table.columns))
        return Frame(names, [table.iloc[:, place] for place in range(len(names))])
    if hasattr(table, "column_names") and hasattr(table, "columns"):
        return Frame(list(table.column_names), list(table.columns))
    if hasattr(table, "get_columns"):
        return Frame(list(table.columns), list(table.get_columns()))
    return None


def read_frame(frame: Frame, asked: Asked) -> tuple[np.ndarray, Roles]:
    """The features of a table, and what its columns are.

    Args:
      frame: the table.
      asked: what the caller says of its columns.

    Returns:
      `[n, d]`: float32 of columns of numbers, NaN where one is missing; of a column of
      vectors in its own type.

    Raises:
      UserError: as `jaxsel.columns.roles_of`, numbers that are written as text, or
        vectors that are missing or of several lengths.
    """
    arrays = [_handed_over(column) for column in frame.columns]
    found = [
        Column(name, _kind(array), _type_of(column))
        for name, array, column in zip(frame.names, arrays, frame.columns, strict=True)
    ]
    by_name = dict(zip(frame.names, arrays, strict=True))

    def numbers_rows(name: str) -> bool:
        # The head tells of nearly every column that it does not.
        head = _numbers(by_name[name][:HEAD])
        return is_run(head, least=1) and is_run(_numbers(by_name[name]))

    def texts(names: Sequence[str]) -> dict[str, list[str]]:
        return {name: _texts(by_name[name][:HEAD]) for name in names}

    roles = roles_of(found, asked, where="the table", numbers_rows=numbers_rows)
    refuse_written(roles, "the table", texts)
    # Rows of a table in memory are known by their places, unless ids are asked for.
    roles = roles.named_by(asked.ids or None)
    chosen = [by_name[name] for name in roles.features]
    if roles.vector:
        return _vectors(chosen[0], roles.features[0]), roles
    return _matrix([_numbers(column) for column in chosen]), roles


def warn_of(roles: Roles | None, *, above: int = 0) -> None:
    """Warns of columns that were left out without the caller's having said so.

    Args:
      roles: of a table; None of anything else.
      above: how many functions lie between the caller's own code and what calls this,
        that function not counted.
    """
    if roles is None or roles.chosen:
        return
    lost = [name for name in roles.left_out if name not in roles.ids]
    if any(roles.left_out[name] != UNASKED for name in lost):
        said = f"{roles.sentence()}; columns= chooses otherwise"
        warnings.warn(said, stacklevel=3 + above)


def stacked(vectors: np.ndarray) -> np.ndarray:
    """`[n, d]` of an object array of n vectors.

    Raises:
      UserError: they are of several lengths.
    """
    try:
        return np.stack([np.asarray(vector) for vector in vectors])
    except ValueError as error:
        lengths = sorted({np.shape(vector) for vector in vectors}, key=str)
        raise UserError(
            f"features must be vectors of one length, found the shapes "
            f"{', '.join(map(str, lengths[:_LISTED]))}; pad or remove them"
        ) from error


def _handed_over(column: Any) -> Any:
    """A column of polars as Arrow's, of pandas as it is, any other as NumPy's."""
    if hasattr(column, "iloc") or _is_arrow(column):
        return column
    if hasattr(column, "to_arrow"):
        # Objects of Python are what Arrow does not know.
        with contextlib.suppress(Exception):
            return column.to_arrow()
    return np.asarray(column)


def _is_arrow(column: Any) -> bool:
    return type(column).__module__.partition(".")[0] == "pyarrow"


def _kind(column: Any) -> str:
    """What a column is to the rule."""
    if _is_arrow(column):
        from jaxsel.arrow import kind_of

        return kind_of(column.type)
    dtype = getattr(column, "dtype", None)
    if (categories := getattr(dtype, "categories", None)) is not None:
        text = getattr(categories, "inferred_type", "") == "string"
        return TEXT if text else CATEGORY
    kind = getattr(dtype, "kind", None) or np.asarray(column).dtype.kind
    if kind in "US":
        return TEXT
    return _kind_of_objects(column) if kind == "O" else _KINDS.get(kind, OTHER)


def _kind_of_objects(column: Any) -> str:
    """What Python's objects in a column are, by those of the head that are there."""
    kinds = set()
    for value in list(column[:HEAD]):
        if value is None or type(value).__name__ in ("NAType", "NaTType"):
            continue
        if isinstance(value, float) and value != value:
            continue
        kinds.add(_kind_of_object(value))
    return kinds.pop() if len(kinds) == 1 else OTHER


def _kind_of_object(value: Any) -> str:
    if isinstance(value, str | bytes):
        return TEXT
    if isinstance(value, bool | np.bool_):
        return FLAG
    if isinstance(value, numbers.Number):  # Decimal is one too
        return OTHER if isinstance(value, complex) else NUMBER
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return DATE
    if isinstance(value, list | tuple | np.ndarray):
        array = np.asarray(value)
        return VECTOR if array.dtype.kind in "fiu" and array.ndim == 1 else OTHER
    return OTHER


def _numbers(column: Any) -> np.ndarray:
    """`[n]` of numbers, NaN where one is missing."""
    if _is_arrow(column):
        from jaxsel.arrow import numbers_of

        return numbers_of(column)
    kind = getattr(getattr(column, "dtype", None), "kind", None)
    if hasattr(column, "iloc") and (kind in ("O", "b") or not _is_numpy(column)):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(column)


def _is_numpy(column: Any) -> bool:
    return isinstance(column.dtype, np.dtype)


def _texts(column: Any) -> list[str]:
    if _is_arrow(column):
        from jaxsel.arrow import decoded

        column = decoded(column).to_pylist()
    return [
        value.decode(errors="replace") if isinstance(value, bytes) else value
        for value in list(column)
        if isinstance(value, str | bytes)
    ]


def _vectors(column: Any, name: str) -> np.ndarray:
    if _is_arrow(column):
        from jaxsel.arrow import vectors_of

        return vectors_of(column, name, "the features")
    return stacked(np.asarray(column))


def _matrix(arrays: list[np.ndarray]) -> np.ndarray:
    """float32 `[n, d]` of columns."""
    rows = max(map(len, arrays), default=0)
    whole = np.empty((rows, len(arrays)), np.float32)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf
        # By blocks of rows: a whole column at once would touch every line of memory.
        for start in range(0, rows, _BLOCK_ROWS):
            block = whole[start : start + _BLOCK_ROWS]
            for place, array in enumerate(arrays):
                block[:, place] = array[start : start + _BLOCK_ROWS]
    return whole


def _type_of(column: Any) -> str:
    return str(getattr(column, "dtype", None) or getattr(column, "type", "?"))
