"""Coverage of a round: the radius, its curve, and what random picks would reach."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from jaxsel.evaluation.coverage import Coverage, knee, shares_by_rank
from jaxsel.evaluation.directions import (
    Centres,
    centres_of,
    evenly,
    first_within,
    squared,
    unit,
)
from jaxsel.selection.delta import REFERENCE_ROWS, auto_delta

DRAWS = 10
# Random picks are judged by so many rows: the error of a share is below 0.004.
JUDGES = 16_384
_JUDGED_NUMBERS = 1 << 24
_BLOCK_NUMBERS = 1 << 22


class Radius(NamedTuple):
    """How near a pick covers a row.

    Attributes:
      value: a distance between unit rows.
      rule: where it comes from, a few words.
    """

    value: float
    rule: str


def radius_of(rows: np.ndarray, own: float | None, method: str) -> Radius:
    """The method's own radius, or else that of `auto_delta`.

    Args:
      rows: finite real `[n, d]`, memory-mapped too; 2,048 of them are read.
      own: the method's, where it has one.
      method: its name.

    Returns:
      The radius.
    """
    if own is not None:
        return Radius(own, f"{method}'s own radius")
    # The very rows that auto_delta would take of the whole pool.
    sample = unit(rows[evenly(len(rows), REFERENCE_ROWS)])[0]
    return Radius(float(auto_delta(sample)), "the radius that fits the pool")


def coverage_of(
    rows: np.ndarray,
    first: np.ndarray,
    budget: int,
    radius: Radius,
    labelled: np.ndarray,
    unusable: Collection[int],
    seed: int,
) -> Coverage:
    """The coverage of the picks by rank, beside that of random draws of their number.

    Args:
      rows: finite real `[n, d]`, memory-mapped too.
      first: int `[n]` of `represents.explained` at this radius.
      budget: the number of usable picks.
      radius: what covers.
      labelled: int `[m]`, rows that had labels before.
      unusable: rows that may not be picked.
      seed: of the draws.

    Returns:
      Coverage; the picks' by all rows, the draws' by at most 16,384 of them.
    """
    shares = shares_by_rank(first, budget)
    free = np.ones(len(rows), bool)
    free[labelled] = free[list(unusable)] = False
    rows_to_draw = np.flatnonzero(free)
    rng = np.random.default_rng([seed, budget])
    most = max(1024, _JUDGED_NUMBERS // rows.shape[1])
    judges = evenly(len(rows), min(JUDGES, most))
    judged, lengths = unit(rows[judges])
    random = []
    for _ in range(DRAWS):
        drawn = rng.choice(rows_to_draw, budget, replace=False)
        turn = np.full(len(rows), budget + 1, np.int32)
        turn[drawn] = np.arange(budget) + 1
        found = _first_of(judged, lengths == 0, centres_of(rows[drawn]), radius.value)
        found = np.minimum(found, turn[judges])  # a row covers itself
        found[first[judges] == 0] = 0  # by the labelled rows
        random.append(shares_by_rank(found, budget))
    return Coverage(radius.value, radius.rule, shares, np.stack(random), knee(shares))


def _first_of(
    judged: np.ndarray, zero: np.ndarray, centres: Centres, radius: float
) -> np.ndarray:
    """For unit rows, the first of the centres within the radius; int32 `[m]`."""
    step = max(1, _BLOCK_NUMBERS // max(judged.shape[1], len(centres.rows)))
    found = np.empty(len(judged), np.int32)
    for start in range(0, len(judged), step):
        part = slice(start, start + step)
        squares = squared(judged[part] - centres.origin, centres)
        found[part] = first_within(squares, radius, zero[part], centres)
    return found
