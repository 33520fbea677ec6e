"""The pool in a plane, with the picks in it."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxsel.report.axes import literal
from jaxsel.report.palette import method_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NUMBERED = 20  # picks that show their rank
_COVERED, _OPEN, _LABELLED, _UNUSABLE = "#7fa6c9", "#d9b98c", "#222222", "#b3261e"


class PoolMap(NamedTuple):
    """What is drawn, as points of a plane.

    Attributes:
      pool: float `[m, 2]`, rows of the pool, perhaps a sample.
      covered: bool `[m]`, whether a pick or a labelled row is near.
      picks: float `[b, 2]`, by rank.
      ranks: int `[b]`.
      states: `[b]`, each "new", "kept" (of an earlier round) or "unusable".
      labelled: float `[l, 2]`, rows that had labels before.
      share: of the rows' variance, how much lies in the plane.
    """

    pool: np.ndarray
    covered: np.ndarray
    picks: np.ndarray
    ranks: np.ndarray
    states: tuple[str, ...]
    labelled: np.ndarray
    share: float


def map_figure(plane: PoolMap, method: str) -> "Figure":
    """Draw the pool as a cloud and the picks over it, the first with their ranks.

    The cloud is pixels within the drawing, so its size does not grow with the pool.

    Args:
      plane: at least one row of the pool.
      method: whose colour the picks wear.

    Returns:
      A Matplotlib figure that no global state refers to.

    >>> one = np.zeros((1, 2))
    >>> plane = PoolMap(one, np.ones(1, bool), one, np.ones(1, int), ("new",), one, 1.0)
    >>> [text.get_text() for text in map_figure(plane, "norm").axes[0].texts]
    ['1']
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 4.5), dpi=200, layout="constrained")
    axis = figure.subplots()
    size = float(np.clip(9000 / len(plane.pool), 1.5, 16))
    alpha = float(np.clip(3000 / len(plane.pool), 0.45, 0.75))
    for colour, which in ((_OPEN, ~plane.covered), (_COVERED, plane.covered)):
        axis.scatter(
            plane.pool[which, 0],
            plane.pool[which, 1],
            s=size,
            color=colour,
            alpha=alpha,
            linewidths=0,
            rasterized=True,
        )
    if len(plane.labelled):
        axis.plot(*plane.labelled.T, "+", color=_LABELLED, ms=5, mew=0.9)
    colour = method_style(method).colour
    _draw_picks(axis, plane, colour)
    axis.set_aspect("equal", adjustable="datalim")
    axis.margins(0.06)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_color("#d9dee2")
    figure.legend(
        handles=_handles(plane, method, colour),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=8,
        columnspacing=1.4,
        handletextpad=0.3,
    )
    return figure


def _draw_picks(axis: "Axes", plane: PoolMap, colour: str) -> None:
    """The first ones last, so that they lie on top."""
    order = np.argsort(-plane.ranks, kind="stable")
    numbered = set(np.argsort(plane.ranks, kind="stable")[:NUMBERED].tolist())
    for height, place in enumerate(order.tolist()):
        x, y = plane.picks[place]
        state = plane.states[place]
        above = 3 + height / max(1, len(order))
        if state == "unusable":
            axis.plot([x], [y], "x", color=_UNUSABLE, ms=6, mew=1.6, zorder=above)
            continue
        face, ink = (colour, "white") if state == "new" else ("white", colour)
        edge = "white" if state == "new" else colour
        large = place in numbered
        axis.plot(
            [x],
            [y],
            "o",
            color=face,
            ms=11.5 if large else 5.5,
            mec=edge,
            mew=0.8,
            zorder=above,
        )
        if large:
            axis.annotate(
                f"{plane.ranks[place]}",
                (x, y),
                fontsize=6.5,
                fontweight="bold",
                color=ink,
                ha="center",
                va="center_baseline",
                zorder=above,
            )


def _handles(plane: PoolMap, method: str, colour: str) -> list[Any]:
    """Of what there is."""
    from matplotlib.lines import Line2D

    def dot(label: str, marker: str, size: float, face: str, edge: str) -> Any:
        return Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=edge,
            label=literal(label),
        )

    found = []
    if "new" in plane.states:
        found.append(dot(f"picked ({method})", "o", 7, colour, "white"))
    if "kept" in plane.states:
        found.append(dot("picked before", "o", 7, "white", colour))
    if "unusable" in plane.states:
        found.append(dot("unusable", "x", 6, _UNUSABLE, _UNUSABLE))
    if len(plane.labelled):
        found.append(dot("labelled before", "+", 6, _LABELLED, _LABELLED))
    if plane.covered.any():
        found.append(dot("covered", "o", 5, _COVERED, _COVERED))
    if not plane.covered.all():
        found.append(dot("not covered", "o", 5, _OPEN, _OPEN))
    return found
