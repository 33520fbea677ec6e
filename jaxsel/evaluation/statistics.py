"""Means with standard errors, and paired differences to a baseline with intervals.

Two methods that share a seed share the network's initial weights and the order
of its batches, so their difference is taken seed by seed: what the seed does to
both cancels. Every interval speaks of its own comparison alone; with twenty of
them at 95 %, one is expected to exclude zero by chance.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import ResultRow

_ROUNDING = 1e-12  # an accuracy is a ratio of counts; differences this small are none


class Setting(NamedTuple):
    """What must agree before two accuracies may be compared."""

    dataset: str
    features: str
    framework: str


class Estimate(NamedTuple):
    """A mean over seeds and how well it is known."""

    mean: float
    standard_error: float | None  # None for a single seed
    n: int


class Cell(NamedTuple):
    """The accuracy of one method at one budget."""

    setting: Setting
    method: str
    budget: int
    accuracy: Estimate


class PairedDifference(NamedTuple):
    """Accuracy of `method` minus that of `baseline`, over the seeds both have."""

    setting: Setting
    method: str
    baseline: str
    budgets: tuple[int, ...]  # more than one: averaged over them, seed by seed
    mean: float
    half_width: float | None  # of the interval; None for a single seed
    n: int
    level: float

    @property
    def low(self) -> float | None:
        """The lower end of the interval."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """The upper end of the interval."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def resolved(self) -> bool:
        """Whether the interval excludes zero, by more than rounding error."""
        if self.half_width is None:
            return False
        return abs(self.mean) > self.half_width + _ROUNDING


def setting_of(row: ResultRow) -> Setting:
    """The setting that a run belongs to."""
    return Setting(row.dataset, row.features, row.framework)


def estimate(values: Sequence[float]) -> Estimate:
    r"""The mean and its standard error,
    $\sqrt{\sum_i (x_i - \bar x)^2 / (n - 1)} / \sqrt n$.

    Args:
      values: one number a seed, at least one.

    Returns:
      The estimate; its standard error is None when there is one value.

    Raises:
      UserError: there is no value.

    >>> estimate([1.0, 2.0, 3.0])
    Estimate(mean=2.0, standard_error=0.5773502691896257, n=3)
    >>> estimate([0.5])
    Estimate(mean=0.5, standard_error=None, n=1)
    """
    n = len(values)
    if n == 0:
        raise UserError("expected at least one value to average, found none")
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(mean, None, 1)
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return Estimate(mean, math.sqrt(variance / n), n)


def interval_half_width(result: Estimate, level: float = 0.95) -> float | None:
    r"""Half the width of Student's interval, $t_{n-1,(1+\ell)/2} \cdot \mathrm{se}$.

    Args:
      result: a mean over `n` values taken as independent and near normal.
      level: the coverage $\ell$, in (0, 1).

    Returns:
      The half width in the units of the mean, or None when `n` is 1.

    Raises:
      UserError: `level` is not in (0, 1).

    >>> round(interval_half_width(Estimate(0.0, 1.0, 3)), 4)
    4.3027
    """
    if not 0.0 < level < 1.0:
        raise UserError(f"expected an interval level between 0 and 1, found {level}")
    if result.standard_error is None:
        return None
    from scipy.stats import t  # slow to import, and only needed here

    return float(t.ppf(0.5 + level / 2, result.n - 1)) * result.standard_error


def accuracy_cells(rows: Iterable[ResultRow]) -> list[Cell]:
    """The mean accuracy of every method at every budget of every setting.

    Args:
      rows: finished runs, each once.

    Returns:
      A cell for each (setting, method, budget) that was run: settings and
      methods in the order of their first appearance, budgets ascending.

    Raises:
      UserError: a run appears twice.
    """
    accuracies = _by_run(rows)
    place = _places(accuracies)
    cells = [
        Cell(setting, method, budget, estimate(list(by_seed.values())))
        for (setting, method, budget), by_seed in accuracies.items()
    ]
    return sorted(
        cells,
        key=lambda cell: (place[cell.setting], place[cell.method], cell.budget),
    )


