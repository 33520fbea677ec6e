"""Selection time against pool size and against budget, with the fitted exponents."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.evaluation.scaling import exponent
from jaxsel.report.axes import dress, line_with_errors, literal, panel_grid
from jaxsel.report.palette import in_order, method_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Timed(NamedTuple):
    """The seconds of one method at several sizes."""

    x: np.ndarray  # [k], ascending or not
    seconds: np.ndarray  # [k], or [k, r] for r repeats


class TimesPanel(NamedTuple):
    """The methods' seconds against one size, the others fixed."""

    title: str  # what is fixed
    x_label: str
    symbol: str  # of the size in the legend: "n", "b"
    methods: Mapping[str, Timed]


def times_figure(panels: Sequence[TimesPanel]) -> "Figure":
    """Draw seconds against size in logarithms, a line a method, a panel a size.

    A point is the median of its repeats, its bar their range. The legend has the
    exponent of `evaluation.scaling.exponent` on the medians in brackets; a method of
    one size has none.

    Args:
      panels: at least one, each of at least one method: pool size and budget.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: nothing to draw, or sizes or seconds that are not above 0.

    Source: the costs O(sNd) and O(N²d) in Sec. 3 of Bar & Giryes, arXiv 2406.01086.

    >>> timed = Timed(np.array([1e3, 2e3]), np.array([0.1, 0.2]))
    >>> figure = times_figure([TimesPanel("", "pool", "n", {"norm": timed})])
    >>> figure.axes[0].get_legend().get_texts()[0].get_text()
    'norm (1.00)'
    """
    if not panels or not all(panel.methods for panel in panels):
        raise UserError("expected panels with at least one method each, found none")
    most = max(len(panel.methods) for panel in panels)
    figure, axes = panel_grid(
        len(panels), columns=2, width=3.9, height=3.3 + 0.19 * ((most + 1) // 2)
    )
    for axis, panel in zip(axes, panels, strict=True):
        _draw(axis, panel)
    low = min(axis.get_ylim()[0] for axis in axes)
    high = max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(low, high)  # the panels are read against each other
    return figure


def _draw(axis: "Axes", panel: TimesPanel) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    for method in in_order(panel.methods):
        x, seconds = _checked(method, panel.methods[method])
        medians = np.median(seconds, axis=1)
        label = method
        if len(np.unique(x)) > 1:
            power = exponent(x, medians).exponent
            label += f" ({power:.2f})".replace("-", "−")
        line_with_errors(
            axis,
            x,
            medians,
            [medians - seconds.min(1), seconds.max(1) - medians],
            style=method_style(method),
            label=label,
            cap=2 if seconds.shape[1] > 1 else 0,
        )
    dress(axis, title=panel.title, x_label=panel.x_label, y_label="seconds")
    axis.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.17),
        title=f"method (exponent of {literal(panel.symbol)})",
        title_fontsize=8,
        ncols=2,
        frameon=False,
        fontsize=8,
        columnspacing=1.2,
    )


def _checked(method: str, timed: Timed) -> tuple[np.ndarray, np.ndarray]:
    """Sizes ascending and seconds `[k, r]`, float64."""
    x = np.asarray(timed.x, np.float64)
    seconds = np.asarray(timed.seconds, np.float64)
    if seconds.ndim == 1:
        seconds = seconds[:, None]
    if x.ndim != 1 or seconds.ndim != 2 or len(x) != len(seconds) or not seconds.size:
        raise UserError(
            f"expected sizes [k] and seconds [k] or [k, r] of {method!r}, found "
            f"{list(x.shape)} and {list(np.shape(timed.seconds))}; give a time a size"
        )
    for values in (x, seconds):
        if not (np.isfinite(values) & (values > 0)).all():
            raise UserError(
                f"expected finite sizes and seconds above 0 of {method!r}, found "
                f"{values.ravel().tolist()}; logarithms have no place for the others"
            )
    order = np.argsort(x, kind="stable")
    return x[order], seconds[order]
