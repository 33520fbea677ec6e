"""Arrays and tables of other libraries as NumPy, by what they can do, not by name.

Tables are those of pandas, polars and Arrow (`jaxsel.frames`); arrays are whatever
speaks DLPack or `__array__`. What cannot be meant is refused: the labels of an index
are not positions, a masked or missing value is not a number, and True is not 1.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.frames import frame_of, read_frame, stacked
from jaxsel.roles import NOTHING, VECTOR, Asked, Roles, asked_of

_NUMBERS = "fiu"


def matrix_of(features: Any) -> Any:
    """Features in a form that NumPy or JAX takes; see `features_of`.

    Example:
      >>> matrix_of([[1, 2], [3, 4]]).shape
      (2, 2)
    """
    return features_of(features)[0]


def features_of(features: Any, asked: Asked = NOTHING) -> tuple[Any, Roles | None]:
    """Features in a form that NumPy or JAX takes; the numbers are not looked at.

    - A table: those of its columns that `jaxsel.columns` chooses.
    - A column of vectors, as of pandas, polars or Arrow: `[n, d]`.
    - What speaks DLPack is returned as it is.
    - Anything else by `np.asarray`.

    Args:
      features: a table, a column, an array, a tensor, or nested lists.
      asked: what the caller says of the columns of a table.

    Returns:
      An array, or an object with `__dlpack__`; and of a table, what its columns are.

    Raises:
      UserError: columns that cannot be chosen from, missing or masked values, a tensor
        with a gradient, a sparse matrix, vectors of several lengths.
    """
    _refuse_masked("features", features)
    if (frame := frame_of(features)) is not None:
        return read_frame(frame, asked)
    if asked != NOTHING:
        said = ", ".join(f"{name}={value!r}" for name, value in asked.record().items())
        raise UserError(
            f"expected a table of pandas, polars or Arrow with {said}, found "
            f"{type(features).__name__}: leave that out"
        )
    if hasattr(features, "collect") and not hasattr(features, "to_numpy"):
        raise UserError("features are a lazy table: pass features.collect()")
    if isinstance(features, np.ndarray):
        array = np.asarray(features)  # of a masked array without a mask, its numbers
    elif hasattr(features, "__dlpack__") and not hasattr(features, "to_numpy"):
        _refuse_gradient("features", features)
        return features, None
    else:
        array = as_numpy("features", _as_plain(features))
    if array.dtype == object and array.ndim == 1:
        array = stacked(array)
    return array, None


def _as_plain(column: Any) -> Any:
    """A column of vectors of Arrow, as of a file with tensors; others as they are."""
    if type(column).__module__.partition(".")[0] != "pyarrow":
        return column
    from jaxsel.arrow import kind_of, vectors_of

    if kind_of(getattr(column, "type", None)) != VECTOR:
        return column
    return vectors_of(column, "features", "the features")


def table_of(features: Any, columns: Any, ids: Any) -> tuple[Any, Any, Roles | None]:
    """Features and ids, the columns of a table named by the caller or by the rule.

    Args:
      features: what `features_of` takes.
      columns: names of the columns that are the features, or None.
      ids: values a row, or of a table the name of the column that has them, or None.

    Returns:
      The features as `features_of` has them, the ids as values a row or None, and of a
      table what its columns are.
    """
    named = isinstance(ids, str)
    found, roles = features_of(features, asked_of(columns, ids=ids if named else None))
    frame = frame_of(features) if named else None
    return found, ids if frame is None else frame.column(ids), roles


def values_of(name: str, values: Any) -> np.ndarray:
    """One value a row, or a list of rows, as NumPy.

    Args:
      name: what to call it in a message.
      values: a Series, an Index, a tensor, an array or a list.

    Returns:
      The values, in their own type.

    Raises:
      UserError: a missing or masked value, values of several kinds, or a tensor with a
        gradient.

    Example:
      >>> values_of("ids", ["a", "b"]).tolist()
      ['a', 'b']
    """
    _refuse_masked(name, values)
    _refuse_gradient(name, values)
    _refuse_mixed(name, values)
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
      UserError: it cannot be read: ragged lists, tensors of another device, a sparse
        matrix.
    """
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise UserError(
            f"{name} must be dense, found a sparse {type(values).__name__} of shape "
            f"{tuple(values.shape)}; pass {name}.toarray()"
        )
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


def is_missing(value: Any) -> bool:
    """Whether an object stands for a gap: None, NaN, NA, NaT or a masked value.

    Example:
      >>> is_missing(None), is_missing(float("nan")), is_missing("nan")
      (True, True, False)
    """
    if value is None or value is np.ma.masked:
        return True
    if type(value).__name__ in ("NAType", "NaTType"):  # compares as neither
        return True
    return isinstance(value, float | np.generic) and bool(value != value)


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


def _refuse_mixed(name: str, values: Any) -> None:
    """NumPy would make text of numbers beside text, and 1 of True beside numbers."""
    if not isinstance(values, list | tuple):
        return
    kinds = {}
    for kind in set(map(type, values)):
        for word, kin in (("bool", bool | np.bool_), ("text", str), ("bytes", bytes)):
            if issubclass(kind, kin):
                kinds[word] = kind
                break
        else:
            kinds.setdefault("numbers", kind)
    if len(kinds) > 1:
        raise UserError(
            f"{name} must be all of one kind, found {' and '.join(sorted(kinds))} in "
            "one list; write them as one kind"
        )