def paired_differences(
    rows: Iterable[ResultRow], *, baseline: str = "random", level: float = 0.95
) -> list[PairedDifference]:
    """Each method's accuracy minus the baseline's, budget by budget and pooled.

    At one budget, the difference is taken within each seed that both methods
    have, and its mean gets Student's interval over those seeds. Pooled, each
    seed's differences are first averaged over the budgets, so that the seeds
    stay the independent units: the budgets of one seed are not independent, as
    a smaller selection is often a part of the larger. The pooled figure uses
    only the seeds that have every budget, so that no seed is weighed by which of
    its runs ended first.

    Args:
      rows: finished runs, each once.
      baseline: the method to compare with.
      level: the coverage of the intervals, in (0, 1).

    Returns:
      For each setting and each other method, both in the order of their first
      appearance: one difference a budget with at
      least one common seed, in ascending order, then, when there are several
      budgets and a seed that has them all, the pooled one. Empty when the
      baseline was not run.

    Raises:
      UserError: a run appears twice, or `level` is not in (0, 1).

    >>> rows = [
    ...     ResultRow("digits", "raw", "probe", method, 20, seed, accuracy, 9, 0.1, 1.0)
    ...     for method, accuracies in (("random", (0.50, 0.54)), ("norm", (0.53, 0.58)))
    ...     for seed, accuracy in enumerate(accuracies)
    ... ]
    >>> (difference,) = paired_differences(rows)
    >>> round(difference.mean, 4), round(difference.half_width, 4), difference.resolved
    (0.035, 0.0635, False)
    """
    accuracies = _by_run(rows)
    gaps: dict[tuple[Setting, str], dict[int, dict[int, float]]] = defaultdict(dict)
    for (setting, method, budget), by_seed in accuracies.items():
        reference = accuracies.get((setting, baseline, budget), {})
        common = sorted(by_seed.keys() & reference.keys())
        if method != baseline and common:
            gaps[setting, method][budget] = {
                seed: by_seed[seed] - reference[seed] for seed in common
            }

    place = _places(accuracies)
    differences = []
    for setting, method in sorted(gaps, key=lambda k: (place[k[0]], place[k[1]])):
        by_budget = gaps[setting, method]
        budgets = sorted(by_budget)
        samples: list[tuple[tuple[int, ...], list[float]]] = [
            ((budget,), list(by_budget[budget].values())) for budget in budgets
        ]
        complete = set.intersection(*(set(by_budget[budget]) for budget in budgets))
        if len(budgets) > 1 and complete:
            pooled = [
                math.fsum(by_budget[budget][seed] for budget in budgets) / len(budgets)
                for seed in sorted(complete)
            ]
            samples.append((tuple(budgets), pooled))
        for over, values in samples:
            result = estimate(values)
            half_width = interval_half_width(result, level)
            differences.append(
                PairedDifference(
                    setting,
                    method,
                    baseline,
                    over,
                    result.mean,
                    half_width,
                    result.n,
                    level,
                )
            )
    return differences


def _by_run(
    rows: Iterable[ResultRow],
) -> dict[tuple[Setting, str, int], dict[int, float]]:
    """Accuracy by seed, for each (setting, method, budget) in order of appearance."""
    accuracies: dict[tuple[Setting, str, int], dict[int, float]] = defaultdict(dict)
    for row in rows:
        by_seed = accuracies[setting_of(row), row.method, row.budget]
        if row.seed in by_seed:
            raise UserError(
                f"expected each run once, found {row.key} twice; "
                "delete one of the two rows"
            )
        by_seed[row.seed] = row.accuracy
    return dict(accuracies)


def _places(keys: Iterable[tuple[Setting, str, int]]) -> dict[Setting | str, int]:
    """The order of first appearance of the settings and of the methods."""
    keys = list(keys)
    settings = dict.fromkeys(setting for setting, _, _ in keys)
    methods = dict.fromkeys(method for _, method, _ in keys)
    return {
        **{setting: place for place, setting in enumerate(settings)},
        **{method: place for place, method in enumerate(methods)},
    }
