"""Coverage against budget, drawn and in words: how much is each further label worth?"""

from typing import TYPE_CHECKING

from jaxsel.errors import UserError
from jaxsel.evaluation.coverage import Coverage
from jaxsel.report.axes import INK, QUIET, dress, panel_grid
from jaxsel.report.palette import method_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RANDOM = "#8a8a8a"


def coverage_sentence(coverage: Coverage) -> str:
    """What the picks cover, where that turns slow, and what random picks cover.

    >>> import numpy as np
    >>> shares = np.array([0, 0.6, 0.8, 0.82, 0.83])
    >>> coverage_sentence(Coverage(0.4, "", shares, shares[None] / 2, 2))
    '2 labels reach 80 %; the next 2 add 3.0 % (as many random ones reach 42 %).'

    Where random picks cover more on average, a second sentence says so.

    >>> more = coverage_sentence(Coverage(0.4, "", shares, shares[None] + 0.05, 2))
    >>> more.partition(". ")[2]
    'Random picks cover more of the pool than these do: 88 % against 83 %.'
    """
    shares, budget, knee = coverage.shares, coverage.budget, coverage.knee
    first = knee or budget
    said = f"{first:,} label{'s' * (first != 1)} {'reach' if first != 1 else 'reaches'}"
    said += f" {percent(shares[first])}"
    if knee:
        more = budget - knee
        added = percent(shares[-1] - shares[knee])
        said += f"; the next {more:,} add{'s' * (more == 1)} {added}"
    chance = float(coverage.random[:, -1].mean())
    by_chance, reached = percent(chance), percent(shares[-1])
    said += f" (as many random ones reach {by_chance})."
    if chance > shares[-1] and by_chance != reached:
        said += " Random picks cover more of the pool than these do: "
        said += f"{by_chance} against {reached}."
    if shares[0] > 0:
        said = f"What was labelled before covers {percent(shares[0])}; with it {said}"
    return said


def percent(share: float) -> str:
    """Per cent to what matters: a digit after the point near 0 and near 100.

    >>> percent(0.8), percent(0.031), percent(0.9962), percent(1.0), percent(0.0)
    ('80 %', '3.1 %', '99.6 %', '100 %', '0 %')
    """
    value = 100 * share
    near = 0 < value < 9.95 or 99.5 <= value < 99.95
    return f"{value:.1f} %" if near else f"{value:.0f} %"


def budget_figure(coverage: Coverage, method: str) -> "Figure":
    """Draw the covered share against the number of labels, with the knee.

    The band around the random draws holds all of them. Where there is a knee, a dotted
    line leads down from it.

    Args:
      coverage: of at least one pick.
      method: whose colour the curve wears.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: nothing to draw.

    >>> import numpy as np
    >>> shares = np.array([0, 0.6, 0.8, 0.82, 0.83])
    >>> figure = budget_figure(Coverage(0.4, "", shares, shares[None] / 2, 2), "norm")
    >>> [len(line.get_xdata()) for line in figure.axes[0].lines[:2]]
    [5, 5]
    """
    from matplotlib.ticker import MaxNLocator

    if coverage.budget < 1:
        raise UserError("expected the coverage of at least one pick, found none")
    figure, (axis,) = panel_grid(1, columns=1, width=4.8, height=3.1)
    picks = list(range(coverage.budget + 1))
    shares, random = 100 * coverage.shares, 100 * coverage.random
    style = method_style(method)
    axis.fill_between(
        picks, random.min(0), random.max(0), color=_RANDOM, alpha=0.18, linewidth=0
    )
    axis.plot(picks, random.mean(0), color=_RANDOM, linewidth=1.3)
    axis.plot(picks, shares, color=style.colour, linewidth=2.2)
    top = max(shares[-1], random.max()) * 1.16 + 1e-9
    axis.set_ylim(0, min(top, 108))
    axis.set_xlim(0, coverage.budget * 1.02)
    if coverage.knee:
        room = coverage.knee < 0.7 * coverage.budget
        _mark(axis, coverage.knee, shares[coverage.knee], style.colour, room)
    dress(axis, x_label="labels", y_label="covered (% of the pool)")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [
        _handle(style.colour, 2.2, method),
        _handle(_RANDOM, 1.3, f"random, {len(random)} draws"),
    ]
    axis.legend(handles=handles, frameon=False, fontsize=8, loc="lower right")
    return figure


def _mark(axis, place: int, height: float, colour: str, room: bool) -> None:
    axis.plot([place, place], [0, height], color=QUIET, linestyle=":", linewidth=1.2)
    axis.plot([place], [height], "o", color=colour, ms=7, mec="white", mew=1.2)
    axis.annotate(
        f"{place:,}: {percent(height / 100)}",
        (place, height),
        # A curve that bends down leaves room on both of these sides.
        xytext=(6, -5) if room else (-6, 5),
        textcoords="offset points",
        fontsize=9,
        fontweight="bold",
        color=INK,
        ha="left" if room else "right",
        va="top" if room else "bottom",
    )


def _handle(colour: str, width: float, label: str):
    from matplotlib.lines import Line2D

    from jaxsel.report.axes import literal

    return Line2D([], [], color=colour, linewidth=width, label=literal(label))
