"""How much of the pool is covered after every pick, a line a kind of features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.report.axes import dress, literal, panel_grid
from jaxsel.report.palette import STYLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Covered(NamedTuple):
    """The coverage of one kind of features."""

    name: str
    shares: np.ndarray  # [seeds, picks], of the pool, after each pick


def cover_figure(curves: Sequence[Covered]) -> "Figure":
    """Draw the covered share against the number of picks; the band holds all seeds.

    Args:
      curves: at least one, each with at least one pick.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: nothing to draw.

    Example:
      >>> figure = cover_figure([Covered("rgb", np.array([[0.5, 0.75, 1.0]]))])
      >>> figure.axes[0].lines[0].get_ydata().tolist()
      [0.0, 50.0, 75.0, 100.0]
    """
    if not curves or any(curve.shares.size == 0 for curve in curves):
        raise UserError("expected the coverage after at least one pick, found none")
    figure, (axis,) = panel_grid(1, columns=1, width=5.2, height=3.2)
    styles = list(STYLES.values())
    for place, curve in enumerate(curves):
        style = styles[place % len(styles)]
        # Nothing is covered before the first pick: its jump is part of the picture.
        shares = np.pad(100 * curve.shares, ((0, 0), (1, 0)))
        picks = np.arange(shares.shape[1])
        axis.plot(
            picks,
            shares.mean(axis=0),
            color=style.colour,
            linestyle=("-", "--", ":", "-.")[place % 4],
            marker=style.marker,
            markevery=max(1, len(picks) // 12),
            markersize=4.5,
            label=literal(curve.name),
        )
        axis.fill_between(
            picks, shares.min(axis=0), shares.max(axis=0), color=style.colour, alpha=0.2
        )
    dress(axis, x_label="picks", y_label="covered (% of the pool)")
    axis.set_ylim(0, 104)
    axis.legend(frameon=False, fontsize=8)
    return figure
