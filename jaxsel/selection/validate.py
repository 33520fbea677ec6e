"""The boundary: people's input becomes arrays, or one line saying what is wrong."""

import contextlib
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.arrays import matrix_of, positions_of, values_of
from jaxsel.errors import UserError
from jaxsel.selection import magnitudes
from jaxsel.selection.half import widened

# Bytes that the address of a buffer of XLA's must be a multiple of.
_ALIGNMENT = 64


class Features(NamedTuple):
    """A pool as it was checked.

    Attributes:
      rows: float32 `[n, d]` on the default device. A number beyond float32 is infinite
        or 0 there, see `entries`.
      entries: float64 `[n]`, the largest absolute number of each row as it was given.
      given: the array that `rows` was made from.
    """

    rows: jax.Array
    entries: np.ndarray
    given: Any


def as_features(features: Any) -> Features:
    """A finite `[n, d]` array on the default device, and how large its rows are.

    Args:
      features: NumPy array (any float or integer type, memory-mapped too),
        `jax.Array`, nested list, any object with `__dlpack__`, or a table of pandas,
        polars or Arrow (`jaxsel.arrays.matrix_of`).

    Raises:
      UserError: wrong rank or type, an empty pool, NaN or infinity.
    """
    array = given = as_matrix(features)
    with np.errstate(over="ignore"):
        if isinstance(array, np.ndarray):
            # Nothing writes to it while it is used: an aligned array need not be
            # copied, and another type is converted once, into its last place.
            array = jax.device_put(_aligned(array), may_alias=True)
        array = widened(jnp.asarray(array))
    entries = magnitudes.largest_entries(
        np.asarray(magnitudes.row_bits(array)), reader_of(given)
    )
    refuse_not_finite(np.flatnonzero(~np.isfinite(entries)))
    return Features(array, entries, given)


