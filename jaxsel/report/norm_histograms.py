"""Histograms of the norms of several kinds of features: are the norms diverse?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jaxsel.errors import UserError
from jaxsel.evaluation.spread import Spread, norm_sampling
from jaxsel.report.axes import INK, dress, panel_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BARS = "#a9b8c6"
_ALIKE = 1e-6  # a width this small beside the norms is float32's rounding


def norm_histograms(norms: Mapping[str, np.ndarray]) -> "Figure":
    """Draw a histogram a kind of features, with its mean and its middle 98 %.

    The abscissas begin at 0, for it is the ratio of norms that norm sampling acts on:
    a narrow hump far from 0 is nearly a uniform law, however it looks close up.

    Args:
      norms: by the name of the features, the norms `[n]` of all examples; at least
        one kind, finite, not negative, not all 0.

    Returns:
      A Matplotlib figure that no global state refers to, a panel a kind in the order
      given.

    Raises:
      UserError: there is no kind, or norms are not as above.

    Source: Figs. 5c and 5d of Bar & Giryes, arXiv 2406.01086.

    >>> figure = norm_histograms({"raw": np.array([1.0, 2.0, 3.0])})
    >>> sum(int(bar.get_height()) for bar in figure.axes[0].containers[0])
    3
    """
    if not norms:
        raise UserError("expected norms of at least one kind of features, found none")
    spreads = {name: norm_sampling(values) for name, values in norms.items()}
    figure, axes = panel_grid(len(norms), columns=2, width=3.9, height=2.7)
    for axis, (name, values) in zip(axes, norms.items(), strict=True):
        _draw(axis, name, np.asarray(values, np.float64), spreads[name])
    return figure


def sampling_in_words(name: str, spread: Spread) -> str:
    """How far sampling in proportion to the norm is from uniform, as two sentences.

    >>> norms = np.array([1.0, 1.0, 1.0, 5.0])
    >>> print(sampling_in_words("raw", norm_sampling(norms)))
    raw: the norms vary by 87 % of their mean (coefficient of variation), and the \
likeliest example is drawn 2.50 times as often as the average one. Sampling by norm \
is as even as a uniform choice from 73 % of the pool: visibly not uniform.
    """
    share = spread.effective_share
    return (
        f"{name}: the norms vary by {_percent(spread.variation)} of their mean "
        "(coefficient of variation), and the likeliest example is drawn "
        f"{spread.largest_weight:.2f} times as often as the average one. Sampling by "
        f"norm is as even as a uniform choice from {_percent(share)} of the pool: "
        f"{_verdict(share)}."
    )


def _verdict(share: float) -> str:
    """A word for the effective share. With σ the coefficient of variation it is near
    exp(−σ²/2): 99 % is a σ of 14 %, 90 % one of 46 %.
    """
    if share > 0.99:
        return "uniform in all but name"
    return "close to uniform" if share > 0.9 else "visibly not uniform"


def _percent(fraction: float) -> str:
    """Per cent to what matters: two digits near 0 and near 100, else none."""
    percent = 100 * fraction
    near = percent < 9.95 or 99 <= percent < 99.95
    return f"{percent:.1f} %" if near else f"{percent:.0f} %"


def _draw(axis: "Axes", name: str, values: np.ndarray, spread: Spread) -> None:
    alike = np.ptp(values) <= _ALIKE * values.max()
    if alike:
        bins, reach = 1, (0.95 * spread.mean, 1.05 * spread.mean)
    else:
        bins = int(np.clip(np.sqrt(len(values)), 10, 80))
        reach = (values.min(), values.max())
    axis.hist(values, bins, range=reach, color=_BARS, edgecolor="white", lw=0.3)
    if not alike:
        axis.axvspan(
            spread.low, spread.high, color="#0072b2", alpha=0.08, lw=0, zorder=0
        )
        for edge in (spread.low, spread.high):
            axis.axvline(edge, color="#0072b2", linestyle=":", linewidth=1.2)
    axis.axvline(spread.mean, color=INK, linewidth=1.2)
    dress(
        axis,
        title=name,
        x_label="Euclidean norm of the features",
        y_label="examples",
        title_pad=26,
    )
    axis.set_xlim(0, max(float(values.max()), 1.05 * spread.mean) * 1.02)
    axis.grid(visible=False, axis="x")
    # Between the title and the panel, where no histogram can be.
    axis.text(
        0.0,
        1.02,
        f"mean {_three(spread.mean)}, 1 % to 99 %: {_three(spread.low)} to "
        f"{_three(spread.high)}\ncoefficient of variation {_percent(spread.variation)}",
        transform=axis.transAxes,
        fontsize=8,
        color=INK,
        va="bottom",
    )


def _three(value: float) -> str:
    """Three significant digits, zeros kept."""
    return f"{value:#.3g}".rstrip(".")
