"""Accuracy of many subsets against a number of each: points, line and correlation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.evaluation.regression import Regression, line_band, regress
from jaxsel.report.axes import INK, dress, panel_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS, _LINE = "#0072b2", "#d55e00"  # Okabe and Ito (2008)
_PLACES = 100  # along the line, for its band


class ScatterPanel(NamedTuple):
    """One cloud of points and the line through it."""

    title: str
    x: np.ndarray  # [n]
    y: np.ndarray  # [n], fractions; drawn in per cent
    x_label: str
    y_label: str
    fit: Regression  # of y on x, as `regress` gives it


def scatter_figure(panels: Sequence[ScatterPanel]) -> "Figure":
    """Draw each cloud with its regression line, the line's band, and r in words.

    The band holds the line, not the points: it is `line_band` at the level of the fit.

    Args:
      panels: at least one; two a row.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: there is no panel, or a fit is not that of its points.

    Source: Fig. 7 of Bar & Giryes, arXiv 2406.01086.

    >>> from jaxsel.evaluation.regression import regress
    >>> x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.1, 0.3, 0.2, 0.4])
    >>> figure = scatter_figure([ScatterPanel("", x, y, "", "", regress(x, y))])
    >>> figure.axes[0].texts[0].get_text().splitlines()[0]
    'r = 0.80 [−0.70, 1.00]'
    """
    if not panels:
        raise UserError("expected at least one panel to draw, found none")
    figure, axes = panel_grid(len(panels), columns=2, width=3.9, height=3.2)
    for axis, panel in zip(axes, panels, strict=True):
        _draw(axis, panel)
    return figure


def correlation_in_words(fit: Regression) -> str:
    """The correlation with its interval, its level and its n, on two lines.

    >>> print(correlation_in_words(Regression(1, 0, -0.214, -0.3, 0.004, 0, 500, 0.95)))
    r = −0.21 [−0.30, 0.00]
    95 % interval, n = 500
    """
    numbers = [f"{value:.2f}" for value in (fit.r, fit.r_low, fit.r_high)]
    r, low, high = (
        "0.00" if text == "-0.00" else text.replace("-", "−") for text in numbers
    )
    return f"r = {r} [{low}, {high}]\n{100 * fit.level:g} % interval, n = {fit.n:,}"


def _draw(axis: "Axes", panel: ScatterPanel) -> None:
    x, y = np.asarray(panel.x, np.float64), np.asarray(panel.y, np.float64)
    fit = panel.fit
    if x.shape != y.shape or len(x) != fit.n:
        raise UserError(
            f"expected the {fit.n} points of the fit, found {list(x.shape)} and "
            f"{list(y.shape)} in {panel.title!r}; give the points that were fitted"
        )
    if not np.allclose(regress(x, y, level=fit.level), fit, rtol=1e-6, atol=1e-9):
        raise UserError(
            f"expected the {fit.n} points of the fit, found others in "
            f"{panel.title!r}; give the points that were fitted, in their order"
        )
    # Few points are drawn large, many small, so that the cloud keeps its shape.
    size = float(np.clip(4000 / len(x), 8, 28))
    axis.scatter(x, 100 * y, s=size, color=_POINTS, alpha=0.35, linewidths=0)
    along = np.linspace(x.min(), x.max(), _PLACES)
    low, high = line_band(x, y, along, level=fit.level)
    axis.fill_between(along, 100 * low, 100 * high, color=_LINE, alpha=0.25, lw=0)
    line = fit.intercept + fit.slope * along
    axis.plot(along, 100 * line, color=_LINE, linewidth=1.8)
    dress(axis, title=panel.title, x_label=panel.x_label, y_label=panel.y_label)
    # A fifth of the height is kept free for the words.
    bottom, top = axis.get_ylim()
    axis.set_ylim(bottom, top + 0.22 * (top - bottom))
    axis.text(
        0.03,
        0.97,
        correlation_in_words(fit),
        transform=axis.transAxes,
        fontsize=8,
        color=INK,
        va="top",
    )
