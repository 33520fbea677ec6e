"""Picks of a pool in which some rows are labelled and some must never be picked."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsel.annotation.picks import Pick, extended
from jaxsel.errors import UserError
from jaxsel.experiment.progress import Waiting
from jaxsel.planning.forecast import forecast
from jaxsel.planning.machine import machine
from jaxsel.planning.shape import Call, shape_of
from jaxsel.selection.api import select
from jaxsel.selection.constraints import Constraints
from jaxsel.sources.source import Source

_LARGE = 1 << 22  # numbers, below which every method takes seconds


class Picked(NamedTuple):
    """What a method picked.

    Attributes:
      picks: ranked from 1.
      radius: of coverage, between unit rows, where the method has one.
      heeded: what came of the constraints: included, spent, ended; empty without.
    """

    picks: list[Pick]
    radius: float | None
    heeded: Mapping[str, Any]

    @property
    def ended(self) -> str:
        """Why there are no more: "budget" or "funds"."""
        return self.heeded.get("ended", "budget")


def pick_rows(
    source: Source,
    rows: np.ndarray,
    more: int,
    method: str,
    seed: int,
    *,
    labelled: Collection[int] = (),
    excluded: Collection[int] = (),
    constraints: Constraints | None = None,
    options: Mapping[str, Any] | None = None,
) -> Picked:
    """Picks rows; `represents` is still 0, see `explaining.explain`.

    Excluded rows are taken out of the pool before the method sees it: to be labelled
    would mean that their neighbours need no label.

    Args:
      source: where the rows' names come from.
      rows: real `[n, d]`.
      more: how many to pick.
      method: of `jaxsel.METHODS`.
      seed: of the choice.
      labelled: rows that have labels or are to get them; the method sees them.
      excluded: rows that can not be used.
      constraints: on the rows of the whole pool.
      options: of the method.

    Returns:
      The picks, ranked from 1, and the method's radius.

    Raises:
      UserError: as `check_room`, or what the method refuses.
    """
    check_room(len(rows), labelled, excluded, more)
    gone = np.zeros(len(rows), bool)
    gone[list(excluded)] = True
    known = np.zeros(len(rows), bool)
    known[list(labelled)] = True
    known &= ~gone
    where = np.flatnonzero(~gone)
    seen, ids = rows, _order(source.ids)
    if gone.any():
        seen, known = rows[where], known[where]
        ids = None if ids is None else ids[where]
        constraints = constraints and constraints.within(where)
    about = _about(method, seen, more, int(known.sum()), options or {})
    with Waiting(f"picking {more:,} of {len(seen):,} rows by {method}{about}"):
        selection = select(
            seen,
            more,
            method,
            labelled=known,
            seed=seed,
            ids=ids,
            constraints=constraints,
            **(options or {}),
        )
    picks = []
    for rank, (row, gain) in enumerate(
        zip(where[selection.indices], selection.gains, strict=True), start=1
    ):
        value = float(gain) if math.isfinite(gain) else None
        name, path = str(source.ids[row]), path_in(source, int(row))
        picks.append(Pick(rank, name, path, int(row), value, 0))
    names = ("included", "spent", "ended") if constraints is not None else ()
    heeded = {name: selection.info[name] for name in names}
    return Picked(picks, selection.info.get("delta"), heeded)


def _about(
    method: str,
    rows: np.ndarray,
    more: int,
    labelled: int,
    options: Mapping[str, Any],
) -> str:
    """How long it may take, where that is worth a measurement of the machine."""
    if rows.size < _LARGE or not more:
        return ""
    call = Call(shape_of(rows), more, labelled, options)
    seconds = forecast(method, call, machine()).seconds
    return f", some {seconds:,.0f} s by forecast" if seconds >= 5 else ""


def check_room(
    n: int, labelled: Collection[int], excluded: Collection[int], more: int
) -> None:
    """There are as many rows left to pick as are asked for.

    Args:
      n: rows of the pool.
      labelled: rows that have labels or were picked before.
      excluded: rows that can not be used.
      more: how many are to be picked.

    Raises:
      UserError: there are fewer; how many there are and why.
    """
    bad = set(excluded)
    known = set(labelled) - bad
    left = n - len(bad) - len(known)
    if more > left:
        raise UserError(
            f"expected at most {left} picks (a pool of {n} rows, {len(known)} labelled "
            f"or picked before, {len(bad)} unusable), found {more}: ask for fewer"
        )


def path_in(source: Source, row: int) -> str:
    """Where an image lies below the source's folder; nothing for a row of features."""
    if source.paths is None:
        return ""
    return source.paths[row].relative_to(source.path).as_posix()


def joined(
    earlier: Sequence[Pick], stay: Collection[str], new: Sequence[Pick]
) -> list[Pick]:
    """Earlier picks that stay, with the ranks they had, and new ones behind them all.

    Example:
      >>> a, b = Pick(1, "a", "", 3, None, 9), Pick(2, "b", "", 5, None, 4)
      >>> c = Pick(1, "c", "", 6, None, 1)
      >>> [(pick.id, pick.rank) for pick in joined([a, b], {"a"}, [c])]
      [('a', 1), ('c', 3)]
    """
    fresh = {pick.id for pick in new}
    together = extended(earlier, new)
    return [pick for pick in together if pick.id in stay or pick.id in fresh]


def _order(ids: np.ndarray) -> np.ndarray | None:
    """Ids to break ties by; rows that only have numbers are in their order already."""
    numbered = np.array_equal(ids, np.arange(len(ids)).astype(ids.dtype))
    return None if numbered else ids
