"""How many random labels a method's picks are worth: labels saved, with an interval.

An accuracy difference says little to the person who pays for the labels. The same
comparison read along the other axis does: N picked labels train as good a model as M
random ones, so M - N labels are saved.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import Setting, setting_of

RESAMPLES = 4000


class Worth(NamedTuple):
    """What `budget` labels picked by `method` are worth in random labels.

    Attributes:
      setting: what was compared on.
      method: who picked.
      budget: N, the labels picked.
      labels: M, the least number of random labels with the same mean accuracy;
        infinite where no measured number reaches it, and the least measured number
        where already that many do.
      low: lower end of the interval of M.
      high: upper end.
      least: the smallest measured number of random labels.
      most: the largest.
      n: seeds.
      level: coverage of the interval.
    """

    setting: Setting
    method: str
    budget: int
    labels: float
    low: float
    high: float
    least: int
    most: int
    n: int
    level: float

    @property
    def resolved(self) -> bool:
        """Whether the interval excludes N itself: some labels are saved, or lost."""
        return self.low > self.budget or self.high < self.budget


def labels_worth(
    rows: Iterable[ResultRow], *, baseline: str = "random", level: float = 0.95
) -> list[Worth]:
    r"""The worth of every method's picks, budget by budget.

    With $R(m)$ the mean accuracy of $m$ random labels, made monotone by isotonic
    regression over the measured budgets and linear in $\log m$ between them, and
    $A(N)$ the method's mean accuracy, $M = \min\{m : R(m) \ge A(N)\}$. The seeds of
    both curves are resampled together, and the ends of the interval are quantiles of
    the resampled $M$, widened so that a mean of few seeds keeps its level (the expanded
    percentile interval of Hesterberg, The American Statistician 69, 2015).

    Args:
      rows: finished runs, each once. Seeds that lack a budget of the baseline, or the
        method's own, are left out of that comparison.
      baseline: the method that draws at random.
      level: coverage of the intervals, in (0, 1).

    Returns:
      One entry per setting, method and budget, in the order of first appearance, for
      which the baseline was measured at two budgets or more and three seeds or more.

    Raises:
      UserError: the level is not in (0, 1).

    Example:
      >>> def row(method, labels, seed, accuracy):
      ...     cells = ("d", "f", "probe", method, labels, seed, accuracy, 9, 0.0, 0.0)
      ...     return ResultRow(*cells)
      >>> rows = [row("random", m, s, m / 100) for m in (10, 20, 40) for s in range(3)]
      >>> rows += [row("norm", 10, s, 0.2) for s in range(3)]
      >>> (worth,) = labels_worth(rows)
      >>> worth.labels, worth.low, worth.high
      (20.0, 20.0, 20.0)
    """
    if not 0.0 < level < 1.0:
        raise UserError(f"expected an interval level between 0 and 1, found {level}")
    accuracy: dict[tuple[Setting, str], dict[int, dict[int, float]]] = {}
    for row in rows:
        by_budget = accuracy.setdefault((setting_of(row), row.method), {})
        by_budget.setdefault(row.budget, {})[row.seed] = row.accuracy
    found = []
    for (setting, method), by_budget in accuracy.items():
        random = accuracy.get((setting, baseline), {})
        if method == baseline or len(random) < 2:
            continue
        measured = sorted(random)
        complete = set.intersection(*(set(random[m]) for m in measured))
        for budget in sorted(by_budget):
            seeds = sorted(complete & by_budget[budget].keys())
            if len(seeds) < 3:
                continue
            curve = np.array([[random[m][seed] for m in measured] for seed in seeds])
            reached = np.array([by_budget[budget][seed] for seed in seeds])
            labels, low, high = equivalent_labels(measured, curve, reached, level)
            found.append(
                Worth(
                    setting,
                    method,
                    budget,
                    labels,
                    low,
                    high,
                    measured[0],
                    measured[-1],
                    len(seeds),
                    level,
                )
            )
    return found


def equivalent_labels(
    budgets: Sequence[int], random: np.ndarray, picked: np.ndarray, level: float = 0.95
) -> tuple[float, float, float]:
    """M and its interval for one method and one budget.

    Args:
      budgets: `[k]`, ascending numbers of random labels.
      random: float `[s, k]`, their accuracy by seed.
      picked: float `[s]`, the method's accuracy by seed.
      level: coverage of the interval.

    Returns:
      M, and the lower and upper end of its interval.
    """
    n = len(picked)
    mean = _first_reach(budgets, random.mean(0)[None], picked.mean()[None])[0]
    # The same rows give the same interval: the resamples are no part of the data.
    draws = np.random.default_rng(0).integers(n, size=(RESAMPLES, n))
    resampled = _first_reach(budgets, random[draws].mean(1), picked[draws].mean(1))
    tail = _expanded_tail(n, level)
    low, high = np.quantile(resampled, [tail, 1 - tail], method="nearest")
    return float(mean), float(low), float(high)


def _expanded_tail(n: int, level: float) -> float:
    """The share of resamples to leave out on each side.

    A resampled mean of n numbers spreads by sqrt((n - 1) / n) too little, and a normal
    quantile ignores that the spread itself was estimated.
    """
    from scipy.stats import norm, t  # slow to import, and only needed here

    return float(norm.cdf(math.sqrt(n / (n - 1)) * t.ppf((1 - level) / 2, n - 1)))


def _first_reach(
    budgets: Sequence[int], curves: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Where each curve `[r, k]`, made monotone, first reaches its target `[r]`."""
    logs = np.log(np.asarray(budgets, float))
    curves = isotonic(curves)
    reaches = curves >= targets[:, None]
    at = np.argmax(reaches, axis=1)
    before = np.maximum(at - 1, 0)
    row = np.arange(len(curves))
    rise = curves[row, at] - curves[row, before]
    share = np.where(
        rise > 0, (targets - curves[row, before]) / np.where(rise > 0, rise, 1), 1.0
    )
    between = np.exp(logs[before] + share * (logs[at] - logs[before]))
    found = np.where(at == 0, float(budgets[0]), between)
    # A target that is met exactly is met at that budget, not a rounding beside it.
    found = np.where(share == 1.0, np.asarray(budgets, float)[at], found)
    return np.where(reaches.any(axis=1), found, np.inf)


def isotonic(curves: np.ndarray) -> np.ndarray:
    r"""The nearest non-decreasing curve to each row, in the least-squares sense.

    $\hat y_i = \max_{j \le i} \min_{l \ge i} \operatorname{mean}(y_j, \dots, y_l)$.

    Args:
      curves: float `[r, k]`.

    Returns:
      float `[r, k]`.

    Source: Robertson, Wright, Dykstra, Order Restricted Statistical Inference, 1988,
      theorem 1.4.4.

    Example:
      >>> isotonic(np.array([[1.0, 3.0, 2.0, 4.0]])).tolist()
      [[1.0, 2.5, 2.5, 4.0]]
    """
    k = curves.shape[1]
    fitted = np.empty_like(curves)
    for i in range(k):
        best = np.full(len(curves), -np.inf)
        for j in range(i + 1):
            sums = np.cumsum(curves[:, j:], axis=1) / np.arange(1, k - j + 1)
            best = np.maximum(best, sums[:, i - j :].min(axis=1))
        fitted[:, i] = best
    return fitted
