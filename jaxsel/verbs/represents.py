"""Which pick every row of the pool belongs to, how far away, and what covers it first.

One pass over the rows in blocks, so that a memory-mapped pool stays on disk.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxsel.evaluation.directions import (
    Centres,
    centres_of,
    first_within,
    squared,
    unit,
)

_BLOCK_NUMBERS = 1 << 22
_LABELLED_AT_ONCE = 1024


class Explained(NamedTuple):
    """What one pass says of `n` rows and `b` picks; 20 bytes a row.

    Attributes:
      nearest: int32 `[n]`, the place among the picks of the one that is nearest.
      distances: float32 `[n]`, to it, between unit rows.
      first: int32 `[n]`, the first pick within the radius, from 1; 0 where a labelled
        row is, b + 1 where none is. A zero row covers only itself.
      norms: float64 `[n]`, of the rows themselves.
    """

    nearest: np.ndarray
    distances: np.ndarray
    first: np.ndarray
    norms: np.ndarray


def explained(
    rows: np.ndarray,
    picks: np.ndarray,
    radius: float,
    labelled: np.ndarray | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> Explained:
    """Assigns every row to the nearest pick, and finds what covers it first.

    Row `i` belongs to `argmin_p ||u_i - u_p||` over the picks `p`, with `u` the row
    over its length (a zero row stays zero), that is to the pick at the greatest cosine;
    ties go to the pick that comes first, and a pick always belongs to itself.

    Args:
      rows: finite real `[n, d]`, memory-mapped too; read in blocks of 2^22 numbers.
      picks: int `[b]`, distinct rows, by rank, b at least 1.
      radius: of coverage: a row is covered by what is nearer.
      labelled: int `[m]`, rows that cover from the start.
      advance: told of the rows done.

    Returns:
      What was found.

    Example:
      >>> pool = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 2.0]])
      >>> found = explained(pool, np.array([0, 2]), 0.5)
      >>> found.nearest.tolist(), found.first.tolist(), found.norms[2].item()
      ([0, 0, 1], [1, 1, 2], 2.0)
    """
    n, d = rows.shape
    centres = centres_of(rows[picks])
    known = _parts(rows, labelled)
    nearest, first = np.empty(n, np.int32), np.empty(n, np.int32)
    distances, norms = np.empty(n, np.float32), np.empty(n)
    step = max(1, _BLOCK_NUMBERS // max(d, len(picks)))
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        block, norms[part] = unit(rows[part])
        zero = norms[part] == 0
        before = _covered(block, zero, known, radius)
        block -= centres.origin
        squares = squared(block, centres)
        # A zero row is as far from all picks but zero ones: rounding must not choose.
        squares[zero] = ~centres.zero
        nearest[part] = squares.argmin(axis=1)
        first[part] = np.where(before, 0, first_within(squares, radius, zero, centres))
        # From the difference itself: of two products little would be left when near.
        block -= centres.rows[nearest[part]]
        distances[part] = np.sqrt(np.einsum("ij,ij->i", block, block))
        advance(len(block))
    nearest[picks] = np.arange(len(picks))
    distances[picks] = 0
    first[picks] = np.minimum(first[picks], np.arange(len(picks)) + 1)
    if labelled is not None:
        first[labelled] = 0
    return Explained(nearest, distances, first, norms)


def _parts(rows: np.ndarray, labelled: np.ndarray | None) -> list[Centres]:
    if labelled is None:
        return []
    return [
        centres_of(rows[labelled[start : start + _LABELLED_AT_ONCE]])
        for start in range(0, len(labelled), _LABELLED_AT_ONCE)
    ]


def _covered(
    block: np.ndarray, zero: np.ndarray, known: list[Centres], radius: float
) -> np.ndarray:
    """Which unit rows have a labelled one nearer than the radius; bool `[m]`."""
    covered = np.zeros(len(block), bool)
    for centres in known:
        open_rows = np.flatnonzero(~covered)
        if not len(open_rows):
            break
        squares = squared(block[open_rows] - centres.origin, centres)
        first = first_within(squares, radius, zero[open_rows], centres)
        covered[open_rows] = first <= len(centres.rows)
    return covered
