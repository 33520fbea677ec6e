"""A plane to look at a pool in: the two directions in which its rows differ most."""

from typing import NamedTuple

import numpy as np

from jaxsel.evaluation.directions import evenly, unit

_NUMBERS = 1 << 23  # of the sample that the directions are found from
_SAMPLE = 20_000
_WIDTH = 8  # directions sought, of which two are kept: they settle sooner
_STEPS = 12


class Plane(NamedTuple):
    """Two directions through the mean of unit rows.

    Attributes:
      origin: float32 `[d]`.
      axes: float32 `[d, 2]`, orthonormal.
      share: of the rows' variance, how much lies in the plane.
    """

    origin: np.ndarray
    axes: np.ndarray
    share: float

    def points(self, rows: np.ndarray) -> np.ndarray:
        """Where real rows `[m, d]` lie, at length 1; float32 `[m, 2]`."""
        step = max(1, _NUMBERS // max(1, rows.shape[1]))
        parts = [
            (unit(rows[start : start + step])[0] - self.origin) @ self.axes
            for start in range(0, len(rows), step)
        ]
        return np.concatenate([np.empty((0, 2), np.float32), *parts])


def plane_of(rows: np.ndarray) -> Plane:
    """The first two principal components of the rows at length 1.

    By subspace iteration on at most 20,000 rows and 2^23 numbers, evenly spread, so a
    memory-mapped pool stays on disk. Each axis points to where its largest entry is
    positive: the same rows give the same picture.

    Args:
      rows: finite real `[n, d]`, n at least 1.

    Returns:
      The plane; an axis without variance is zero.

    Example:
      >>> rows = np.array([[1.0, 0, 0], [1, 1, 0], [1, -1, 0], [1, 0, 0.1]])
      >>> np.abs(plane_of(rows).axes[:, 0]).argmax()
      np.int64(1)

    Source: Halko, Martinsson & Tropp, "Finding structure with randomness", SIAM
    Review 2011, algorithm 4.4.
    """
    n, d = rows.shape
    sample = unit(rows[evenly(n, min(_SAMPLE, max(2, _NUMBERS // d)))])[0]
    origin = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    sample -= origin
    total = float(np.einsum("ij,ij->", sample, sample, dtype=np.float64))
    basis = np.random.default_rng(0).normal(size=(d, min(_WIDTH, d)))
    for _ in range(_STEPS):
        basis = np.linalg.qr(sample.T @ (sample @ basis.astype(np.float32)))[0]
    inside = (sample @ basis.astype(np.float32)).astype(np.float64)
    values, turn = np.linalg.eigh(inside.T @ inside)
    axes = np.zeros((d, 2))
    kept = min(2, len(values))
    axes[:, :kept] = (basis @ turn)[:, ::-1][:, :kept]
    strongest = axes[np.abs(axes).argmax(axis=0), [0, 1]]
    axes *= np.where(strongest < 0, -1.0, 1.0)
    variance = values[::-1][:kept]
    axes[:, :kept] *= variance > 1e-12 * max(total, 1e-30)
    share = float(variance.sum() / total) if total > 0 else 0.0
    return Plane(origin, axes.astype(np.float32), min(1.0, share))
