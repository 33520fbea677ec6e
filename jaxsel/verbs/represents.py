"""How many rows of the pool each pick stands for: those that it is nearest to."""

import numpy as np

_BLOCK_NUMBERS = 1 << 22


def represented(rows: np.ndarray, picks: np.ndarray) -> np.ndarray:
    """Counts the rows of the pool by their nearest pick.

    Row `i` belongs to `argmax_p u_i · u_p` over the picks `p`, with `u` the row over
    its length (a zero row stays zero); ties go to the pick that comes first, and a pick
    always belongs to itself.

    Args:
      rows: finite real `[n, d]`, memory-mapped too; read in blocks of 2^22 numbers.
      picks: int `[b]`, distinct rows.

    Returns:
      int64 `[b]`, which add up to `n`.

    Example:
      >>> pool = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 2.0]])
      >>> represented(pool, np.array([0, 2])).tolist()
      [2, 1]
    """
    if not len(picks):
        return np.zeros(0, np.int64)
    chosen = _unit(rows[picks]).T
    nearest = np.empty(len(rows), np.int64)
    step = max(1, _BLOCK_NUMBERS // max(rows.shape[1], len(picks)))
    for start in range(0, len(rows), step):
        block = _unit(rows[start : start + step])
        nearest[start : start + step] = (block @ chosen).argmax(axis=1)
    nearest[picks] = np.arange(len(picks))
    return np.bincount(nearest, minlength=len(picks))


def _unit(rows: np.ndarray) -> np.ndarray:
    values = np.asarray(rows, np.float32)
    # By the largest entry first, so that no square overflows or vanishes.
    largest = np.abs(values).max(axis=1, keepdims=True)
    scaled = values / np.where(largest > 0, largest, 1)
    length = np.linalg.norm(scaled, axis=1, keepdims=True)
    return scaled / np.where(length > 0, length, 1)
