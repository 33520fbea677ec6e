"""Near-duplicates: pairs of high cosine, all of them or those that hashes bring near.

Up to `EXACT_WORK` products all pairs are compared. Beyond, rows are given `TABLES`
codes of the signs of random projections (Charikar 2002); those that share one stand
side by side when sorted, and neighbours are compared by their true cosines. What is
found is true; what is missed makes the number a lower bound.
"""

from typing import NamedTuple

import numpy as np

from jaxsel.doctor.sweep import block_rows, take, unit

EXACT_WORK = 20_000**2 * 512
TABLES = 6
NEIGHBOURS = 3
_TILE = 2048
_SEED = 20_020_519
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
    usable: np.ndarray,
    direction: np.ndarray,
    threshold: float,
    *,
    exact_work: int = EXACT_WORK,
) -> Near:
    """Finds rows whose cosine with another row is at least a threshold.

    A pair at an angle `a` shares the signs of a random projection with probability
    `1 - a / pi`. With cosine 0.999 (`a = 0.045`) and 28 signs a code (of 10^6 rows) it
    shares at least one of six codes with probability 0.999, where rows are spread
    evenly around the origin. Rows are centred first, which spreads those that share a
    direction, and makes their angles larger: of such pairs more are missed.

    Args:
      features: real `[n, d]`.
      usable: bool `[n]`: rows to compare, finite and not zero.
      direction: float64 `[d]`, the mean of the rows at length 1.
      threshold: cosine in (0, 1].
      exact_work: all pairs are compared while `m^2 d` is no more, `m` rows being
        usable.

    Returns:
      The rows that have a near-duplicate, and the closest pairs. Beyond a few blocks it
      takes about 70 bytes a row.
    """
    rows = np.flatnonzero(usable)
    gathered = _Gathered(np.zeros(len(features), bool))
    complete = len(rows) ** 2 * features.shape[1] <= exact_work
    if complete:
        _all_pairs(features, rows, threshold, gathered)
    elif len(rows) > 1:
        _hashed_pairs(features, rows, direction, threshold, gathered)
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
    features: np.ndarray, rows: np.ndarray, threshold: float, gathered: _Gathered
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


def _hashed_pairs(
    features: np.ndarray,
    rows: np.ndarray,
    direction: np.ndarray,
    threshold: float,
    gathered: _Gathered,
) -> None:
    codes = _codes(features, rows, direction)
    for table in range(TABLES):
        # Within a code, the next table's decides who stands by whom.
        second = codes[(table + 1) % TABLES].astype(np.uint64)
        order = np.argsort((codes[table].astype(np.uint64) << np.uint64(32)) | second)
        for apart in range(1, NEIGHBOURS + 1):
            one, other = order[:-apart], order[apart:]
            new = codes[table][one] == codes[table][other]
            new &= ~(gathered.found[rows[one]] & gathered.found[rows[other]])
            _compare(features, rows[one[new]], rows[other[new]], threshold, gathered)


def _codes(features: np.ndarray, rows: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """uint32 `[TABLES, m]`: signs of random projections of the centred unit rows."""
    d = features.shape[1]
    bits = min(32, int(np.ceil(np.log2(len(rows)))) + 8)
    random = np.random.default_rng(_SEED)
    projections = random.standard_normal((d, TABLES * bits), dtype=np.float32)
    shift = direction.astype(np.float32) @ projections
    places = np.uint32(1) << np.arange(bits, dtype=np.uint32)
    codes = np.empty((TABLES, len(rows)), np.uint32)
    step = block_rows(max(d, TABLES * bits))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        signs = unit(take(features, rows[part])) @ projections > shift
        codes[:, part] = (signs.reshape(-1, TABLES, bits) @ places).T
    return codes


def _compare(
    features: np.ndarray,
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
        left, right = unit(take(features, i)), unit(take(features, j))
        cosines = np.einsum("ij,ij->i", left, right)
        near = cosines >= threshold
        gathered.add(i[near], j[near], cosines[near])
