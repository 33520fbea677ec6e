"""Rows with NaN or infinity left out of a pool, where a person asks for it."""

import dataclasses
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsel.arrays import values_of
from jaxsel.errors import UserError
from jaxsel.selection import magnitudes, validate
from jaxsel.selection.constraints import Constraints

_NAMED = 5


class DroppedRowsWarning(UserWarning):
    """Rows that are not finite were left out, as was asked for."""


class Kept(NamedTuple):
    """A pool without its bad rows.

    Attributes:
      features: `[m, d]`.
      rows: int64 `[m]`, ascending: the rows that are left.
      dropped: int64 `[n - m]`, ascending: those that are not.
    """

    features: Any
    rows: np.ndarray
    dropped: np.ndarray


def finite_rows(features: Any) -> np.ndarray:
    """bool `[n]`: rows without NaN and infinity, in the type that they have.

    Args:
      features: real `[n, d]`, a NumPy array, memory-mapped too, or a `jax.Array`.
    """
    if isinstance(features, jax.Array) and features.dtype.itemsize <= 4:
        rows = features.astype(np.float32)
        return np.isfinite(
            magnitudes.largest_entries(np.asarray(magnitudes.row_bits(rows)))
        )
    step = max(1, (1 << 22) // features.shape[1])
    parts = [
        np.isfinite(np.asarray(features[start : start + step])).all(axis=1)
        for start in range(0, features.shape[0], step)
    ]
    return np.concatenate(parts)


def without_bad_rows(features: Any) -> Kept:
    """A checked matrix without its rows of NaN or infinity.

    Raises:
      UserError: no row is left.
    """
    fine = finite_rows(features)
    rows, dropped = np.flatnonzero(fine), np.flatnonzero(~fine)
    if not len(rows):
        raise UserError(
            f"expected some rows of finite numbers, found NaN or infinity in all "
            f"{len(fine)}: compute the features again"
        )
    return Kept(features[rows] if len(dropped) else features, rows, dropped)


def sentence(dropped: Any, n: int) -> str:
    """How many rows were left out, and which.

    Example:
      >>> sentence([3, 8], 100)
      '2 of 100 rows have NaN or infinity and are left out: 3, 8'
    """
    named = ", ".join(str(row) for row in list(dropped)[:_NAMED])
    more = len(dropped) - _NAMED
    return (
        f"{len(dropped):,} of {n:,} rows {'has' if len(dropped) == 1 else 'have'} NaN "
        f"or infinity and {'is' if len(dropped) == 1 else 'are'} left out: {named}"
        + (f" and {more:,} more" if more > 0 else "")
    )


def of_kept(
    kept: Kept,
    labelled: np.ndarray,
    ids: Any,
    constraints: Constraints | None,
    options: dict[str, Any],
    by_row: Any,
) -> tuple[np.ndarray, Any, Constraints | None, dict[str, Any]]:
    """What was given for all rows, for those that are kept.

    Args:
      kept: the pool.
      labelled: bool `[n]`.
      ids: `[n]` or None.
      constraints: on all rows.
      options: of the method; one that names candidates names kept rows alone.
      by_row: names of options with one value a row.
    """
    n = len(labelled)
    options = dict(options)
    for name in by_row:
        if options.get(name) is not None:
            values = values_of(name, options[name])
            if values.shape == (n,):
                options[name] = values[kept.rows]
    if options.get("candidates") is not None:
        rows = validate.distinct_rows(
            "candidates", np.asarray(options["candidates"]), n
        )
        if np.isin(rows, kept.dropped).any():
            raise UserError(
                f"candidates name row {rows[np.isin(rows, kept.dropped)][0]}, which "
                "has NaN or infinity and is left out"
            )
        options["candidates"] = np.searchsorted(kept.rows, rows)
    if constraints is not None:
        constraints = _whole(constraints, n).within(kept.rows)
    names = None if ids is None else values_of("ids", ids)
    if names is not None and names.shape == (n,):
        names = names[kept.rows]
    return labelled[kept.rows], names, constraints, options


def _whole(constraints: Constraints, n: int) -> Constraints:
    """The same with NumPy arrays, whose entries are taken by position."""
    moved: dict[str, Any] = {}
    for name in ("groups", "strata", "costs"):
        if (values := getattr(constraints, name)) is not None:
            moved[name] = values_of(name, values)
            if moved[name].shape != (n,):
                raise UserError(
                    f"{name} must be one value per row, shape ({n},), found "
                    f"{moved[name].shape}"
                )
    if constraints.exclude is not None:
        moved["exclude"] = validate.as_labelled(constraints.exclude, n, "exclude")
    return dataclasses.replace(constraints, **moved)
