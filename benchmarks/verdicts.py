"""How often verdicts on "the best of A against the best of B" are wrong, and right.

`python -m benchmarks.verdicts [--trials N] [--out FILE]` draws accuracies whose
expected values are known, judges them by `jaxsel.evaluation.bests` and by three rules
that might stand in its place, and writes the rates as CSV (two minutes):

  ours      a one-sided t for every pair, Bonferroni over one group
  pairs     simultaneous t intervals for all pairs of A and B
  pooled    ours, with one variance for all pairs and its many degrees of freedom
  left_out  the best chosen for every seed by the other seeds, then one t interval

A side of an interval is wrong where it excludes the true difference, which it may in
2.5 % of the trials. Power is how often a lead of 2 or 5 points is called one. Both come
from one draw: a lead moves either end of an interval by itself.
"""

import argparse
import csv
import itertools
import pathlib
from typing import NamedTuple

import numpy as np
from scipy.stats import t

from jaxsel.evaluation.bests import difference_of_bests

RESULTS = pathlib.Path(__file__).parent / "results" / "verdicts.csv"
SEEDS = (3, 10, 40)
GROUPS = ((1, 3), (4, 3), (2, 8), (8, 2))
LEADS = (0.02, 0.05)
# How far all but the best of a group, ours and theirs, lie behind it.
LOSERS = {"equal": (0.0, 0.0), "worse": (0.05, 0.05), "theirs worse": (0.0, 0.2)}
NOISES = ("even", "uneven", "correlated", "missing")
# The standard deviation of a method's mean over the budgets of Fig. 3 (docs/paper.md).
SPREAD = 0.015
COLUMNS = ("low_wrong", "high_wrong", "power_2_points", "power_5_points")
BLOCK = 4_000  # trials at a time


class Case(NamedTuple):
    """What is drawn; the best of either group are alike."""

    seeds: int
    groups: tuple[int, int]
    losers: str
    noise: str


def cases() -> list[Case]:
    """Every combination."""
    return [Case(*each) for each in itertools.product(SEEDS, GROUPS, LOSERS, NOISES)]


def draw(
    rng: np.random.Generator, case: Case, trials: int
) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies of both groups, float64 `[trials, a, s]` and `[trials, b, s]`.

    A seed's own effect is common to all methods. "uneven": standard deviations from a
    third to three times the usual, the largest for the best methods. "correlated": the
    methods of a group share most of their noise, against those of the other. "missing":
    the first and the last of a group have all seeds, the others half, two at least.
    """
    a, b = case.groups
    behind = LOSERS[case.losers]
    means = np.concatenate(
        [
            -behind[0] * (np.arange(a) > 0),
            -behind[1] * (np.arange(b) > 0),
        ]
    )
    noise = rng.normal(size=(trials, a + b, case.seeds))
    if case.noise == "uneven":
        scales = [np.geomspace(3.0, 1 / 3, size) for size in case.groups]
        noise *= np.concatenate(scales)[:, None]
    if case.noise == "correlated":
        shared = rng.normal(size=(trials, 1, case.seeds))
        signs = np.repeat([1.0, -1.0], case.groups)[:, None]
        noise = np.sqrt(0.1) * noise + np.sqrt(0.9) * signs * shared
    common = 0.03 * rng.normal(size=(trials, 1, case.seeds))
    table = means[:, None] + common + SPREAD * noise
    if case.noise == "missing":
        few = max(2, case.seeds // 2)
        table[:, 1 : a - 1, few:] = np.nan
        table[:, a + 1 : a + b - 1, few:] = np.nan
    return table[:, :a], table[:, a:]


def ours(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The package's own interval."""
    found = difference_of_bests(x, y)
    return found.low, found.high


def pairs(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous for all pairs: max min of the lower ends, min max of the upper."""
    mean, error, n = _paired(x, y)
    reach = t.isf(0.025 / (x.shape[1] * y.shape[1]), n - 1) * error
    return (mean - reach).min(2).max(1), (mean + reach).max(1).min(1)


def pooled(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ours with the variance of a two-way table, methods by seeds."""
    mean, _, n = _paired(x, y)
    table = np.concatenate([x, y], axis=1)
    rest = table - table.mean(1, keepdims=True) - table.mean(2, keepdims=True)
    rest += table.mean((1, 2), keepdims=True)
    freedom = (table.shape[1] - 1) * (table.shape[2] - 1)
    error = np.sqrt(2 * (rest**2).sum((1, 2)) / freedom / n)[:, None, None]
    low = mean - t.isf(0.025 / x.shape[1], freedom) * error
    high = mean + t.isf(0.025 / y.shape[1], freedom) * error
    return low.max(1).min(1), high.min(2).max(1)


def left_out(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best of a group is chosen for every seed by the others; then one interval."""
    n = x.shape[2]

    def chosen(group: np.ndarray) -> np.ndarray:
        best = (group.sum(2, keepdims=True) - group).argmax(1)  # [trials, s]
        return np.take_along_axis(group, best[:, None], axis=1)[:, 0]

    gaps = chosen(x) - chosen(y)
    reach = t.isf(0.025, n - 1) * gaps.std(1, ddof=1) / np.sqrt(n)
    return gaps.mean(1) - reach, gaps.mean(1) + reach


def _paired(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    gaps = x[:, :, None] - y[:, None]
    n = gaps.shape[3]
    return gaps.mean(3), gaps.std(3, ddof=1) / np.sqrt(n), n


RULES = {"ours": ours, "pairs": pairs, "pooled": pooled, "left_out": left_out}


def rates(case: Case, trials: int, rng: np.random.Generator) -> dict[str, list[float]]:
    """Of every rule, in per cent, what `COLUMNS` names."""
    found: dict[str, np.ndarray] = {}
    for start in range(0, trials, BLOCK):
        x, y = draw(rng, case, min(BLOCK, trials - start))
        for name, rule in RULES.items():
            if case.noise == "missing" and rule is not ours:
                continue  # The others need every seed.
            low, high = rule(x, y)
            ends = [low > 0, high < 0, *(low > -lead for lead in LEADS)]
            counts = np.sum(ends, axis=1)
            found[name] = found.get(name, 0) + counts
    return {name: np.round(100 * n / trials, 2).tolist() for name, n in found.items()}


def table(trials: int, seed: int = 0) -> list[dict]:
    """A row a case and rule: the case, the rule, and its rates."""
    return [
        {
            "seeds": case.seeds,
            "ours": case.groups[0],
            "theirs": case.groups[1],
            "losers": case.losers,
            "noise": case.noise,
            "rule": rule,
            **dict(zip(COLUMNS, found, strict=True)),
        }
        for place, case in enumerate(cases())
        for rule, found in rates(
            case, trials, np.random.default_rng([seed, place])
        ).items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS)
    options = parser.parse_args()
    rows = table(options.trials, options.seed)
    with options.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for rule in RULES:
        worst = max(
            max(r["low_wrong"], r["high_wrong"]) for r in rows if r["rule"] == rule
        )
        print(f"{rule:9} errs on a side in at most {worst} % of the trials of a case")
    for row in rows:
        if row["losers"] == "equal" and row["noise"] == "even":
            print(*row.values(), sep="\t")


if __name__ == "__main__":
    main()
