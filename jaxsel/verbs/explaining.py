"""Every pick explained: what it stands for, and what the picks cover together."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsel.annotation.picks import Pick
from jaxsel.evaluation.coverage import Coverage
from jaxsel.experiment.progress import Progress
from jaxsel.report.budget_curve import coverage_sentence
from jaxsel.verbs.covering import coverage_of, radius_of
from jaxsel.verbs.represents import Explained, explained


class Story(NamedTuple):
    """What is known of a round's picks and its pool.

    Attributes:
      picks: all of them, by rank, with the rows that each stands for.
      usable: those that can be used, as `seen` counts them.
      seen: of every row of the pool.
      coverage: by the usable picks.
    """

    picks: list[Pick]
    usable: list[Pick]
    seen: Explained
    coverage: Coverage


def explain(
    picks: Sequence[Pick],
    rows: np.ndarray,
    *,
    labelled: Collection[int],
    unusable: Collection[int],
    method: str,
    radius: float | None,
    seed: int,
) -> Story:
    """Assigns the pool to the picks and measures what they cover.

    Args:
      picks: by rank, at least one usable; `represents` is filled in.
      rows: finite real `[n, d]`, memory-mapped too.
      labelled: rows that had labels before, besides the picks.
      unusable: rows that stand for nothing and cover nothing.
      method: who picked.
      radius: the method's own, where it has one.
      seed: of the random picks to compare with.

    Returns:
      The story.
    """
    gone = set(unusable)
    usable = [pick for pick in picks if pick.index not in gone]
    known = np.array(sorted(set(labelled) - gone), np.int64)
    within = radius_of(rows, radius, method)
    places = np.array([pick.index for pick in usable], np.int64)
    with Progress("explaining", len(rows), "row") as progress:
        seen = explained(rows, places, within.value, known, progress.advance)
    counts = np.bincount(seen.nearest, minlength=len(usable)).tolist()
    by_row = dict(zip(places.tolist(), counts, strict=True))
    told = [pick._replace(represents=by_row.get(pick.index, 0)) for pick in picks]
    usable = [pick for pick in told if pick.index not in gone]
    coverage = coverage_of(rows, seen.first, len(usable), within, known, gone, seed)
    return Story(told, usable, seen, coverage)


def coverage_json(coverage: Coverage) -> dict[str, Any]:
    """A coverage as plain values; the curve begins at 0 labels."""

    def plain(shares: np.ndarray) -> list[float]:
        return [round(float(share), 6) for share in shares]

    return {
        "radius": coverage.radius,
        "rule": coverage.rule,
        "curve": plain(coverage.shares),
        "random": plain(coverage.random.mean(axis=0)),
        "knee": coverage.knee,
        "sentence": coverage_sentence(coverage),
    }


def coverage_csv(coverage: Coverage) -> str:
    """`coverage.csv`: covered shares of the pool after k labels, and random ones'."""
    random = coverage.random.mean(axis=0)
    lines = ["k,coverage,random"]
    lines += [
        f"{k},{share:.6f},{chance:.6f}"
        for k, (share, chance) in enumerate(zip(coverage.shares, random, strict=True))
    ]
    return "\n".join(lines) + "\n"
