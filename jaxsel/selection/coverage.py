"""Does a selection cover the pool better than random draws of its size do?"""

import warnings
from typing import Any

import jax
import numpy as np

DRAWS = 20
# A share is estimated on at most so many rows; its standard error is below .008.
JUDGED = 4096
GATHERED = 256


class CoverageWarning(UserWarning):
    """A method that claims to cover the pool covered it no better than chance."""


def report(
    rows: jax.Array,
    picked: np.ndarray,
    labelled: np.ndarray,
    seed: int,
    radius: float | None = None,
    *,
    eligible: np.ndarray | None = None,
) -> dict[str, Any]:
    """Coverage of a selection beside that of 20 uniform draws of the same size.

    A row is covered when a pick or a labelled row lies nearer than the radius. The
    same rows judge all of them.

    Args:
      rows: float32 `[n, d]`, as the method saw them.
      picked: int `[s]`, s >= 1.
      labelled: bool `[n]`.
      seed: of the draws.
      radius: None for the median distance of a row to the nearest row of a random
        draw, at which chance covers half of the pool.
      eligible: bool `[n]`, rows that draws are made of; by default all but the
        labelled ones.

    Returns:
      coverage_radius; coverage_here, the selection's share; coverage_random, `[20]`
      shares; and no_better_than_random, whether coverage_here does not exceed
      their mean although they leave rows uncovered.
    """
    rng = np.random.default_rng([seed, len(picked)])
    n = rows.shape[0]
    judged = np.arange(n) if n <= JUDGED else rng.choice(n, JUDGED, replace=False)
    judges = np.asarray(rows[judged], np.float32)
    known = np.full(len(judges), np.inf, np.float32)
    if labelled.any():
        known = _nearest(judges, np.asarray(rows[np.flatnonzero(labelled)])[None])[0]
    free = np.flatnonzero(~labelled if eligible is None else eligible)
    draws = np.stack([rng.choice(free, len(picked), False) for _ in range(DRAWS)])
    # Many small draws share a gather and a product; one large draw has its own.
    together = max(1, GATHERED // len(picked))
    by_chance = np.concatenate(
        [
            _nearest(judges, np.asarray(rows[draws[start : start + together]]))
            for start in range(0, DRAWS, together)
        ]
    )
    by_chance = np.minimum(by_chance, known)
    if radius is None:
        radius = float(np.median(by_chance))
    here = np.minimum(_nearest(judges, np.asarray(rows[picked][None]))[0], known)
    # Nearer than the radius, and a median of 0 still covers the copies.
    radius = max(radius, float(np.finfo(np.float32).tiny))
    chance = np.mean(by_chance < radius, axis=1)
    share = float(np.mean(here < radius))
    return {
        "coverage_radius": radius,
        "coverage_here": share,
        "coverage_random": chance,
        # The mean of equal shares rounds; the shares are multiples of 1 / judged.
        "no_better_than_random": bool(share < chance.mean() + 1e-9 < 1.0),
    }


def warn(method: str, figures: dict[str, Any]) -> None:
    """Says so in a CoverageWarning when the selection is no better than random."""
    if figures["no_better_than_random"]:
        warnings.warn(
            f"{method} covers {figures['coverage_here']:.3f} of the pool within "
            f"{figures['coverage_radius']:.3g}, {DRAWS} random draws "
            f"{np.mean(figures['coverage_random']):.3f}: no better than random; "
            "try another radius, bandwidth or method",
            CoverageWarning,
            stacklevel=3,
        )


def _nearest(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """`[k, m]`: from each row `[m, d]` to the nearest of each set `[k, s, d]`."""
    # Centred on the rows' mean, or a common offset would drown the differences.
    mean = rows.mean(axis=0)
    rows, centres = rows - mean, centres - mean
    sets, size, d = centres.shape
    nearest = np.full((sets, len(rows)), np.inf, np.float32)
    squares = np.sum(rows * rows, axis=1)
    for start in range(0, size, GATHERED):
        part = centres[:, start : start + GATHERED].reshape(-1, d)
        squared = np.sum(part * part, axis=1)[:, None] - 2 * (part @ rows.T)
        squared = squared.reshape(sets, -1, len(rows)).min(axis=1)
        nearest = np.minimum(nearest, squared)
    return np.sqrt(np.maximum(nearest + squares, 0.0))
