"""The form in which selection sees an encoder's features: raw, centred or components.

An encoder's features are rarely isotropic: they share a large mean, and most of their
columns hold little. What distances and lengths mean depends on what is done about it.
`benchmarks/representations.py` measures which form makes picks worth most.
"""

from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError

REPRESENTATIONS = ("raw", "centred", "components")
COMPONENTS = 128
_BLOCK = 8192


class Axes(NamedTuple):
    """What `represent` does to a row x: (x / |x| - mean) axes.

    Attributes:
      mean: float64 `[d]`, of the pool's unit rows; zeros are kept as zero rows.
      axes: float64 `[d, k]`, orthonormal columns; None for the centred rows themselves.
    """

    mean: np.ndarray
    axes: np.ndarray | None


def represent(rows: np.ndarray, name: str, *, components: int = COMPONENTS):
    r"""A pool's features in the named form.

    With $u_i = x_i / \lVert x_i \rVert$ and $\bar u$ their mean over the pool:
    "raw" is $x_i$, "centred" is $u_i - \bar u$, and "components" is
    $(u_i - \bar u)^\top V$ for the `components` leading eigenvectors V of the
    covariance of $u$.

    Args:
      rows: real `[n, d]`, finite.
      name: one of `REPRESENTATIONS`.
      components: how many columns "components" has, at most min(n, d).

    Returns:
      float32 `[n, d]`, or `[n, min(components, n, d)]`; the rows themselves for "raw".

    Raises:
      UserError: an unknown name.

    Example:
      >>> rows = np.array([[3.0, 4.0], [6.0, 8.0], [1.0, 0.0]])
      >>> centred = represent(rows, "centred")
      >>> [[f"{x:.3f}" for x in row] for row in centred[1:]]
      [['-0.133', '0.267'], ['0.267', '-0.533']]
      >>> represent(rows, "components", components=1).shape
      (3, 1)
    """
    if name == "raw":
        return rows
    return apply(rows, fit(rows, name, components=components))


def fit(rows: np.ndarray, name: str, *, components: int = COMPONENTS) -> Axes:
    """The mean and axes of a pool, by blocks of rows.

    Args:
      rows: real `[n, d]`.
      name: "centred" or "components".
      components: as for `represent`.

    Returns:
      What `apply` needs.

    Raises:
      UserError: an unknown name.
    """
    if name not in ("centred", "components"):
        raise UserError(
            f"expected a representation of {', '.join(REPRESENTATIONS)}, found {name!r}"
        )
    n, d = rows.shape
    mean = sum((block.sum(axis=0) for block in _unit_blocks(rows)), np.zeros(d)) / max(
        n, 1
    )
    if name == "centred":
        return Axes(mean, None)
    covariance = np.zeros((d, d))
    for block in _unit_blocks(rows):
        centred = block - mean
        covariance += centred.T @ centred
    _, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, ::-1][:, : min(components, n, d)]
    # An eigenvector has no sign of its own: the largest entry of each is positive.
    largest = axes[np.argmax(np.abs(axes), axis=0), np.arange(axes.shape[1])]
    return Axes(mean, axes * np.where(largest < 0, -1.0, 1.0))


def apply(rows: np.ndarray, axes: Axes) -> np.ndarray:
    """Rows in the form that `fit` found for a pool; float32.

    Args:
      rows: real `[m, d]`, of that pool or others.
      axes: of `fit`.
    """
    width = rows.shape[1] if axes.axes is None else axes.axes.shape[1]
    found = np.empty((len(rows), width), np.float32)
    start = 0
    for block in _unit_blocks(rows):
        centred = block - axes.mean
        found[start : start + len(block)] = (
            centred if axes.axes is None else centred @ axes.axes
        )
        start += len(block)
    return found


def _unit_blocks(rows: np.ndarray):
    """Blocks of rows over their lengths, float64; a zero row stays one."""
    for start in range(0, len(rows), _BLOCK):
        block = np.asarray(rows[start : start + _BLOCK], np.float64)
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        yield block / np.where(lengths > 0, lengths, 1.0)
