"""One pass over the rows: what is finite, how long they are, what their hashes are."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxsel.doctor.passes import Advance, nowhere

BLOCK = 1 << 21  # numbers held at a time
_SEED = 20_240_601  # of the hash; any will do, but the same each time
# The smallest number that float16 rounds to infinity.
_HALF_OVERFLOW = 65_520.0


class Sweep(NamedTuple):
    """What one pass sees of `n` rows of `d` numbers, as float32.

    Attributes:
      nan: bool `[n]`, rows with a NaN.
      infinite: bool `[n]`, rows with an infinity.
      too_large: bool `[n]`, rows with a finite number that float32 cannot hold.
      half: bool `[n]`, finite rows with a number that float16 cannot hold.
      norms: float64 `[n]`, Euclidean; NaN for rows that are not finite.
      hashes: uint64 `[n]`, equal for equal rows.
      low, high: float32 `[d]`, of finite rows.
      mean: float64 `[d]`, of finite rows.
      direction: float64 `[d]`, the mean of the rows at length 1, without zero rows.
    """

    nan: np.ndarray
    infinite: np.ndarray
    too_large: np.ndarray
    half: np.ndarray
    norms: np.ndarray
    hashes: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    direction: np.ndarray

    @property
    def finite(self) -> np.ndarray:
        """bool `[n]`: rows that selection can use."""
        return ~(self.nan | self.infinite | self.too_large)


def block_rows(d: int) -> int:
    """How many rows are read at a time."""
    return max(1, BLOCK // d)


def blocks(features: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """The rows in order, a slice and a float32 copy of it at a time."""
    n, d = features.shape
    for start in range(0, n, block_rows(d)):
        rows = slice(start, min(start + block_rows(d), n))
        yield rows, take(features, rows)


def take(features: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
    """float32 copy of some rows; what is too large for it is infinite."""
    with np.errstate(over="ignore"):
        return np.array(features[rows], dtype=np.float32, order="C")


def unit(block: np.ndarray) -> np.ndarray:
    """Rows at length 1, float32; none may be zero."""
    norms = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
    return (block / norms[:, None]).astype(np.float32)


def sweep(features: np.ndarray, advance: Advance = nowhere) -> Sweep:
    """Reads all rows once.

    Args:
      features: real `[n, d]`, memory-mapped too.
      advance: told how many rows were read, block by block.

    Returns:
      What was seen. Beyond the blocks it takes 20 bytes a row.
    """
    n, d = features.shape
    nan, infinite, too_large, half = (np.zeros(n, bool) for _ in range(4))
    norms, hashes = np.full(n, np.nan), np.zeros(n, np.uint64)
    low, high = np.full(d, np.inf, np.float32), np.full(d, -np.inf, np.float32)
    total, direction, finite_rows, turned = np.zeros(d), np.zeros(d), 0, 0
    factors = _factors(d)
    for rows, block in blocks(features):
        advance(len(block))
        hashes[rows] = row_hashes(block, factors)
        fine = np.isfinite(block).all(axis=1)
        if not fine.all():
            bad = np.flatnonzero(~fine) + rows.start
            own = np.asarray(features[bad])
            nan[bad] = np.isnan(own).any(axis=1)
            infinite[bad] = np.isinf(own).any(axis=1)
            too_large[bad] = ~nan[bad] & ~infinite[bad]
            block = block[fine]
        if not len(block):
            continue
        kept = np.flatnonzero(fine) + rows.start
        low, high = (
            np.minimum(low, block.min(axis=0)),
            np.maximum(high, block.max(axis=0)),
        )
        half[kept] = np.abs(block).max(axis=1) >= _HALF_OVERFLOW
        wide = block.astype(np.float64)
        length = np.sqrt(np.einsum("ij,ij->i", wide, wide))
        norms[kept] = length
        total += wide.sum(axis=0)
        finite_rows += len(wide)
        some = length > 0
        # The sum of the rows at length 1, without writing those down.
        direction += (
            np.divide(1.0, length, where=some, out=np.zeros_like(length)) @ wide
        )
        turned += int(some.sum())
    return Sweep(
        nan,
        infinite,
        too_large,
        half,
        norms,
        hashes,
        low,
        high,
        total / max(1, finite_rows),
        direction / max(1, turned),
    )


def row_hashes(block: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """`sum_j factors_j mix(bits_j) mod 2^64` of each row; uint64 `[b]`.

    Equal rows have equal hashes (0 and -0 are equal); others differ but for about one
    pair in 2^50, and whoever needs to know compares the rows.

    Args:
      block: float32 `[b, d]`.
      factors: odd uint64 `[d]`.
    """
    bits = (block + np.float32(0)).view(np.uint32)
    # Round numbers differ in their upper bits alone, which products move out at the
    # top; folding brings them down.
    bits = bits ^ (bits >> np.uint32(16))
    return bits.astype(np.uint64) @ factors


def _factors(d: int) -> np.ndarray:
    draws = np.random.default_rng(_SEED).integers(0, 2**63, d, dtype=np.uint64)
    return 2 * draws + np.uint64(1)
