"""How every panel is dressed: quiet axes, a title that is not read as mathematics."""

import math
from typing import TYPE_CHECKING

from jaxsel.report.palette import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike

QUIET = "#999999"  # spines and ticks
GRID = "#e6e6e6"
INK = "#333333"  # text and lines about the data


def literal(text: str) -> str:
    r"""Text that Matplotlib does not read as mathematics.

    >>> literal("$weird$")
    '\\$weird\\$'
    """
    return text.replace("$", r"\$")


def dress(
    axis: "Axes",
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    title_pad: float = 6,
) -> None:
    """Light axes without a box, a light grid below the data, labels as plain text.

    Args:
      axis: the panel.
      title: above its left corner.
      x_label: below.
      y_label: beside.
      title_pad: points between the title and the panel.
    """
    axis.set_title(literal(title), loc="left", fontsize=10, pad=title_pad)
    axis.set_xlabel(literal(x_label), fontsize=9)
    axis.set_ylabel(literal(y_label), fontsize=9)
    quieten(axis)


def quieten(axis: "Axes") -> None:
    """Light axes without a box, and a light grid below the data."""
    axis.tick_params(which="both", labelsize=8, color=QUIET)
    axis.grid(color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(QUIET)


def line_with_errors(
    axis: "Axes",
    x: "ArrayLike",
    y: "ArrayLike",
    errors: "ArrayLike",
    *,
    style: Style,
    label: str = "",
    cap: float = 0,
) -> "Line2D":
    """A line whose markers have a thin white edge, over bars that have none.

    Args:
      axis: where.
      x: `[k]`.
      y: `[k]`.
      errors: `[k]` to both sides or `[2, k]`, down and up, in the units of y.
      style: colour, marker and dashes.
      label: for the legend, as plain text.
      cap: points to each side at the ends of the bars.

    Returns:
      The line, as a handle for a legend.
    """
    axis.errorbar(
        x, y, errors, fmt="none", ecolor=style.colour, elinewidth=1, capsize=cap
    )
    (line,) = axis.plot(
        x,
        y,
        color=style.colour,
        marker=style.marker,
        linestyle=style.dashes,
        linewidth=1.6,
        markersize=5,
        markeredgecolor="white",
        markeredgewidth=0.5,
        zorder=3,
        label=literal(label),
    )
    return line


def panel_grid(
    panels: int, *, columns: int, width: float, height: float
) -> tuple["Figure", list["Axes"]]:
    """A figure with so many panels, row by row, and no empty ones.

    Args:
      panels: how many, at least 1.
      columns: at most so many a row.
      width: inches a panel.
      height: inches a panel.

    Returns:
      A Matplotlib figure that no global state refers to, and its panels.
    """
    from matplotlib.figure import Figure

    columns = min(panels, columns)
    rows = math.ceil(panels / columns)
    figure = Figure(
        figsize=(width * columns, height * rows), dpi=200, layout="constrained"
    )
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axis in axes[panels:]:
        axis.remove()
    return figure, axes[:panels]
