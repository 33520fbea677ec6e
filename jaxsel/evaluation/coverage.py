"""Coverage against budget: what each further label adds, and where that turns small."""

from typing import NamedTuple

import numpy as np

# Of the curve's height: how far a knee stands out above its chord.
_STANDS_OUT = 0.1


class Coverage(NamedTuple):
    """How much of a pool is covered after each of `b` picks.

    Attributes:
      radius: nearer than this, between unit rows, a row is covered.
      rule: where the radius comes from, a few words.
      shares: float64 `[b + 1]`, of the pool after k picks; at 0 by what was labelled
        before.
      random: float64 `[draws, b + 1]`, the same for rows drawn uniformly.
      knee: how many picks reach it, see `knee`; `None` where there is none.
    """

    radius: float
    rule: str
    shares: np.ndarray
    random: np.ndarray
    knee: int | None

    @property
    def budget(self) -> int:
        """The number of picks."""
        return len(self.shares) - 1


def shares_by_rank(first: np.ndarray, budget: int) -> np.ndarray:
    """The share of rows covered after each pick.

    Args:
      first: int `[m]`, at least one: the pick that covers a row first, counted from 1;
        0 for what is covered before any pick, more than `budget` for what never is.
      budget: the number of picks.

    Returns:
      float64 `[budget + 1]`, ascending.

    Example:
      >>> shares_by_rank(np.array([1, 2, 2, 4]), 3).tolist()
      [0.0, 0.25, 0.75, 0.75]
    """
    counts = np.bincount(np.minimum(first, budget + 1), minlength=budget + 2)
    return np.cumsum(counts[: budget + 1]) / len(first)


def knee(values: np.ndarray) -> int | None:
    """Where a curve that rises ever more slowly turns: farthest above its chord.

    With both axes stretched to 0 ... 1, the k that maximises `y_k - x_k`.

    Differs from the paper: all of the curve is known, so it is neither smoothed nor
    followed point by point with a sensitivity; instead a knee has to stand a tenth of
    the height above the chord.

    Args:
      values: `[b + 1]`, at k = 0 ... b.

    Returns:
      k, the first of several; `None` for a curve that does not rise or has no knee.

    Example:
      >>> knee(np.array([0.0, 0.5, 0.8, 0.85, 0.9])), knee(np.arange(5.0))
      (2, None)

    Source: Satopää et al., "Finding a 'Kneedle' in a Haystack", ICDCSW 2011.
    """
    rise = float(values[-1] - values[0])
    if len(values) < 3 or rise <= 0:
        return None
    above = (values - values[0]) / rise - np.linspace(0, 1, len(values))
    place = int(above.argmax())
    return place if above[place] > _STANDS_OUT else None
