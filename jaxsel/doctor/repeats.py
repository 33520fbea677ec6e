"""Exact duplicates: rows of equal hashes, compared number by number."""

import numpy as np

from jaxsel.doctor.sweep import block_rows, take


def first_equal(
    features: np.ndarray, hashes: np.ndarray, usable: np.ndarray
) -> np.ndarray:
    """For each row, the first row that is equal to it.

    Args:
      features: real `[n, d]`.
      hashes: uint64 `[n]`; equal rows must have equal ones. Unequal rows that share one
        cost time, not truth.
      usable: bool `[n]`; other rows are their own first.

    Returns:
      int64 `[n]`, `first[i] <= i`.

    Example:
      >>> rows = np.array([[1.0], [2.0], [1.0], [1.0]])
      >>> first_equal(rows, np.zeros(4, np.uint64), np.ones(4, bool)).tolist()
      [0, 1, 0, 0]
    """
    first = np.arange(len(features))
    rest = np.flatnonzero(usable)
    while rest.size:
        # The first row of each hash leads; rows that differ from it try the next one.
        _, at, group = np.unique(hashes[rest], return_index=True, return_inverse=True)
        leader = rest[at][group]
        others = leader != rest
        rest, leader = rest[others], leader[others]
        same = _equal(features, rest, leader)
        first[rest[same]] = leader[same]
        rest = rest[~same]
    return first


def _equal(features: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """bool `[m]`: whether rows `one[i]` and `other[i]` are equal."""
    step = block_rows(features.shape[1])
    same = np.empty(len(one), bool)
    for start in range(0, len(one), step):
        part = slice(start, start + step)
        pair = take(features, one[part]), take(features, other[part])
        same[part] = (pair[0] == pair[1]).all(axis=1)
    return same
