"""How good a selection is, by measures that do not depend on who made it."""

import numpy as np

from benchmarks.baselines import unit

RADIUS = 0.65
ROWS = 8192


def coverage(x: np.ndarray, picks: np.ndarray, radius: float = RADIUS) -> float:
    """Share of the unit rows that lie within `radius` of a picked one."""
    return float((_closest(x, picks) > 1 - radius**2 / 2).mean())


def mean_similarity(x: np.ndarray, picks: np.ndarray, gamma: float = 1.0) -> float:
    """mean_y max_c exp(-gamma ||y - c||²) over unit rows, what MaxHerding raises."""
    return float(np.exp(2 * gamma * (_closest(x, picks) - 1.0)).mean())


def mean_residual(x: np.ndarray, picks: np.ndarray) -> float:
    """Mean share of a row's squared length outside the span of the picks."""
    basis, _ = np.linalg.qr(x[picks].T.astype(np.float64))
    basis = basis.astype(np.float32)
    total = 0.0
    for i in range(0, len(x), ROWS):
        rows = x[i : i + ROWS]
        inside = np.square(rows @ basis).sum(axis=1)
        total += float(np.sum(1 - inside / np.square(rows).sum(axis=1)))
    return total / len(x)


def largest_distance(x: np.ndarray, picks: np.ndarray) -> float:
    """max_y min_c ||y - c||, what k-center lowers."""
    centres = x[picks]
    worst = 0.0
    for i in range(0, len(x), ROWS):
        rows = x[i : i + ROWS]
        squared = np.square(rows).sum(axis=1)[:, None] - 2 * rows @ centres.T
        squared += np.square(centres).sum(axis=1)
        worst = max(worst, float(squared.min(axis=1).max()))
    return float(np.sqrt(max(worst, 0.0)))


def _closest(x: np.ndarray, picks: np.ndarray) -> np.ndarray:
    """Each unit row's largest inner product with a picked one."""
    chosen = unit(x[picks]).T
    parts = [
        (unit(x[i : i + ROWS]) @ chosen).max(axis=1) for i in range(0, len(x), ROWS)
    ]
    return np.concatenate(parts)


MEASURES = {
    "coverage": coverage,
    "mean_similarity": mean_similarity,
    "mean_residual": mean_residual,
    "largest_distance": largest_distance,
}
