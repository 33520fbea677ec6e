"""Fréchet distance of what was picked to the rest of the pool (Table 2)."""

import math
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxsel.evaluation.claims import Verdict, judged
from jaxsel.evaluation.frechet import centred_pool, distance_to_rest
from jaxsel.evaluation.statistics import estimate, interval_half_width
from jaxsel.experiment.pools import draw_pool
from jaxsel.report.bars import Bar, BarGroup, bars_figure
from jaxsel.report.summary import markdown_table
from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.studies import Done, facts_of, finish, inputs_of, picks_of

# By space, set size, method and seed.
Distances = dict[tuple[str, int, str, int], float]


def draw(figure: Figure, workdir: pathlib.Path) -> Product:
    """The distance by set size and method, in every space that is at hand.

    The experiment's own feature space always is; Inception's when a part is named in
    the option `inception`. Options: `printed`, the paper's by (set size, method).

    Args:
      figure: its first part has the picks; another one the images' Inception features.
      workdir: of all figures.

    Returns:
      What came out.
    """
    spaces = figure.options.get("inception", ())
    picked, *_ = finish(
        [part for part in figure.parts if part.study not in spaces], workdir / "studies"
    )
    features = {
        picked.study.settings.resolved["features"]["encoder"]: (
            picked.study.inputs.train_features.rows
        )
    }
    facts = facts_of([picked])
    for part in figure.parts:
        if part.study in spaces:
            images = inputs_of(part)[1].train_features
            features["Inception-v3"] = images.rows
            facts[part.study] = {"features": images.identity}
    found: Distances = {}
    for space, rows in features.items():
        found |= _distances(picked, space, rows)
    groups, table = _summary(found, figure.options["printed"])
    drawing = bars_figure(
        groups, "Fréchet distance to the rest\n(of equal set size only)"
    )
    said = [
        "Compare at equal set size only: the covariance of s examples has rank s − 1, "
        "and the distance falls with s for that reason alone.",
        *_spread(table),
    ]
    return Product(
        {"": drawing},
        {"": table, "runs": _rows(found)},
        _verdicts(figure, found),
        said,
        facts,
        _shown(table),
    )


def _distances(picked: Done, space: str, rows: np.ndarray) -> Distances:
    settings = picked.study.settings.resolved
    config = picked.part.config
    found: Distances = {}
    for seed in config.seeds:
        pool = draw_pool(len(rows), settings["data"]["holdout"], 0, seed).rows
        centred = centred_pool(rows[pool])
        for budget in config.budgets:
            for method in config.methods:
                chosen = picks_of(picked, method, budget, seed)
                found[space, budget, method, seed] = distance_to_rest(
                    centred, np.searchsorted(pool, chosen)
                )
    return found


def _by_seed(
    found: Distances, space: str, budget: int, method: str
) -> dict[int, float]:
    return {
        key[3]: value
        for key, value in found.items()
        if key[:3] == (space, budget, method)
    }


def _summary(
    found: Distances, printed: Mapping[tuple[int, str], float]
) -> tuple[list[BarGroup], list[dict[str, Any]]]:
    groups, table = [], []
    for space, budget in dict.fromkeys(key[:2] for key in found):
        means = {
            method: estimate(list(_by_seed(found, space, budget, method).values()))
            for method in dict.fromkeys(k[2] for k in found if k[:2] == (space, budget))
        }
        paper = {method: printed.get((budget, method)) for method in means}
        random, papers = means.get("random"), paper.get("random")
        for method, mean in means.items():
            theirs = paper[method]
            table.append(
                {
                    "space": space,
                    "set_size": budget,
                    "method": method,
                    "distance": mean.mean,
                    "standard_error": mean.standard_error,
                    "seeds": mean.n,
                    "ratio_to_random": mean.mean / random.mean if random else None,
                    "paper": theirs,
                    "paper_ratio_to_random": (
                        theirs / papers if theirs and papers else None
                    ),
                }
            )
        # The paper's are in Inception's space: no other is on their scale.
        drawn = paper if space == "Inception-v3" else {}
        bars = {
            method: Bar(mean.mean, mean.standard_error, drawn.get(method))
            for method, mean in means.items()
        }
        groups.append(BarGroup(f"{space}, {budget} labels", bars))
    return groups, table


def _shown(table: Sequence[Mapping[str, Any]]) -> str:
    """Ours and the paper's, each over its random choice: scales differ by space."""
    body = []
    for row in table:
        error = row["standard_error"]
        ours = f"{row['distance']:.4g}" + ("" if error is None else f" ± {error:.2g}")
        ratios = [row["ratio_to_random"], row["paper_ratio_to_random"]]
        body.append(
            [
                f"{row['space']}, {row['set_size']} labels, {row['method']}",
                ours,
                "" if row["paper"] is None else f"{row['paper']:.2f}",
                *("" if ratio is None else f"{ratio:.3f}" for ratio in ratios),
            ]
        )
    header = ["distance", "ours", "paper (FID)", "ours / random", "paper / random"]
    return markdown_table(header, body)


def _verdicts(figure: Figure, found: Distances) -> list[Verdict]:
    """Claims are of the relative difference of distances, each seed over all sizes."""
    verdicts = []
    for claim in figure.claims:
        for space in dict.fromkeys(key[0] for key in found):
            gaps: dict[int, list[float]] = {}
            for budget in dict.fromkeys(key[1] for key in found):
                mine = _by_seed(found, space, budget, claim.method)
                other = _by_seed(found, space, budget, claim.baseline)
                for seed in mine.keys() & other.keys():
                    gaps.setdefault(seed, []).append(mine[seed] / other[seed] - 1)
            mean = estimate([sum(each) / len(each) for each in gaps.values()])
            half = interval_half_width(mean)
            half = math.inf if half is None else half
            ends = mean.mean - half, mean.mean + half
            word = judged(claim.kind, *ends, claim.margin)
            where = f"{space} space"
            verdicts.append(
                Verdict(claim, where, word, mean.mean, *ends, "% of distance", mean.n)
            )
    return verdicts


def _rows(found: Distances) -> list[dict[str, Any]]:
    names = ("space", "set_size", "method", "seed")
    return [
        {**dict(zip(names, key, strict=True)), "distance": value}
        for key, value in found.items()
    ]


def _spread(table: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Lowest and highest of every size, in words."""
    for space, size in dict.fromkeys((row["space"], row["set_size"]) for row in table):
        here = [r for r in table if (r["space"], r["set_size"]) == (space, size)]
        low = min(here, key=lambda row: row["distance"])
        high = max(here, key=lambda row: row["distance"])
        yield (
            f"{space}, {size} labels: lowest {low['method']} ({low['distance']:.4g}), "
            f"highest {high['method']} ({high['distance']:.4g})."
        )
