"""Values by method with error bars, a panel a group: Tables 1 and 2 as a figure.

Points rather than bars: a bar's length speaks only where its axis begins at 0, and
there the differences between the methods, often a hundredth of their values, are lost.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from jaxsel.errors import UserError
from jaxsel.report.axes import INK, dress, literal, panel_grid
from jaxsel.report.palette import in_order, method_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BESIDE = 0.24  # rows between our value and the printed one


class Bar(NamedTuple):
    """One method's value in one group."""

    value: float
    standard_error: float | None = None  # None for a single seed
    printed: float | None = None  # what the paper has, in the same unit


class BarGroup(NamedTuple):
    """What is compared in one panel: a set size, a framework."""

    name: str
    values: Mapping[str, Bar]  # by method; gaps between groups are allowed


def bars_figure(
    groups: Sequence[BarGroup], value_label: str, *, same_scale: bool = False
) -> "Figure":
    """Draw each method's value, its standard error and the paper's, a panel a group.

    A method has its row in every panel, so its name is written once. A filled marker
    is our value with one standard error to each side; a hollow one, just below, is
    the paper's where it prints one.

    Args:
      groups: at least one, each of at least one method; up to three a row.
      value_label: what the numbers are, with their unit.
      same_scale: whether all panels have the abscissas of the widest.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: there is nothing to draw, or a number is not finite.

    Source: Tables 1 and 2 of Bar & Giryes, arXiv 2406.01086.

    >>> figure = bars_figure([BarGroup("20", {"norm": Bar(0.25, None, 0.5)})], "FID")
    >>> [line.get_xdata().tolist() for line in figure.axes[0].lines]
    [[0.25], [0.5]]
    """
    if not groups or not all(group.values for group in groups):
        raise UserError("expected groups with at least one method each, found none")
    for group in groups:
        _check(group)
    methods = in_order(method for group in groups for method in group.values)
    figure, axes = panel_grid(
        len(groups), columns=3, width=2.9, height=1.1 + 0.34 * len(methods)
    )
    columns = min(len(groups), 3)
    figure.set_figwidth(figure.get_figwidth() + 1.1)  # the names of the methods
    for place, (axis, group) in enumerate(zip(axes, groups, strict=True)):
        for row, method in enumerate(methods):
            if method in group.values:
                _draw(axis, row, method, group.values[method])
        dress(axis, title=group.name, x_label=value_label)
        axis.set_ylim(len(methods) - 0.4, -0.6)
        names = [literal(method) for method in methods] if place % columns == 0 else []
        axis.set_yticks(range(len(methods)), names or [""] * len(methods), fontsize=9)
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False, axis="y")
        axis.margins(x=0.12)
        axis.autoscale(axis="x")
    if same_scale:
        low = min(axis.get_xlim()[0] for axis in axes)
        high = max(axis.get_xlim()[1] for axis in axes)
        for axis in axes:
            axis.set_xlim(low, high)
    _legend(figure, groups)
    return figure


def _draw(axis: "Axes", row: int, method: str, bar: Bar) -> None:
    style = method_style(method)
    if bar.standard_error is not None:
        axis.errorbar(
            [bar.value],
            [row],
            xerr=[bar.standard_error],
            fmt="none",
            ecolor=style.colour,
            elinewidth=1.4,
            # Taller than the marker: an error smaller than it is seen all the same.
            capsize=4.5,
            capthick=1.2,
        )
    axis.plot(
        [bar.value],
        [row],
        color=style.colour,
        marker=style.marker,
        markersize=6,
        linestyle="",
        zorder=3,
    )
    if bar.printed is not None:
        axis.plot(
            [bar.printed],
            [row + _BESIDE],
            color=style.colour,
            marker=style.marker,
            markersize=5,
            markerfacecolor="none",
            markeredgewidth=1.0,
            linestyle="",
        )


def _legend(figure: "Figure", groups: Sequence[BarGroup]) -> None:
    """What filled and hollow mean, where both are drawn."""
    from matplotlib.lines import Line2D

    bars = [bar for group in groups for bar in group.values.values()]
    known = any(bar.standard_error is not None for bar in bars)
    ours = "this run" + (", ± standard error" if known else "")
    shapes = [(ours, INK)]
    if any(bar.printed is not None for bar in bars):
        shapes.append(("printed in the paper", "none"))
    figure.legend(
        handles=[
            Line2D(
                [],
                [],
                color=INK,
                marker="o",
                markersize=5,
                markerfacecolor=face,
                linestyle="",
                label=label,
            )
            for label, face in shapes
        ],
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=8,
    )


def _check(group: BarGroup) -> None:
    for method, bar in group.values.items():
        numbers = [number for number in bar if number is not None]
        if not all(map(math.isfinite, numbers)) or (bar.standard_error or 0) < 0:
            raise UserError(
                f"expected finite numbers and errors of at least 0, found {tuple(bar)} "
                f"for {method!r} in {group.name!r}; leave the method out there"
            )