def reader_of(array: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """Reads rows of an array whose numbers may be beyond float32; None of others."""
    kind = np.dtype(array.dtype)
    if kind.kind != "f" or kind.itemsize <= 4:
        return None
    return lambda rows: np.asarray(array[rows])


def as_matrix(features: Any) -> Any:
    """The array behind what people give, of a rank, type and size that can be used."""
    array = _as_array(features)
    kind = np.dtype(array.dtype)
    # A span of time is an integer to NumPy; bfloat16 is no number to it.
    if kind.kind not in "fiu" and not jnp.issubdtype(kind, jnp.floating):
        raise UserError(
            f"features must be float or integer numbers, found {kind}; "
            "convert them to float32 first"
        )
    if array.ndim != 2:
        raise UserError(
            f"features must have shape [n, d], found shape {tuple(array.shape)}; "
            "reshape to one row per example"
        )
    if 0 in array.shape:
        raise UserError(
            f"features must hold at least one row and one column, found shape "
            f"{tuple(array.shape)}: the pool is empty"
        )
    return array


def refuse_not_finite(bad: np.ndarray) -> None:
    """Refuses a pool in which some rows, int `[m]` ascending, are not finite."""
    if bad.size:
        raise UserError(
            f"features must be finite numbers, found NaN or infinity in "
            f"{bad.size} row(s), first in row {bad[0]}; remove or repair them, or "
            "leave them out with drop_bad=True"
        )


def _aligned(array: np.ndarray) -> np.ndarray:
    """float32 at an address that JAX on a CPU can use as it is: the array, or a copy.

    JAX would copy it as well, but into fresh pages of 4 KiB, each a fault; NumPy asks
    for huge ones: half of the time for 100 MB.
    """
    place = array.ctypes.data % _ALIGNMENT
    if array.dtype == np.float32:
        usable = place == 0 and array.flags.c_contiguous
        if usable or jax.default_backend() != "cpu":
            return array
    size = array.size * 4
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    copy = memory[start : start + size].view(np.float32).reshape(array.shape)
    np.copyto(copy, array, casting="unsafe")
    return copy


def as_labelled(labelled: Any, n: int, name: str = "labelled") -> np.ndarray:
    """A bool mask `[n]` from None, row indices, or a bool mask."""
    mask = np.zeros(n, bool)
    if labelled is None:
        return mask
    rows = positions_of(name, labelled)
    if rows.dtype == bool:
        if rows.shape != (n,):
            raise UserError(
                f"a mask for {name} must have shape ({n},), found {rows.shape}"
            )
        return rows.copy()
    if rows.size == 0:
        return mask
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise UserError(
            f"{name} must be a list of row indices or a bool mask, found "
            f"{rows.dtype} of shape {rows.shape}"
        )
    mask[distinct_rows(name, rows, n)] = True
    return mask


def distinct_rows(name: str, rows: np.ndarray, n: int) -> np.ndarray:
    """Whole numbers `[m]` that are distinct rows of a pool of `n`."""
    wrong = rows[(rows < 0) | (rows >= n)]
    if wrong.size:
        raise UserError(
            f"{name} indices must lie in 0..{n - 1}, found {wrong[0]}; "
            "negative indices are not counted from the end"
        )
    values, counts = np.unique(rows, return_counts=True)
    if (counts > 1).any():
        raise UserError(
            f"{name} indices must be distinct, found {values[counts > 1][0]} "
            "more than once"
        )
    return rows


def as_candidates(candidates: Any, labelled: np.ndarray, budget: int) -> np.ndarray:
    """Rows that a first stage proposed: distinct, unlabelled, enough for the budget."""
    rows = positions_of("candidates", candidates)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise UserError(
            "candidates must be a list of row indices, found "
            f"{rows.dtype} of shape {rows.shape}"
        )
    if labelled[distinct_rows("candidates", rows, len(labelled))].any():
        raise UserError("candidates must be unlabelled rows, found labelled ones")
    if len(rows) < budget:
        raise UserError(
            f"expected at least {budget} candidates for a budget of {budget}, found "
            f"{len(rows)}"
        )
    return rows


def as_budget(budget: Any, n: int, n_labelled: int) -> int:
    """A budget between 0 and the number of unlabelled rows."""
    number = as_whole("budget", budget)
    if number < 0:
        raise UserError(f"budget must be 0 or more, found {number}")
    if number > n - n_labelled:
        raise UserError(
            f"budget {number} is more than the {n - n_labelled} unlabelled rows "
            f"(pool of {n}, {n_labelled} labelled); ask for at most {n - n_labelled}"
        )
    return number


def as_whole(name: str, value: Any) -> int:
    """A whole number; True is none."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise UserError(f"{name} must be a whole number, found {value!r}")


def as_seed(seed: Any) -> int:
    """A seed that `jax.random.key` takes without wrapping."""
    number = as_whole("seed", seed)
    if not 0 <= number < 2**32:
        raise UserError(f"seed must lie in 0..2^32 - 1, found {number}")
    return number


def id_order(ids: Any, n: int) -> np.ndarray | None:
    """The rows in ascending id order, or None where they already are."""
    if ids is None:
        return None
    if isinstance(ids, str):
        raise UserError(
            f"ids must be one per row, or the name of a column of a table, found "
            f"{ids!r} and features that are no table"
        )
    names = values_of("ids", ids)
    if names.shape != (n,):
        raise UserError(
            f"ids must be one per row, shape ({n},), found shape {names.shape}"
        )
    if names.dtype.kind not in "iuSUO":
        raise UserError(f"ids must be whole numbers or strings, found {names.dtype}")
    try:
        order = np.argsort(names, kind="stable")
    except TypeError:
        raise UserError(
            "ids must be all numbers or all strings, found several kinds"
        ) from None
    ranked = names[order]
    twice = np.flatnonzero(ranked[1:] == ranked[:-1])
    if twice.size:
        raise UserError(f"ids must be distinct, found {ranked[twice[0]]!r} twice")
    return None if np.array_equal(order, np.arange(n)) else order


def as_row_values(name: str, values: Any, n: int, dtype: Any) -> np.ndarray:
    """An array `[n]`, one value a row: lengths, or the names of groups as 0, 1, ..."""
    array = values_of(name, values)
    if array.shape != (n,):
        raise UserError(
            f"{name} must be one value per row, shape ({n},), found {array.shape}"
        )
    whole = np.issubdtype(dtype, np.integer)
    if array.dtype.kind not in ("iu" if whole else "iuf"):
        kind = "whole numbers" if whole else "numbers"
        raise UserError(f"{name} must be {kind}, found {array.dtype}")
    if whole:  # names of groups: their order is what counts
        return np.unique(array, return_inverse=True)[1].astype(dtype)
    with np.errstate(over="ignore"):  # what the type cannot hold becomes inf
        array = array.astype(dtype)
    if not np.all(np.isfinite(array)) or np.any(array < 0):
        raise UserError(f"{name} must be finite, 0 or more, found otherwise")
    return array


def as_count(name: str, value: Any) -> int:
    """A whole number of 1 or more."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise UserError(f"{name} must be a whole number of 1 or more, found {value!r}")
    return number


def as_width(name: str, value: Any) -> float:
    """A positive finite number, for options such as `delta`."""
    number = float("nan")
    if not isinstance(value, bool | np.bool_ | str | bytes):
        with contextlib.suppress(TypeError, ValueError):
            number = float(value)
    if not 0 < number < float("inf"):
        raise UserError(f"{name} must be a number above 0, found {value!r}")
    return number


def _as_array(features: Any) -> Any:
    if isinstance(features, jax.Array):
        return features
    found = matrix_of(features)
    return found if isinstance(found, np.ndarray) else _from_dlpack(found)


def _from_dlpack(features: Any) -> Any:
    """By JAX, or by NumPy, which takes some that JAX refuses (read-only ones)."""
    refusals = []
    for read in (jnp.from_dlpack, np.from_dlpack):
        try:
            return read(features)
        except Exception as error:
            refusals.append(error)
    raise UserError(
        f"features ({type(features).__name__}) cannot be read through DLPack "
        f"({str(refusals[0]).splitlines()[0]}); pass a detached CPU or GPU array"
    ) from refusals[0]
