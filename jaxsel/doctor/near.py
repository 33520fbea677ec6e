"""Near-duplicates: pairs of high cosine, all of them or those that hashes bring near.

Up to `EXACT_WORK` products all pairs are compared. Beyond, each row gets `TABLES` codes
of the cells that its random projections fall into (Datar, Immorlica, Indyk & Mirrokni
2004); rows that share one stand side by side when sorted, and neighbours are compared
by their true cosines. What is found is true; what is missed makes the number a lower
bound.
"""

from typing import NamedTuple

import numpy as np

from jaxsel.doctor.passes import Advance, nowhere
from jaxsel.doctor.sweep import block_rows, take, unit

EXACT_WORK = 20_000**2 * 512
TABLES = 8
NEIGHBOURS = 3
_PROJECTIONS = 8  # of a table
_CELL = 8.0  # distances of a pair at the threshold
_FINE_BITS = np.uint64(16)  # of a code, for the order within a cell
_FINE_STEPS = 4096  # of the order, a unit of length
_FAR_CHI_SQUARE = 30.0  # with 8 degrees of freedom, exceeded once in 5,000
_TILE = 2048
_SEED = 20_040_608
_KEPT = 10


class Near(NamedTuple):
    """Rows that are nearly alike.

    Attributes:
      rows: bool `[n]`, rows with a near-duplicate.
      pairs: the closest few, as (row, later row, cosine).
      complete: whether all pairs were compared.
    """

    rows: np.ndarray
    pairs: tuple[tuple[int, int, float], ...]
    complete: bool


def near_duplicates(
    features: np.ndarray,
    norms: np.ndarray,
    usable: np.ndarray,
    threshold: float,
    *,
    exact_work: int = EXACT_WORK,
    advance: Advance = nowhere,
) -> Near:
    """Finds rows whose cosine with another row is at least a threshold.

    Rows at length 1 with cosine `t` are `c = sqrt(2 - 2t)` apart. A random projection
    has cells of `8 c`, which such a pair shares with probability 0.90, however the
    other rows lie; a code is eight cells, and one of eight codes is shared with
    probability 0.989; a closer pair's is higher. In a cell a row is compared with the
    next three: of a crowd nearly every row is found, not every pair. The lower the
    threshold, the fuller the cells: below 0.99 much is missed.

    Args:
      features: real `[n, d]`.
      norms: float64 `[n]`, of the rows.
      usable: bool `[n]`: rows to compare, finite and not zero.
      threshold: cosine in (0, 1).
      exact_work: all pairs are compared while `m^2 d` is no more, `m` rows being
        usable.
      advance: told how many rows were read, block by block.

    Returns:
      The rows that have a near-duplicate, and the closest pairs. Beyond a few blocks it
      takes about 170 bytes a row.
    """
    rows = np.flatnonzero(usable)
    gathered = _Gathered(np.zeros(len(features), bool))
    complete = len(rows) ** 2 * features.shape[1] <= exact_work
    if complete:
        _all_pairs(features, rows, threshold, gathered, advance)
    elif len(rows) > 1:
        _hashed_pairs(features, norms, rows, threshold, gathered, advance)
    return Near(gathered.found, tuple(gathered.pairs), complete)


class _Gathered:
    """Rows found so far and the closest pairs among them."""

    def __init__(self, found: np.ndarray):
        self.found = found
        self.pairs: list[tuple[int, int, float]] = []

    def add(self, one: np.ndarray, other: np.ndarray, cosines: np.ndarray) -> None:
        if not len(one):
            return
        self.found[one] = self.found[other] = True
        best = np.lexsort((other, one, -cosines))[: 2 * _KEPT]
        new = {
            (
                int(min(one[i], other[i])),
                int(max(one[i], other[i])),
                _rounded(cosines[i]),
            )
            for i in best
        }
        ranked = sorted(new | set(self.pairs), key=lambda pair: (-pair[2], pair[:2]))
        self.pairs = ranked[:_KEPT]


def _rounded(cosine: float) -> float:
    """To six digits, which single precision has, and never above one."""
    return min(1.0, round(float(cosine), 6))


