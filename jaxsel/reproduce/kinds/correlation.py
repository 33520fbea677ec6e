"""Accuracy of random subsets against the mean norm of their features."""

import pathlib
from typing import Any

import numpy as np

from jaxsel.evaluation.claims import Claim, Verdict, judged
from jaxsel.evaluation.regression import Regression, regress
from jaxsel.report.norms import row_norms
from jaxsel.report.scatter import ScatterPanel, scatter_figure
from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.studies import facts_of, finish, inputs_of, picks_of


def draw(figure: Figure, workdir: pathlib.Path) -> Product:
    """A cloud for every framework and set size, with its line and r.

    Every subset has a seed of its own, which also draws its hold-out, the network's
    start and its batches: that spread is in the clouds, as in the paper's.

    Options: `norms`, parts whose features' norms are taken in place of the study's own,
    by data set.

    Args:
      figure: its parts have the method `random` and many seeds.
      workdir: of all figures.

    Returns:
      What came out.
    """
    done = finish(figure.parts, workdir / "studies")
    others = {
        str(part.config.data.name): inputs_of(part)
        for part in figure.options.get("norms", ())
    }
    panels, points, fits, verdicts = [], [], [], []
    for each in done:
        settings, inputs = others.get(
            each.part.config.data.name, (each.study.settings, each.study.inputs)
        )
        features = settings.resolved["features"]["encoder"]
        norms = row_norms(inputs.train_features.rows)
        for budget in sorted({row.budget for row in each.rows}):
            rows = [row for row in each.rows if row.budget == budget]
            means = np.array(
                [norms[picks_of(each, "random", budget, r.seed)].mean() for r in rows]
            )
            accuracy = np.array([row.accuracy for row in rows])
            fit = regress(means, accuracy)
            where = f"{rows[0].dataset}, {features}, {rows[0].framework}"
            panels.append(
                ScatterPanel(
                    f"{rows[0].dataset}, {rows[0].framework}, {budget} labels",
                    means,
                    accuracy,
                    f"mean norm of {features} features",
                    "test accuracy (%)",
                    fit,
                )
            )
            named: dict[str, Any] = {
                "dataset": rows[0].dataset,
                "features": features,
                "framework": rows[0].framework,
                "budget": budget,
            }
            fits.append({**named, **fit._asdict()})
            points += [
                {**named, "seed": row.seed, "mean_norm": mean, "accuracy": row.accuracy}
                for row, mean in zip(rows, means, strict=True)
            ]
            place = f"{where}, {budget} labels"
            verdicts += [_verdict(claim, place, fit) for claim in figure.claims]
    said = [
        f"{fit['framework']}, {fit['features']} features, {fit['budget']} labels: one "
        f"standard deviation of the mean norm goes with {_points(fit, points)} points "
        "of accuracy."
        for fit in fits
    ]
    tables = {"": points, "fits": fits}
    facts = facts_of(done)
    for name, (_, inputs) in others.items():
        facts[f"norms of {name}"] = {"features": inputs.train_features.identity}
    return Product({"": scatter_figure(panels)}, tables, verdicts, said, facts)


def _verdict(claim: Claim, where: str, fit: Regression) -> Verdict:
    word = judged(claim.kind, fit.r_low, fit.r_high, claim.margin)
    return Verdict(claim, where, word, fit.r, fit.r_low, fit.r_high, "r", fit.n)


def _points(fit: dict[str, Any], points: list[dict[str, Any]]) -> str:
    """The slope in points of accuracy a standard deviation of the mean norm."""
    named = ("dataset", "features", "framework", "budget")
    norms = [
        point["mean_norm"]
        for point in points
        if all(point[name] == fit[name] for name in named)
    ]
    return f"{100 * fit['slope'] * np.std(norms):+.2f}".replace("-", "−")
