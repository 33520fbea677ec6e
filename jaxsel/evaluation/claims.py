"""Claims of a paper as statements that an interval supports, refutes or leaves open.

A claim speaks of a quantity: accuracy of a method minus that of another, say. What came
out is an interval of it, and the claim names the range that the quantity should lie in:
above 0 for "better", within a margin of 0 for "alike". An interval inside the range
supports the claim, one outside refutes it, and one across its border resolves nothing.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jaxsel.errors import UserError
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
      method: the label that it speaks of. Of several, "a|b", the one that is best
        here, chosen for every seed by the other seeds, so that its lead is not
        flattered by the choice.
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
    (`paired_differences`), or the accuracy above chance.

    Args:
      claims: the claims.
      rows: finished runs, each once.
      chance: the accuracy of a guess, by data set.

    Returns:
      Verdicts, claim by claim, settings in order of appearance.
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
            value, half, n = interval
            word = judged(claim.kind, value - half, value + half, claim.margin)
            found.append(
                Verdict(
                    claim,
                    place(setting),
                    word,
                    value,
                    value - half,
                    value + half,
                    "points",
                    n,
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


def _difference(
    rows: list[ResultRow], method: str, baseline: str
) -> tuple[float, float, int] | None:
    if "|" in method + baseline:
        return _difference_of_bests(rows, method.split("|"), baseline.split("|"))
    pair = [row for row in rows if row.method in (method, baseline)]
    differences = paired_differences(pair, baseline=baseline)
    mine = [each for each in differences if each.method == method]
    if not mine:
        return None
    last = mine[-1]  # Over all budgets, where there are several.
    half = math.inf if last.half_width is None else last.half_width
    return last.mean, half, last.n


def _difference_of_bests(
    rows: list[ResultRow], methods: list[str], baselines: list[str]
) -> tuple[float, float, int] | None:
    """The best of some minus the best of others, each chosen without the seed that it
    is then measured on; only seeds with every label at every budget.
    """
    budgets = {row.budget for row in rows}
    means: dict[str, dict[int, float]] = {}
    for label in (*methods, *baselines):
        by_seed: dict[int, list[float]] = {}
        for row in rows:
            if row.method == label:
                by_seed.setdefault(row.seed, []).append(row.accuracy)
        means[label] = {
            seed: math.fsum(values) / len(values)
            for seed, values in by_seed.items()
            if len(values) == len(budgets)
        }
    seeds = set.intersection(*(set(by_seed) for by_seed in means.values()))
    if len(seeds) < 2:
        return None

    def best(labels: list[str], without: int) -> str:
        return max(
            labels,
            key=lambda label: math.fsum(means[label][s] for s in seeds - {without}),
        )

    result = estimate(
        [
            means[best(methods, seed)][seed] - means[best(baselines, seed)][seed]
            for seed in sorted(seeds)
        ]
    )
    half = interval_half_width(result)
    assert half is not None, "there are two seeds at least"
    return result.mean, half, result.n


def _above(
    rows: list[ResultRow], method: str, chance: float
) -> tuple[float, float, int] | None:
    """Accuracy above chance; each seed is averaged over its budgets."""
    by_seed: dict[int, list[float]] = {}
    for row in rows:
        if row.method == method:
            by_seed.setdefault(row.seed, []).append(row.accuracy - chance)
    if not by_seed:
        return None
    result = estimate([math.fsum(each) / len(each) for each in by_seed.values()])
    half = interval_half_width(result)
    return result.mean, math.inf if half is None else half, result.n
