"""Rows that are not finite, left out of a round where a person asks for it.

They stay rows of the source, with their numbers, and count as unusable: in this round
and in those that go on from it.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from jaxsel.doctor.finding import Finding
from jaxsel.doctor.sweep import blocks
from jaxsel.errors import UserError
from jaxsel.verbs.explaining import Story
from jaxsel.verbs.represents import Explained

_NAMED = 5


class Fine(NamedTuple):
    """A pool and the part of it that is finite.

    Attributes:
      rows: real `[m, d]`, the rows that are finite.
      places: int64 `[m]`, ascending: their numbers in the source.
      dropped: int64 `[n - m]`, ascending: the others.
    """

    rows: np.ndarray
    places: np.ndarray
    dropped: np.ndarray

    def among(self, rows: Collection[int]) -> np.ndarray:
        """Where rows of the source are in this part; those that are not, left out."""
        wanted = np.array(sorted(rows), np.int64)
        return np.searchsorted(self.places, wanted[np.isin(wanted, self.places)])


def fine_part(rows: np.ndarray, drop: bool, unusable: Collection[int]) -> Fine:
    """The rows that selection can see.

    Args:
      rows: real `[n, d]`, memory-mapped too.
      drop: whether rows with NaN, infinity or numbers beyond float32 may be left out.
      unusable: rows that were left out before, whatever is asked now.

    Raises:
      UserError: no row is left.
    """
    n = len(rows)
    everything = Fine(rows, np.arange(n), np.zeros(0, np.int64))
    if not drop and not unusable:
        return everything
    fine = np.ones(n, bool)
    for where, block in blocks(rows):
        fine[where] = np.isfinite(block).all(axis=1)
    if not drop:
        others = np.ones(n, bool)
        others[list(unusable)] = False
        fine |= others
    if not fine.any():
        raise UserError(
            f"expected some rows of finite numbers, found none among {n:,}: compute "
            "the features again"
        )
    if fine.all():
        return everything
    places = np.flatnonzero(fine)
    return Fine(rows[places], places, np.flatnonzero(~fine))


def told(findings: list[Finding], fine: Fine, ids: np.ndarray) -> list[Finding]:
    """Findings on the part, with the rows' numbers in the source, and what was left."""
    moved = [
        one._replace(rows=tuple(fine.places[list(one.rows)].tolist()))
        for one in findings
    ]
    if not len(fine.dropped):
        return moved
    first = fine.dropped[:_NAMED]
    one = len(fine.dropped) == 1
    dropped = Finding(
        "dropped-rows",
        "warning",
        f"{len(fine.dropped):,} of {len(ids):,} rows {'is' if one else 'are'} not "
        f"finite and {'is' if one else 'are'} left out.",
        {},
        tuple(first.tolist()),
        tuple(str(name) for name in ids[first]),
        len(fine.dropped),
    )
    return [dropped, *moved]


def in_source(story: Story, fine: Fine, n: int) -> Story:
    """A story of the part, told of the source's `n` rows.

    A dropped row has no pick (-1), no distance and no norm (NaN), and is not covered.
    """
    if not len(fine.dropped):
        return story

    def moved(values: np.ndarray, blank: float) -> np.ndarray:
        found = np.full(n, blank, values.dtype)
        found[fine.places] = values
        return found

    def named(picks):
        return [pick._replace(index=int(fine.places[pick.index])) for pick in picks]

    seen = story.seen
    return story._replace(
        picks=named(story.picks),
        usable=named(story.usable),
        seen=Explained(
            moved(seen.nearest, -1),
            moved(seen.distances, np.nan),
            moved(seen.first, len(story.usable) + 1),
            moved(seen.norms, np.nan),
        ),
    )
