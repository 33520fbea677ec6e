"""`accuracy.png`: accuracy against labels, a panel a setting, as the paper's Fig. 2."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import Setting
from jaxsel.report.axes import INK, QUIET, literal, quieten
from jaxsel.report.grids import Grid, grids
from jaxsel.report.palette import in_order, method_style
from jaxsel.report.words import setting_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS_A_ROW = 2
_LOGARITHMIC_FROM = 30  # ratio of the largest budget to the smallest


def accuracy_figure(
    rows: Iterable[ResultRow],
    *,
    chance: float | Mapping[str, float] | None = None,
    reference: Mapping[Setting, float] | None = None,
) -> "Figure":
    """Draw mean accuracy against the number of labels, a line a method.

    The shaded band is one standard error to each side, where there are at least
    two seeds; a setting with a single budget gets bars in place of bands. Chance is
    drawn in the panels whose lines come near it, and left out where it would
    only press the lines together.

    Args:
      rows: finished runs, each once, at least one.
      chance: the accuracy of a guess, a fraction, or one by data set; a dotted line.
      reference: the accuracy with all labels of the pool, by setting; a line with its
        value on it.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: there are no rows, or a run appears twice.

    Source: the layout of Fig. 2 of Bar & Giryes, arXiv 2406.01086.

    >>> row = ResultRow("digits", "raw", "probe", "norm", 20, 0, 0.5, 9, 0.1, 1.0)
    >>> accuracy_figure([row]).axes[0].lines[0].get_ydata().tolist()
    [50.0]
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    panels = grids(rows)
    if not panels:
        raise UserError("expected at least one finished run to draw, found none")
    methods = in_order(method for grid in panels for method in grid.methods)
    columns = min(len(panels), _PANELS_A_ROW)
    lines = math.ceil(len(panels) / columns)
    figure = Figure(
        figsize=(1.9 + 3.9 * columns, 3.9 * lines), dpi=200, layout="constrained"
    )
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    settings = [grid.setting for grid in panels]
    near_chance = False
    for axis, grid in zip(axes, panels, strict=False):
        _draw_panel(axis, grid)
        guess = (
            chance.get(grid.setting.dataset) if isinstance(chance, Mapping) else chance
        )
        near_chance |= guess is not None and _draw_chance(axis, 100 * guess)
        if reference and grid.setting in reference:
            _draw_reference(axis, 100 * reference[grid.setting])
        axis.set_title(
            literal(setting_name(grid.setting, settings)), loc="left", fontsize=10
        )
    for axis in axes[len(panels) :]:
        axis.remove()

    handles = []
    for method in methods:
        style = method_style(method)
        handles.append(
            Line2D(
                [],
                [],
                color=style.colour,
                marker=style.marker,
                linestyle=style.dashes,  # type: ignore[arg-type]
                markersize=5,
                label=literal(method),
            )
        )
    if near_chance:
        handles.append(Line2D([], [], color=QUIET, linestyle=":", label="chance"))
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=9)
    return figure


def _draw_panel(axis: "Axes", grid: Grid) -> None:
    """The lines and bands of one setting."""
    for method in grid.methods:
        style = method_style(method)
        budgets = [b for b in grid.budgets if (method, b) in grid.accuracy]
        results = [grid.accuracy[method, budget] for budget in budgets]
        means = [100 * result.mean for result in results]
        errors = [100 * (result.standard_error or 0.0) for result in results]
        axis.plot(
            budgets,
            means,
            color=style.colour,
            marker=style.marker,
            linestyle=style.dashes,
            linewidth=1.6,
            markersize=4.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=method,
            # The baseline is what the others are read against: keep it in sight.
            zorder=4 if method == "random" else 3,
        )
        if len(grid.budgets) == 1:
            axis.errorbar(
                budgets, means, errors, color=style.colour, capsize=3, fmt="none"
            )
        else:
            axis.fill_between(
                budgets,
                [mean - error for mean, error in zip(means, errors, strict=True)],
                [mean + error for mean, error in zip(means, errors, strict=True)],
                color=style.colour,
                # Many bands over each other would hide the lines.
                alpha=0.15 if len(grid.methods) <= 4 else 0.08,
                linewidth=0,
            )
    _dress(axis, grid.budgets)


def _draw_chance(axis: "Axes", chance: float) -> bool:
    """A line at chance, if it lies within a third of the panel's height below it."""
    low, high = axis.get_ylim()
    if chance < low - (high - low) / 3:
        return False
    axis.axhline(chance, color=QUIET, linestyle=":", linewidth=1)
    return True


def _draw_reference(axis: "Axes", accuracy: float) -> None:
    """A line over the curves, which are not pressed together for it: where it would
    lie far above them, it is written at the panel's top instead.
    """
    low, high = axis.get_ylim()
    text = f"all labels: {accuracy:.1f} %"
    if accuracy <= high + (high - low) / 2:
        axis.axhline(accuracy, color=INK, linestyle=(0, (6, 3)), linewidth=1)
        axis.annotate(
            text,
            (0.02, accuracy),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            fontsize=8,
        )
    else:
        axis.annotate(f"{text} ↑", (0.02, 0.95), xycoords="axes fraction", fontsize=8)


def _dress(axis: "Axes", budgets: list[int]) -> None:
    """Scales, ticks at the budgets themselves, a quiet grid."""
    from matplotlib.ticker import FixedLocator, NullLocator

    logarithmic = budgets[-1] >= _LOGARITHMIC_FROM * budgets[0]
    if logarithmic:
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
    if len(budgets) == 1:
        axis.set_xlim(budgets[0] - 1, budgets[0] + 1)
    axis.xaxis.set_major_locator(FixedLocator(_apart(budgets, logarithmic)))
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.set_xlabel("labels", fontsize=9)
    axis.set_ylabel("test accuracy (%)", fontsize=9)
    quieten(axis)


def _apart(budgets: list[int], logarithmic: bool) -> list[int]:
    """The budgets whose labels have room: a tenth of the axis from the last one."""

    def place(budget: int) -> float:
        return math.log(budget) if logarithmic else float(budget)

    room = (place(budgets[-1]) - place(budgets[0])) / 10
    kept = [budgets[-1]]
    for budget in reversed(budgets[:-1]):
        if place(kept[-1]) - place(budget) >= room:
            kept.append(budget)
    return kept[::-1]
