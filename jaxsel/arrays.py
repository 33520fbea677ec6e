"""Arrays and tables of other libraries as NumPy, by what they can do, not by name.

Tables are those of pandas, polars and Arrow; arrays are whatever speaks DLPack or
`__array__`. None of these libraries is imported. What cannot be meant is refused: the
labels of an index are not positions, and a masked or missing value is not a number.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsel.errors import UserError

_NUMBERS = "fiu"
_BLOCK_ROWS = 4096
_LISTED = 5
# Columns that number rows, not describe them; files of features name them so too.
_ID_NAMES = ("id", "ids")


def matrix_of(features: Any) -> Any:
    """Features in a form that NumPy or JAX takes; the numbers are not looked at.

    - A table of columns of numbers: float32 `[n, d]`, in the order of its columns.
    - A column of vectors, as of pandas, polars or Arrow: `[n, d]`.
    - What speaks DLPack is returned as it is.
    - Anything else by `np.asarray`.

    Args:
      features: a table, a column, an array, a tensor, or nested lists.

    Returns:
      An array, or an object with `__dlpack__`.

    Raises:
      UserError: columns that are not numbers (they are named), missing or masked
        values, a tensor with a gradient, vectors of several lengths.

    Example:
      >>> matrix_of([[1, 2], [3, 4]]).shape
      (2, 2)
    """
    _refuse_masked("features", features)
    if columns := _columns_of(features):
        return _from_columns(*columns)
    if hasattr(features, "collect") and not hasattr(features, "to_numpy"):
        raise UserError("features are a lazy table: pass features.collect()")
    if isinstance(features, np.ndarray):
        array = np.asarray(features)  # of a masked array without a mask, its numbers
    elif hasattr(features, "__dlpack__") and not hasattr(features, "to_numpy"):
        _refuse_gradient("features", features)
        return features
    else:
        array = as_numpy("features", features)
    return _stacked(array) if array.dtype == object and array.ndim == 1 else array


def values_of(name: str, values: Any) -> np.ndarray:
    """One value a row, or a list of rows, as NumPy.

    Args:
      name: what to call it in a message.
      values: a Series, an Index, a tensor, an array or a list.

    Returns:
      The values, in their own type.

    Raises:
      UserError: a missing or masked value, or a tensor with a gradient.

    Example:
      >>> values_of("ids", ["a", "b"]).tolist()
      ['a', 'b']
    """
    _refuse_masked(name, values)
    _refuse_gradient(name, values)
    gaps = missing_in(values)
    if gaps is not None and gaps.any():
        raise UserError(
            f"{name} must have a value everywhere, found {int(gaps.sum())} missing, "
            f"the first in row {int(gaps.argmax())}; fill or remove them"
        )
    array = as_numpy(name, values)
    kind = getattr(getattr(values, "dtype", None), "kind", "O")
    if array.dtype == object and kind in f"b{_NUMBERS}":
        # Of pandas' types with gaps, but without a gap.
        array = np.array(array.tolist(), bool if kind == "b" else None)
    return array


def positions_of(name: str, rows: Any) -> np.ndarray:
    """Row positions or a mask; the labels of an Index are neither.

    Raises:
      UserError: a pandas Index, or as `values_of`.
    """
    if hasattr(rows, "get_indexer"):
        raise UserError(
            f"{name} must be row positions or a bool mask, found an Index, whose "
            "labels are not positions; pass frame.index.isin(labels)"
        )
    return values_of(name, rows)


def as_numpy(name: str, values: Any) -> np.ndarray:
    """What `np.asarray` makes of something, or one line saying why it makes nothing.

    Raises:
      UserError: it cannot be read: ragged lists, tensors of another device.
    """
    try:
        return np.asarray(values)
    except Exception as error:  # each library raises of its own kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{name} ({type(values).__name__}) cannot be read as an array: {reason}"
        ) from error


def missing_in(values: Any) -> np.ndarray | None:
    """Which values of a Series or Index are missing: bool `[n]`; `None` for others."""
    for question in ("isna", "is_null"):
        if callable(ask := getattr(values, question, None)):
            return np.asarray(ask(), bool)
    return None


def check_same_index(features: Any, others: Mapping[str, Any]) -> None:
    """A Series goes with the rows of a table whose index it has, in the same order.

    pandas aligns by index where others go by position, so anything else is refused.

    Args:
      features: a table; others have no index.
      others: values a row, by name; those without an index go by position.

    Raises:
      UserError: another index.
    """
    index = _index_of(features)
    for name, values in others.items():
        own = None if index is None else _index_of(values)
        # Of another length they are positions of rows, or will be refused.
        if own is not None and len(own) == len(index) and not own.equals(index):
            raise UserError(
                f"{name} must have the index of the features in the same order, found "
                f"another; pass {name}.loc[features.index], or {name}.to_numpy() to go "
                "by position"
            )


def _index_of(value: Any) -> Any:
    index = getattr(value, "index", None)
    return index if hasattr(index, "equals") else None


def _columns_of(table: Any) -> tuple[list[str], list[Any]] | None:
    """Names and columns of a table of pandas, Arrow or polars, in this order."""
    if hasattr(table, "iloc") and hasattr(table, "columns"):
        names = list(map(str, table.columns))
        return names, [table.iloc[:, place] for place in range(len(names))]
    if hasattr(table, "column_names") and hasattr(table, "columns"):
        return list(table.column_names), list(table.columns)
    if hasattr(table, "get_columns"):
        return list(table.columns), list(table.get_columns())
    return None


def _from_columns(names: list[str], columns: list[Any]) -> np.ndarray:
    """float32 `[n, d]`; every column has to hold numbers."""
    arrays = [_numbers_of(column) for column in columns]
    bad = [place for place, array in enumerate(arrays) if array is None]
    if bad:
        listed = ", ".join(
            f"{names[place]!r} ({_type_of(columns[place])})" for place in bad[:_LISTED]
        )
        more = f" and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
        raise UserError(
            f"features must be columns of numbers, found {listed}{more}; pass the "
            "columns of numbers alone, or the one column of vectors, and names of "
            "rows as ids="
        )
    numbered = [name for name in names if name.lower() in _ID_NAMES]
    if numbered:
        raise UserError(
            f"features must not number the rows, found the column {numbered[0]!r}; "
            f"leave it out and pass it as ids="
        )
    rows = max(map(len, columns), default=0)
    whole = np.empty((rows, len(columns)), np.float32)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf
        # By blocks of rows: a whole column at once would touch every line of memory.
        for start in range(0, rows, _BLOCK_ROWS):
            block = whole[start : start + _BLOCK_ROWS]
            for place, array in enumerate(arrays):
                assert array is not None
                block[:, place] = array[start : start + _BLOCK_ROWS]
    return whole


def _numbers_of(column: Any) -> np.ndarray | None:
    """A column of real numbers, NaN where one is missing; `None` for others."""
    array = np.asarray(column)
    if array.dtype.kind in _NUMBERS and array.ndim == 1:
        return array
    if getattr(getattr(column, "dtype", None), "kind", "O") in _NUMBERS:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return None


def _type_of(column: Any) -> str:
    return str(getattr(column, "dtype", None) or getattr(column, "type", "?"))


def _stacked(vectors: np.ndarray) -> np.ndarray:
    """`[n, d]` of an object array of n vectors."""
    try:
        return np.stack([np.asarray(vector) for vector in vectors])
    except ValueError as error:
        lengths = sorted({np.shape(vector) for vector in vectors}, key=str)
        raise UserError(
            f"features must be vectors of one length, found the shapes "
            f"{', '.join(map(str, lengths[:_LISTED]))}; pad or remove them"
        ) from error


def _refuse_masked(name: str, values: Any) -> None:
    masked = isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values)
    if np.any(masked):
        raise UserError(
            f"{name} must have a value everywhere, found {int(np.sum(masked))} masked; "
            "fill or remove them"
        )


def _refuse_gradient(name: str, values: Any) -> None:
    if getattr(values, "requires_grad", False) is True:
        raise UserError(
            f"{name} must be plain numbers, found a tensor with a gradient; pass "
            f"{name}.detach()"
        )
