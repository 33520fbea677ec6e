"""How many directions features vary along, from the spectrum of their covariance."""

from typing import NamedTuple

import numpy as np

from jaxsel.doctor.passes import Advance, nowhere
from jaxsel.doctor.sweep import block_rows, take

# Products that the covariance may cost: 10^6 rows of 256 are below.
WORK = 1 << 37
_MOST_COLUMNS = 2048  # of a covariance matrix
_MOST_NUMBERS = 1 << 26  # of rows held at once where there are more columns
_NOTHING = 1e-10


class Spectrum(NamedTuple):
    """Effective ranks of the covariance with eigenvalues `l_k`, `p_k = l_k / sum l`.

    Attributes:
      participation: `(sum l)^2 / sum l^2`; 0 where nothing varies.
      entropy: `exp(-sum p log p)` (Roy & Vetterli 2007), never below `participation`; 0
        where nothing varies.
      rank: how many `l_k` are above 1e-10 of the largest.
      rows: how many rows the covariance is of.
    """

    participation: float
    entropy: float
    rank: int
    rows: int


def spectrum(
    features: np.ndarray,
    usable: np.ndarray,
    centre: np.ndarray,
    *,
    work: int = WORK,
    advance: Advance = nowhere,
) -> Spectrum:
    """Effective ranks of rows about their mean.

    All rows are used while `rows d^2` is at most `work`; beyond, evenly spaced ones,
    no fewer than four a column. Of more than 2,048 columns, evenly spaced rows that
    fit 256 MB, at most 2,048; then no rank can pass the number of rows.

    Args:
      features: real `[n, d]`.
      usable: bool `[n]`, finite rows.
      centre: float64 `[d]`, near the mean (of constant columns the very constant).
      work: products.
      advance: told how many rows were read, block by block.

    Returns:
      Effective ranks.
    """
    rows, d = np.flatnonzero(usable), features.shape[1]
    if d <= _MOST_COLUMNS:
        most = max(4 * d, work // d**2)
    else:
        most = max(2, min(_MOST_COLUMNS, _MOST_NUMBERS // d))
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]
    if len(rows) < 2:
        return Spectrum(0.0, 0.0, 0, len(rows))
    gram = _covariance if d <= _MOST_COLUMNS else _row_products
    products = gram(features, rows, centre, advance)
    return effective(np.linalg.eigvalsh(products), len(rows))


def effective(values: np.ndarray, rows: int) -> Spectrum:
    """Effective ranks of eigenvalues in any order; those below 0 are rounding.

    Example:
      >>> flat = effective(np.ones(4), rows=9)
      >>> round(flat.participation, 6), round(flat.entropy, 6), flat.rank
      (4.0, 4.0, 4)
    """
    values = np.maximum(values, 0.0)
    largest = float(values.max(initial=0.0))
    if largest == 0.0:
        return Spectrum(0.0, 0.0, 0, rows)
    shares = values / largest
    shares = shares[shares > _NOTHING]
    rank = len(shares)
    shares = shares / shares.sum()
    return Spectrum(
        float(1 / np.sum(shares**2)),
        float(np.exp(-np.sum(shares * np.log(shares)))),
        rank,
        rows,
    )


def _covariance(
    features: np.ndarray, rows: np.ndarray, centre: np.ndarray, advance: Advance
) -> np.ndarray:
    """float64 `[d, d]`, of rows read a block at a time."""
    d = features.shape[1]
    products, total = np.zeros((d, d)), np.zeros(d)
    step = block_rows(d)
    for start in range(0, len(rows), step):
        block = take(features, rows[start : start + step]) - centre
        products += block.T @ block
        total += block.sum(axis=0)
        advance(len(block))
    mean = total / len(rows)
    return products / len(rows) - np.outer(mean, mean)


def _row_products(
    features: np.ndarray, rows: np.ndarray, centre: np.ndarray, advance: Advance
) -> np.ndarray:
    """float64 `[m, m]`: products of the centred rows have the same spectrum."""
    held = take(features, rows)
    advance(len(rows))
    products = np.zeros((len(rows), len(rows)))
    step = block_rows(len(rows))
    for start in range(0, held.shape[1], step):
        part = slice(start, start + step)
        block = held[:, part] - centre[part]
        block -= block.mean(axis=0)
        products += block @ block.T
    return products / len(rows)
