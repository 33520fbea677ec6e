"""The images of highest and of lowest feature norm."""

import pathlib

import numpy as np

from jaxsel.report.extremes import ExtremeGroup, extremes_figure
from jaxsel.report.norms import row_norms
from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.studies import inputs_of

SHOWN = 20


def draw(figure: Figure, workdir: pathlib.Path) -> Product:
    """Contact sheets of both ends of the norms; nothing is selected or trained.

    Args:
      figure: its parts name data sets and features.
      workdir: not used; features are in the cache.

    Returns:
      What came out.
    """
    groups, table, said, facts = [], [], [], {}
    for part in figure.parts:
        settings, inputs = inputs_of(part)
        train = inputs.train
        norms = row_norms(inputs.train_features.rows)
        order = np.argsort(-norms, kind="stable")
        name = f"{settings.resolved['data']['name']}, "
        name += settings.resolved["features"]["encoder"]
        for heading, rows in (
            ("highest norms", order[:SHOWN]),
            ("lowest norms", order[: -SHOWN - 1 : -1]),
        ):
            classes = [train.class_names[label] for label in train.labels[rows]]
            groups.append(ExtremeGroup(f"{name}: {heading}", train.take(rows), classes))
            table += [
                {
                    "study": part.study,
                    "group": heading,
                    "rank": rank,
                    "id": train.ids[row],
                    "class": kind,
                    "norm": norms[row],
                }
                for rank, (row, kind) in enumerate(zip(rows, classes, strict=True))
            ]
            said.append(
                f"{name}, {heading}: {norms[rows].min():.4g} to "
                f"{norms[rows].max():.4g}; {_counts(classes)}."
            )
        facts[part.study] = {"features": inputs.train_features.identity}
    return Product({"": extremes_figure(groups)}, {"": table}, [], said, facts)


def _counts(classes: list[str]) -> str:
    """Classes by how often they occur, the frequent first."""
    counts = {kind: classes.count(kind) for kind in dict.fromkeys(classes)}
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} × {kind}" for kind, count in ordered)