def _all_pairs(
    features: np.ndarray,
    rows: np.ndarray,
    threshold: float,
    gathered: _Gathered,
    advance: Advance,
) -> None:
    step = min(_TILE, block_rows(features.shape[1]))
    for start in range(0, len(rows), step):
        left = rows[start : start + step]
        tile = unit(take(features, left))
        for other in range(start, len(rows), step):
            right = rows[other : other + step]
            cosines = tile @ (
                tile.T if other == start else unit(take(features, right)).T
            )
            near = cosines >= threshold
            if other == start:
                near = np.triu(near, 1)
            i, j = np.nonzero(near)
            gathered.add(left[i], right[j], cosines[i, j])
        advance(len(left))


def _hashed_pairs(
    features: np.ndarray,
    norms: np.ndarray,
    rows: np.ndarray,
    threshold: float,
    gathered: _Gathered,
    advance: Advance,
) -> None:
    apart = np.sqrt(2 - 2 * threshold)
    # Of pairs at the threshold, one in 5,000 has fine projections further apart.
    furthest = _FAR_CHI_SQUARE * (apart * _FINE_STEPS + 1) ** 2
    tables, fine = _codes(features, rows, _CELL * apart, advance)
    for codes in tables:
        order = np.argsort(codes)
        codes = codes[order]
        for step in range(1, NEIGHBOURS + 1):
            together = (codes[step:] ^ codes[:-step]) >> _FINE_BITS == 0
            one, other = order[:-step][together], order[step:][together]
            between = fine[one].astype(np.float32) - fine[other]
            new = np.einsum("ij,ij->i", between, between) <= furthest
            new &= ~(gathered.found[rows[one]] & gathered.found[rows[other]])
            one, other = rows[one[new]], rows[other[new]]
            _compare(features, norms, one, other, threshold, gathered)


def _codes(
    features: np.ndarray, rows: np.ndarray, cell: float, advance: Advance
) -> tuple[np.ndarray, np.ndarray]:
    """Codes, uint64 `[TABLES, m]`, and fine projections, uint16 `[m, TABLES]`.

    A code is a hash of eight cells, and below it one of the fine projections.
    """
    d, wide = features.shape[1], TABLES * _PROJECTIONS
    random = np.random.default_rng(_SEED)
    projections = random.standard_normal((d, wide), dtype=np.float32)
    starts = random.random(wide, dtype=np.float32)
    factors = random.integers(0, 2**63, _PROJECTIONS, dtype=np.uint64)
    factors = 2 * factors + np.uint64(1)
    codes = np.empty((TABLES, len(rows)), np.uint64)
    fine = np.empty((len(rows), TABLES), np.uint16)
    step = block_rows(max(d, 2 * wide))
    last = float(2 ** int(_FINE_BITS) - 1)
    for begin in range(0, len(rows), step):
        part = slice(begin, begin + step)
        places = unit(take(features, rows[part])) @ projections
        cells = np.floor(places / np.float32(cell) + starts).astype(np.int64)
        cells = cells.reshape(-1, TABLES, _PROJECTIONS)
        hashes = (cells.view(np.uint64) * factors).sum(axis=2)
        fine[part] = np.clip((places[:, ::_PROJECTIONS] + 8) * _FINE_STEPS, 0, last)
        # What decides the order within a cell is another table's.
        order = np.roll(fine[part], -1, axis=1).astype(np.uint64)
        codes[:, part] = (hashes >> _FINE_BITS << _FINE_BITS | order).T
        advance(len(places))
    return codes, fine


def _compare(
    features: np.ndarray,
    norms: np.ndarray,
    one: np.ndarray,
    other: np.ndarray,
    threshold: float,
    gathered: _Gathered,
) -> None:
    step = block_rows(features.shape[1])
    order = np.argsort(one)  # a memory-mapped file is read forwards
    for start in range(0, len(order), step):
        part = order[start : start + step]
        i, j = one[part], other[part]
        # In double precision: products of large numbers do not fit float32.
        cosines = np.einsum(
            "ij,ij->i", take(features, i), take(features, j), dtype=np.float64
        )
        cosines /= norms[i] * norms[j]
        near = cosines >= threshold
        gathered.add(i[near], j[near], cosines[near])
