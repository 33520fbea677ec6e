"""Claims of a paper as statements that an interval supports, refutes or leaves open.

A claim speaks of a quantity: accuracy of a method minus that of another, say. What came
out is an interval of it, and the claim names the range that the quantity should lie in:
above 0 for "better", within a margin of 0 for "alike". An interval inside the range
supports the claim, one outside refutes it, and one across its border resolves nothing.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.evaluation.bests import difference_of_bests
from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import (
    Setting,
    estimate,
    interval_half_width,
    paired_differences,
    setting_of,
)

SUPPORTED, REFUTED = "supported", "not supported"
OPEN = "not resolved at this scale"
# By kind: the range, in units of the margin, that the quantity should lie in.
KINDS = {
    "better": (0.0, math.inf),
    "worse": (-math.inf, 0.0),
    "not worse": (-1.0, math.inf),
    "not better": (-math.inf, 1.0),
    "alike": (-1.0, 1.0),
}


class Claim(NamedTuple):
    """A statement of the paper.

    Attributes:
      topic: of the abstract's claims, the one that it bears on; "" for none.
      text: in few words.
      kind: a name of `KINDS`.
      method: the label that it speaks of. Of several, "a|b", whichever is the best;
        the interval knows that nobody knows which one that is
        (`jaxsel.evaluation.bests`).
      baseline: the label that it is compared with, or the best of several; "chance"
        for a guess.
      margin: what counts as alike, in the quantity's own unit (a fraction of
        accuracy).
      features: where it speaks of one kind of features only.
      datasets: where it speaks of some data sets only; () for all.
    """

    topic: str
    text: str
    kind: str
    method: str = ""
    baseline: str = "random"
    margin: float = 0.02
    features: str = ""
    datasets: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """What came out of a claim, in one setting.

    Attributes:
      claim: the claim.
      where: data set, features and framework.
      word: `SUPPORTED`, `REFUTED` or `OPEN`.
      value: of the quantity.
      low: lower end of its 95 % interval.
      high: upper end.
      unit: "points" of accuracy (value times 100), "r", or another.
      n: seeds, or whatever is independent.
    """

    claim: Claim
    where: str
    word: str
    value: float
    low: float
    high: float
    unit: str
    n: int


class Interval(NamedTuple):
    """A quantity and its 95 % interval; infinite where the seeds are too few."""

    value: float
    low: float
    high: float
    n: int


def judged(kind: str, low: float, high: float, margin: float = 0.0) -> str:
    """The word for an interval.

    Args:
      kind: of the claim.
      low: lower end of the interval; -inf where nothing is known.
      high: upper end.
      margin: of the claim.

    Returns:
      `SUPPORTED`, `REFUTED` or `OPEN`.

    Raises:
      UserError: an unknown kind, or ends in the wrong order.

    Example:
      >>> judged("better", 0.1, 0.3), judged("better", -0.1, 0.3)
      ('supported', 'not resolved at this scale')
      >>> judged("alike", 0.03, 0.05, margin=0.02)
      'not supported'
    """
    if kind not in KINDS:
        raise UserError(f"expected a claim's kind among {', '.join(KINDS)}: {kind!r}")
    if not low <= high:
        raise UserError(f"expected an interval from low to high, found {low}, {high}")
    bottom, top = (
        end * margin if end and math.isfinite(end) else end for end in KINDS[kind]
    )
    if bottom < low and high < top:  # Zero itself is neither better nor worse.
        return SUPPORTED
    return REFUTED if high <= bottom or low >= top else OPEN


def verdicts(
    claims: Iterable[Claim], rows: Iterable[ResultRow], chance: Mapping[str, float]
) -> list[Verdict]:
    """Verdicts on claims about accuracies, one for every setting with both methods.

    The quantity is the paired difference, averaged over the budgets seed by seed
    (`paired_differences`), the same of the best of several
    (`jaxsel.evaluation.bests.difference_of_bests`), or the accuracy above chance.

    Args:
      claims: the claims.
      rows: finished runs, each once.
      chance: the accuracy of a guess, by data set.

    Returns:
      Verdicts, claim by claim, settings in order of appearance. A claim has none
      where one of its methods was not run, or never at a budget of the others.
    """
    rows = list(rows)
    settings = list(dict.fromkeys(map(setting_of, rows)))
    found = []
    for claim in claims:
        for setting in settings:
            if not _speaks_of(claim, setting):
                continue
            here = [row for row in rows if setting_of(row) == setting]
            interval = (
                _above(here, claim.method, chance[setting.dataset])
                if claim.baseline == "chance"
                else _difference(here, claim.method, claim.baseline)
            )
            if interval is None:
                continue
            word = judged(claim.kind, interval.low, interval.high, claim.margin)
            found.append(
                Verdict(
                    claim,
                    place(setting),
                    word,
                    interval.value,
                    interval.low,
                    interval.high,
                    "points",
                    interval.n,
                )
            )
    return found


def _speaks_of(claim: Claim, setting: Setting) -> bool:
    return claim.features in ("", setting.features) and (
        not claim.datasets or setting.dataset in claim.datasets
    )


def place(setting: Setting) -> str:
    """A setting in words."""
    return f"{setting.dataset}, {setting.features} features, {setting.framework}"


def _difference(rows: list[ResultRow], method: str, baseline: str) -> Interval | None:
    if "|" in method + baseline:
        return _difference_of_bests(rows, method.split("|"), baseline.split("|"))
    pair = [row for row in rows if row.method in (method, baseline)]
    differences = paired_differences(pair, baseline=baseline)
    mine = [each for each in differences if each.method == method]
    if not mine:
        return None
    last = mine[-1]  # Over all budgets, where there are several.
    half = math.inf if last.half_width is None else last.half_width
    return Interval(last.mean, last.mean - half, last.mean + half, last.n)


def _difference_of_bests(
    rows: list[ResultRow], methods: list[str], baselines: list[str]
) -> Interval | None:
    """The best of some minus the best of others, by `difference_of_bests`.

    Every method is averaged over the budgets that all of them have, and only over seeds
    with all of these: else the differences would not be of the same quantity.
    """
    accuracies = {label: _by_run(rows, label) for label in (*methods, *baselines)}
    budgets = set.intersection(
        *({budget for budget, _ in runs} for runs in accuracies.values())
    )
    means = {label: _over(runs, budgets) for label, runs in accuracies.items()}
    if not all(means.values()):
        return None
    seeds = sorted(set().union(*means.values()))

    def table(labels: list[str]) -> np.ndarray:
        return np.array(
            [[means[label].get(seed, math.nan) for seed in seeds] for label in labels]
        )

    found = difference_of_bests(
        table(list(dict.fromkeys(methods))), table(list(dict.fromkeys(baselines)))
    )
    return Interval(
        float(found.value), float(found.low), float(found.high), int(found.n)
    )


def _by_run(rows: list[ResultRow], label: str) -> dict[tuple[int, int], float]:
    """The accuracy of a method by budget and seed."""
    found: dict[tuple[int, int], float] = {}
    for row in rows:
        if row.method != label:
            continue
        if (row.budget, row.seed) in found:
            raise UserError(
                f"expected each run once, found {row.key} twice; "
                "delete one of the two rows"
            )
        if not math.isfinite(row.accuracy):
            raise UserError(
                f"expected a finite accuracy, found {row.accuracy} for {row.key}"
            )
        found[row.budget, row.seed] = row.accuracy
    return found


def _above(rows: list[ResultRow], method: str, chance: float) -> Interval | None:
    """Accuracy above chance, averaged over the budgets; of seeds that have them all."""
    runs = _by_run(rows, method)
    if not runs:
        return None
    means = _over(runs, {budget for budget, _ in runs})
    if not means:
        value = math.fsum(runs.values()) / len(runs) - chance
        return Interval(value, -math.inf, math.inf, 0)
    result = estimate([mean - chance for mean in means.values()])
    half = interval_half_width(result)
    half = math.inf if half is None else half
    return Interval(result.mean, result.mean - half, result.mean + half, result.n)


def _over(
    runs: dict[tuple[int, int], float], budgets: Collection[int]
) -> dict[int, float]:
    """By seed, the mean over the budgets; of seeds that have them all."""
    return {
        seed: math.fsum(runs[budget, seed] for budget in budgets) / len(budgets)
        for seed in dict.fromkeys(seed for _, seed in runs)
        if budgets and all((budget, seed) in runs for budget in budgets)
    }
