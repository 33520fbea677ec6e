"""The report's tables of accuracies, differences and costs as accessible HTML."""

import math
from collections import defaultdict
from collections.abc import Iterable
from html import escape

from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import PairedDifference, Setting, setting_of
from jaxsel.report.grids import Grid, caption
from jaxsel.report.palette import method_style
from jaxsel.report.words import interval, labels_cell, level, percent, points, verdict


def accuracy_table(grid: Grid) -> str:
    """Methods by budgets; the highest mean of a column is bold."""
    body = []
    for method in grid.methods:
        cells = []
        for budget in grid.budgets:
            result = grid.accuracy.get((method, budget))
            if result is None:
                cells.append("<td>–</td>")
                continue
            mean, *error = percent(result, with_n=grid.common_n is None).split(" ", 1)
            soft = f' <span class="error">{error[0]}</span>' if error else ""
            best = ' class="best"' if grid.best(budget) == method else ""
            cells.append(f"<td{best}>{mean}{soft}</td>")
        body.append(_method_header(method) + "".join(cells))
    note = " Bold: the highest mean at that number of labels."
    return _table(
        caption(grid) + (note if len(grid.methods) > 1 else ""),
        ["labels", *(f"{budget:,}" for budget in grid.budgets)],
        [f"<tr>{row}</tr>" for row in body],
    )


def difference_table(differences: Iterable[PairedDifference]) -> str:
    """Each method against the baseline, budget by budget, then pooled."""
    differences = list(differences)
    body = []
    for each in differences:
        pooled = len(each.budgets) > 1
        cells = (
            labels_cell(each.budgets),
            points(each).split(" ±")[0],
            interval(each),
            str(each.n),
            verdict(each),
        )
        row = _method_header(each.method) + "".join(
            f"<td>{escape(cell)}</td>" for cell in cells
        )
        body.append(f'<tr class="pooled">{row}</tr>' if pooled else f"<tr>{row}</tr>")
    baseline = escape(differences[0].baseline)
    return _table(
        f"Accuracy minus that of {baseline}, seed by seed, in percentage points.",
        [
            "method",
            "labels",
            "points",
            f"{level(differences[0])} interval",
            "seeds",
            "verdict",
        ],
        body,
    )


def cost_table(rows: Iterable[ResultRow], setting: Setting) -> str:
    """Classes found and seconds spent, a method a row, averaged over its seeds."""
    by_cell: dict[str, dict[int, list[ResultRow]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        if setting_of(row) == setting:
            by_cell[row.method][row.budget].append(row)
    budgets = sorted({budget for cells in by_cell.values() for budget in cells})
    body = []
    for method, cells in by_cell.items():
        finds = "".join(
            f"<td>{_mean([row.distinct_classes for row in cells[budget]]):.1f}</td>"
            if budget in cells
            else "<td>–</td>"
            for budget in budgets
        )
        runs = [row for runs in cells.values() for row in runs]
        seconds = "".join(
            f"<td>{_mean(values):.3g}</td>"
            for values in (
                [row.select_seconds for row in runs],
                [row.train_seconds for row in runs],
            )
        )
        body.append(f"<tr>{_method_header(method)}{finds}{seconds}</tr>")
    return _table(
        "Distinct classes among the labels, and seconds a run; means over seeds.",
        [
            "labels",
            *(f"{budget:,}" for budget in budgets),
            "to select (s)",
            "to train (s)",
        ],
        body,
    )


def _mean(values: list[float] | list[int]) -> float:
    """The average of a list that is not empty."""
    return math.fsum(values) / len(values)


def _method_header(method: str) -> str:
    """A row's header: the method beside its colour."""
    colour = method_style(method).colour
    return (
        f'<th scope="row"><span class="swatch" style="background:{colour}"></span>'
        f"{escape(method)}</th>"
    )


def _table(caption_text: str, header: list[str], body: list[str]) -> str:
    """A table with a caption and column headers, scrolling where it is too wide."""
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    return (
        f'<div class="wide"><table><caption>{caption_text}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )
