"""Greedy selection under constraints by definition: float64, row after row."""

import math
from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from tests import oracles


class Pool:
    """A pool whose groups each lie within one stratum, and what may be picked of it."""

    def __init__(self, seed: int, n: int = 48, d: int = 4):
        rng = np.random.default_rng(seed)
        lengths = rng.uniform(0.5, 2.0, size=(n, 1))
        self.rows = (rng.normal(size=(n, d)) * lengths).astype(np.float32)
        self.unit = self.rows / np.linalg.norm(
            self.rows.astype(np.float64), axis=1, keepdims=True
        )
        self.group = rng.integers(0, 16, n)
        self.stratum = self.group % 3
        self.cost = rng.integers(1, 5, n).astype(np.float64)
        self.labelled = [int(row) for row in rng.choice(n, 3, replace=False)]
        free = [row for row in range(n) if row not in self.labelled]
        self.excluded = [int(row) for row in rng.choice(free, 4, replace=False)]
        self.per_group = 2
        self.quotas = {0: 3, 2: 4}
        self.min_distance = 0.35
        self.funds = 40.0

    def allowed(self, picks: list[int], budget: int) -> list[int]:
        """Rows that may follow `picks`, each rule read off as it is documented."""
        taken = [*self.labelled, *picks]
        need = {
            s: max(0, least - sum(self.stratum[row] == s for row in taken))
            for s, least in self.quotas.items()
        }
        left = budget - len(picks)
        funds = self.funds - sum(self.cost[picks])
        open_at_first = [
            row
            for row in range(len(self.rows))
            if row not in self.excluded and self._far(row, self.labelled)
        ]
        found = []
        for row in open_at_first:
            s = self.stratum[row]
            fills = need.get(s, 0) > 0
            kept = sum(
                self._worst(open_at_first, other, m - (fills and other == s))
                for other, m in need.items()
            )
            same = sum(self.group[other] == self.group[row] for other in taken)
            if (
                row not in picks
                and same < self.per_group
                and (fills or left > sum(need.values()))
                and self._far(row, picks)
                and self.cost[row] <= funds - kept
            ):
                found.append(row)
        return found

    def _far(self, row: int, others: list[int]) -> bool:
        if not others:
            return True
        away = np.linalg.norm(self.unit[others] - self.unit[row], axis=1)
        return row not in others and away.min() >= self.min_distance

    def _worst(self, rows: list[int], stratum: int, more: int) -> float:
        """What `more` picks can cost: the dearest of the cheapest that are needed."""
        known = sum(self.stratum[row] == stratum for row in self.labelled)
        least = max(0, self.quotas[stratum] - known)
        costs = sorted(self.cost[row] for row in rows if self.stratum[row] == stratum)
        return sum(sorted(costs[:least])[::-1][:more])


Score = Callable[[Pool, list[int]], np.ndarray]


def greedy(pool: Pool, score: Score, budget: int) -> list[int]:
    """Always the allowed row with the highest score, the lowest row at a tie."""
    picks: list[int] = []
    while len(picks) < budget and (rows := pool.allowed(picks, budget)):
        values = score(pool, picks)[rows]
        picks.append(rows[int(np.argmax(values >= values.max() - 1e-7))])
    return picks


def norm(pool: Pool, picks: list[int]) -> np.ndarray:
    return np.linalg.norm(pool.rows.astype(np.float64), axis=1)


def gram_schmidt(pool: Pool, picks: list[int]) -> np.ndarray:
    """Residual lengths within the round: a new one where nothing allowed is left."""
    own, spanned = norm(pool, []), [*pool.labelled]
    for k in range(len(picks) + 1):
        left = np.linalg.norm(oracles.residuals(pool.rows, spanned), axis=1)
        open_rows = [r for r in pool.allowed(picks[:k], BUDGET) if r not in picks[:k]]
        if open_rows and (left[open_rows] <= 1e-4 * own[open_rows]).all():
            spanned = []
            left = own
        if k < len(picks):
            spanned = [*spanned, picks[k]]
    return left


def k_center(pool: Pool, picks: list[int]) -> np.ndarray:
    rows = pool.rows.astype(np.float64)
    return cdist(rows, rows[[*pool.labelled, *picks]]).min(axis=1)


def probcover(pool: Pool, picks: list[int]) -> np.ndarray:
    within = cdist(pool.unit, pool.unit) < DELTA
    covered = within[[*pool.labelled, *picks]].any(axis=0)
    return (within & ~covered).sum(axis=1) / pool.cost


def max_herding(pool: Pool, picks: list[int]) -> np.ndarray:
    kernel = np.exp(-(cdist(pool.unit, pool.unit) ** 2) / (2 * DELTA**2))
    best = kernel[[*pool.labelled, *picks]].max(axis=0)
    return np.maximum(kernel - best, 0).mean(axis=1) / pool.cost


BUDGET = 12
DELTA = 0.5
GREEDY: dict[str, tuple[Score, dict]] = {
    "norm": (norm, {"deterministic": True}),
    "gram_schmidt": (gram_schmidt, {"deterministic": True}),
    "k_center": (k_center, {}),
    "probcover": (probcover, {"delta": DELTA}),
    "max_herding": (max_herding, {"bandwidth": DELTA}),
}


def law(weights: np.ndarray, groups: list[int], budget: int) -> dict:
    """Ordered picks drawn in proportion to weights, one a group, with probabilities."""
    found: dict[tuple[int, ...], float] = {}

    def extend(picks: tuple[int, ...], probability: float) -> None:
        if len(picks) == budget:
            found[picks] = probability
            return
        used = {groups[row] for row in picks}
        free = [row for row in range(len(weights)) if groups[row] not in used]
        total = math.fsum(weights[free])
        for row in free:
            extend((*picks, row), probability * weights[row] / total)

    extend((), 1.0)
    return found
