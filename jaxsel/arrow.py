"""Columns of Arrow: what their types are to the rule, and their values as NumPy.

pyarrow is imported where it is used, since pools of `.npy` do without it.
"""

import json
from typing import Any

import numpy as np

from jaxsel.errors import UserError
from jaxsel.roles import CATEGORY, DATE, FLAG, NUMBER, OTHER, TEXT, VECTOR, Column


def columns_of(schema: Any) -> list[Column]:
    """Columns of an Arrow schema.

    What pandas and the datasets of Hugging Face write beside a schema is taken into
    account: which columns are an index, and which hold classes.
    """
    index, answers = set(), set()
    told = _beside(schema, b"pandas").get("index_columns")
    for entry in told if isinstance(told, list) else ():
        index |= {entry} if isinstance(entry, str) else set()
    told = _beside(schema, b"huggingface").get("info")
    features = told.get("features") if isinstance(told, dict) else None
    for name, kind in features.items() if isinstance(features, dict) else ():
        if isinstance(kind, dict) and kind.get("_type") == "ClassLabel":
            answers.add(name)
    return [
        Column(f.name, kind_of(f.type), str(f.type), f.name in index, f.name in answers)
        for f in schema
    ]


def _beside(schema: Any, key: bytes) -> dict[str, Any]:
    """What a library wrote beside a schema; nothing where that cannot be read."""
    try:
        found = json.loads((schema.metadata or {}).get(key, b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def kind_of(kind: Any) -> str:
    """What a type of Arrow is to the rule."""
    import pyarrow as pa

    t = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.fixed_shape_tensor":
            return VECTOR if _is_number(kind.value_type) else OTHER
        if kind.extension_name == "arrow.bool8":
            return FLAG
        return (
            TEXT if kind.extension_name == "arrow.uuid" else kind_of(kind.storage_type)
        )
    if _is_number(kind):
        return NUMBER
    if _is_list(kind):
        return VECTOR if _is_number(kind.value_type) else OTHER
    if t.is_boolean(kind):
        return FLAG
    if t.is_dictionary(kind):
        return TEXT if kind_of(kind.value_type) == TEXT else CATEGORY
    if t.is_temporal(kind):
        return DATE
    texts = (t.is_string, t.is_large_string, t.is_string_view, t.is_binary)
    return TEXT if any(is_text(kind) for is_text in texts) else OTHER


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    t = pa.types
    return bool(t.is_floating(kind) or t.is_integer(kind) or t.is_decimal(kind))


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    names = ("is_list", "is_large_list", "is_fixed_size_list", "is_list_view")
    asked = [getattr(pa.types, f, None) for f in (*names, "is_large_list_view")]
    return any(ask is not None and ask(kind) for ask in asked)


def numbers_of(column: Any) -> np.ndarray:
    """`[n]` of a column of numbers, or of true and false; NaN where one is missing."""
    import pyarrow as pa

    column = decoded(column)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    return column.to_numpy(zero_copy_only=False)


def vectors_of(column: Any, name: str, where: str) -> np.ndarray:
    """`[n, d]` of a column of lists, or of tensors of one shape, which are flattened.

    Raises:
      UserError: a row or a number is missing, or lengths differ.
    """
    import pyarrow as pa

    column = one_array(column)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    values = column.flatten()
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    if column.null_count or values.null_count:
        raise UserError(
            f"expected lists of numbers in column {name!r} of {where}, found "
            f"{column.null_count} empty rows and {values.null_count} empty numbers: "
            "fill or remove them"
        )
    lengths = np.unique(_lengths(column))
    if len(lengths) > 1:
        raise UserError(
            f"expected vectors of one length in column {name!r} of {where}, found "
            f"lengths {lengths[0]} to {lengths[-1]}: each row needs the same"
        )
    width = int(lengths[0]) if len(lengths) else 0
    return np.asarray(values).reshape(len(column), width)


def _lengths(column: Any) -> np.ndarray:
    import pyarrow as pa

    if pa.types.is_fixed_size_list(column.type):
        return np.full(min(1, len(column)), column.type.list_size)
    return np.asarray(column.value_lengths())


def one_array(column: Any) -> Any:
    """A column as one array."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    chunks = column.chunks
    return pa.concat_arrays(chunks) if chunks else pa.array([], column.type)


def decoded(column: Any) -> Any:
    """One array without the dictionary or the extension that it may be stored by."""
    import pyarrow as pa

    column = one_array(column)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string_view(column.type):  # few functions of Arrow know it
        column = column.cast(pa.string())
    keep = isinstance(column, pa.ExtensionArray)
    if keep and column.type.extension_name != "arrow.uuid":
        column = column.storage
    return column


def names_of(column: Any, name: str, where: str) -> np.ndarray:
    """Ids as text, str `[n]`, of a column of text, whole numbers or dates.

    Raises:
      UserError: an id is missing, or is of another kind.
    """
    column = decoded(column)
    values = _values(column)
    empty = [row for row, value in enumerate(values) if value is None or value == ""]
    if empty:
        raise UserError(
            f"expected an id in every row of column {name!r} of {where}, found "
            f"{len(empty)} empty rows, the first in row {empty[0]}: write ids as text, "
            "one a row"
        )
    try:
        return np.array([text_of_id(value) for value in values], dtype=str)
    except ValueError as error:
        raise UserError(
            f"expected ids that are text or whole numbers in column {name!r} of "
            f"{where}, found {error} ({column.type}): write them as text"
        ) from error


def names_or_nothing(column: Any) -> np.ndarray:
    """Ids as `names_of` has them; "" where one is missing or of another kind."""
    found = []
    for value in _values(decoded(column)):
        try:
            found.append(text_of_id(value))
        except ValueError:
            found.append("")
    return np.array(found, dtype=str)


def _values(column: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    return column.to_pylist()


def text_of_id(value: Any) -> str:
    """An id as text: 3.0 is 3, as where a gap once made floats of whole numbers.

    Raises:
      ValueError: it is neither text nor a whole number, or empty.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, str) and value:
        return value
    if value is None or isinstance(value, str | bool | list | dict):
        raise ValueError(repr(value))
    if hasattr(value, "hex") and not isinstance(value, int | float):  # a UUID
        return str(value)
    if not np.isfinite(float(value)) or value != int(value):
        raise ValueError(repr(value))
    return str(int(value))
