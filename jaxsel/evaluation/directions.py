"""Rows at length 1, and how far they lie from a few of them, in float32."""

from typing import NamedTuple

import numpy as np


class Centres(NamedTuple):
    """Unit rows that distances are measured from.

    Attributes:
      origin: float32 `[d]`, their mean: small differences keep their precision once it
        is taken off, however much all rows have in common.
      rows: float32 `[b, d]`, without the origin.
      squares: float32 `[b]`, of their lengths.
      zero: bool `[b]`, which of them have no direction.
    """

    origin: np.ndarray
    rows: np.ndarray
    squares: np.ndarray
    zero: np.ndarray


def unit(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every row over its Euclidean norm, and that norm; a zero row stays zero.

    Args:
      rows: finite real `[m, d]`.

    Returns:
      float32 `[m, d]` and float64 `[m]`.

    Example:
      >>> rows, norms = unit(np.array([[0.0, 2.0], [0.0, 0.0]]))
      >>> rows.tolist(), norms.tolist()
      ([[0.0, 1.0], [0.0, 0.0]], [2.0, 0.0])
    """
    values = np.array(rows, np.float32)
    # By the largest entry first, so that no square overflows or vanishes.
    largest = np.maximum(values.max(axis=1), -values.min(axis=1))[:, None] + 0
    values /= np.where(largest > 0, largest, 1)
    length = np.sqrt(np.einsum("ij,ij->i", values, values))[:, None]
    values /= np.where(length > 0, length, 1)
    return values, (largest.astype(np.float64) * length).ravel()


def centres_of(rows: np.ndarray) -> Centres:
    """Real rows `[b, d]` as centres, b at least 1."""
    turned, lengths = unit(rows)
    origin = turned.mean(axis=0, dtype=np.float64).astype(np.float32)
    turned -= origin
    squares = np.einsum("ij,ij->i", turned, turned)
    return Centres(origin, turned, squares, lengths == 0)


def squared(block: np.ndarray, centres: Centres) -> np.ndarray:
    r"""Squared distances $\lVert u_i - c_j \rVert^2$, never below 0.

    Args:
      block: float32 `[m, d]`, unit rows *without the origin of the centres*.
      centres: `[b]` of them.

    Returns:
      float32 `[m, b]`.

    Example:
      >>> centres = centres_of(np.eye(2))
      >>> squared(unit(np.eye(2))[0] - centres.origin, centres).round(6).tolist()
      [[0.0, 2.0], [2.0, 0.0]]
    """
    result = block @ centres.rows.T
    result *= -2
    result += centres.squares
    result += np.einsum("ij,ij->i", block, block)[:, None]
    return np.maximum(result, 0, out=result)


def first_within(
    squares: np.ndarray, radius: float, zero: np.ndarray, centres: Centres
) -> np.ndarray:
    """The first centre nearer than a radius, counted from 1; one past the last if none.

    As for ProbCover, nearer is strictly nearer, and what has no direction is near
    nothing.

    Args:
      squares: float32 `[m, b]` of `squared`.
      radius: a distance.
      zero: bool `[m]`, which rows have no direction.
      centres: `[b]` of them.

    Returns:
      int32 `[m]`, from 1 to b + 1.

    Example:
      >>> squares = np.array([[4.0, 0.1], [9.0, 9.0]])
      >>> first_within(squares, 1.0, np.zeros(2, bool), centres_of(np.eye(2))).tolist()
      [2, 3]
    """
    near = squares < np.float32(radius) ** 2
    near[zero] = False
    near[:, centres.zero] = False
    first = near.argmax(axis=1).astype(np.int32) + 1
    first[~near.any(axis=1)] = squares.shape[1] + 1
    return first


def evenly(n: int, size: int) -> np.ndarray:
    """At most `size` distinct rows of `n`, evenly spread and without a period.

    Example:
      >>> evenly(3, 5).tolist(), len(set(evenly(1000, 300).tolist()))
      ([0, 1, 2], 300)
    """
    if n <= size:
        return np.arange(n)
    # One row of each of `size` equal parts; which one goes by the golden ratio.
    golden = (5**0.5 - 1) / 2
    offset = (np.arange(size) * golden) % 1 if n >= 2 * size else 0.0
    return ((np.arange(size) + offset) * (n / size)).astype(np.int64).clip(0, n - 1)
