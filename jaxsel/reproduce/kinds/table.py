"""Accuracies at one budget beside the numbers that the paper prints (Table 1)."""

import pathlib
from typing import Any

from jaxsel.evaluation.claims import verdicts
from jaxsel.evaluation.statistics import accuracy_cells
from jaxsel.report.bars import Bar, BarGroup, bars_figure
from jaxsel.report.summary import markdown_table
from jaxsel.report.words import sentence
from jaxsel.reproduce.figure import Figure, Product
from jaxsel.reproduce.kinds.accuracy import chance_of, difference_table, pooled
from jaxsel.reproduce.studies import facts_of, finish, rows_of


def draw(figure: Figure, workdir: pathlib.Path) -> Product:
    """Bars by method, a panel a framework and data set, and the paper's beside them.

    Options: `printed`, by (data set, framework) and method, the paper's accuracies in
    per cent.

    Args:
      figure: its parts have one budget each.
      workdir: of all figures.

    Returns:
      What came out.
    """
    done = finish(figure.parts, workdir / "studies")
    rows = rows_of(done)
    printed = figure.options["printed"]
    groups: dict[str, dict[str, Bar]] = {}
    table = []
    for cell in accuracy_cells(rows):
        setting, found = cell.setting, cell.accuracy
        paper = printed.get((setting.dataset, setting.framework), {}).get(cell.method)
        name = f"{setting.dataset}, {setting.framework}, {cell.budget} labels"
        error = found.standard_error
        groups.setdefault(name, {})[cell.method] = Bar(
            100 * found.mean, None if error is None else 100 * error, paper
        )
        table.append(
            {
                "dataset": setting.dataset,
                "framework": setting.framework,
                "method": cell.method,
                "budget": cell.budget,
                "accuracy": 100 * found.mean,
                "standard_error": None if error is None else 100 * error,
                "seeds": found.n,
                "paper": paper,
                "ratio": None if paper is None else 100 * found.mean / paper,
            }
        )
    drawing = bars_figure(
        [BarGroup(name, bars) for name, bars in groups.items()], "test accuracy (%)"
    )
    said = [f"{each.setting.framework}: {sentence(each)}" for each in pooled(rows)]
    tables = {
        "": table,
        "differences": difference_table(rows),
        "runs": [row._asdict() for row in rows],
    }
    found_verdicts = verdicts(figure.claims, rows, chance_of(done))
    return Product(
        {"": drawing}, tables, found_verdicts, said, facts_of(done), _shown(table)
    )


def _shown(table: list[dict[str, Any]]) -> str:
    """Ours, the paper's, and the ratio."""
    body = []
    for row in table:
        error = row["standard_error"]
        ours = f"{row['accuracy']:.1f}" + ("" if error is None else f" ± {error:.1f}")
        known = row["paper"] is not None
        body.append(
            [
                f"{row['dataset']}, {row['framework']}, {row['method']}",
                ours,
                f"{row['paper']:.2f}" if known else "",
                f"{row['ratio']:.2f}" if known else "",
            ]
        )
    return markdown_table(["accuracy in %", "ours", "paper", "ours / paper"], body)
