"""The histogram of feature norms: the law that norm sampling draws from."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jaxsel.errors import UserError
from jaxsel.report.palette import in_order, method_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROWS_AT_ONCE = 65_536


def row_norms(features: np.ndarray) -> np.ndarray:
    r"""The Euclidean norm of every row, $\lVert x_i \rVert_2$, block by block.

    Args:
      features: `[n, d]`, any real dtype; may be memory-mapped.

    Returns:
      float64 `[n]`.

    Raises:
      UserError: the array is not a matrix.

    >>> row_norms(np.array([[3, 4], [0, 2]], np.int8)).tolist()
    [5.0, 2.0]
    """
    if features.ndim != 2:
        raise UserError(
            f"expected features of shape [n, d], found {list(features.shape)}; "
            "flatten each example to a row"
        )
    norms = np.empty(len(features))
    for start in range(0, len(features), _ROWS_AT_ONCE):
        block = np.asarray(features[start : start + _ROWS_AT_ONCE], np.float64)
        norms[start : start + len(block)] = np.sqrt(np.einsum("ij,ij->i", block, block))
    return norms


def norm_figure(
    norms: np.ndarray, picked: Mapping[str, np.ndarray] | None = None
) -> "Figure":
    """Draw how the norms of the pool are spread, and where each method's picks lie.

    Args:
      norms: `[n]`, the norm of every row of the pool, at least one, finite.
      picked: by method, the norms `[m]` of the examples it chose; each method gets
        a row below the histogram with a tick a pick and its marker at their mean.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: there are no norms, or one is not finite.

    Source: Figs. 5c and 5d of Bar & Giryes, arXiv 2406.01086.
    """
    from matplotlib.figure import Figure

    norms = np.asarray(norms, np.float64)
    if norms.ndim != 1 or not len(norms) or not np.isfinite(norms).all():
        raise UserError(
            "expected a list of finite feature norms, found shape "
            f"{list(norms.shape)} with {int((~np.isfinite(norms)).sum())} not finite; "
            "compute the features again"
        )
    picked = {method: np.asarray(p) for method, p in (picked or {}).items() if len(p)}
    methods = in_order(picked)
    rows = 0.22 * len(methods)
    figure = Figure(figsize=(5.8, 2.4 + rows), dpi=200, layout="constrained")
    upper, lower = figure.subplots(
        2, 1, sharex=True, height_ratios=[2.0, max(rows, 0.01)]
    )
    bins, reach = _bins(norms)
    upper.hist(norms, bins, range=reach, color="#c9d3dc", edgecolor="white", lw=0.3)
    upper.axvline(norms.mean(), color="#333333", linewidth=1)
    upper.annotate(
        f"mean {norms.mean():.3g}",
        (norms.mean(), 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        fontsize=8,
        ha="center",
        va="bottom",
    )
    upper.set_ylabel("examples", fontsize=9)
    upper.tick_params(labelsize=8, color="#999999")
    upper.spines[["top", "right"]].set_visible(False)
    upper.spines[["left", "bottom"]].set_color("#999999")
    if not methods:
        lower.remove()
        upper.tick_params(labelbottom=True)
        upper.set_xlabel("Euclidean norm of the features", fontsize=9)
        return figure

    for height, method in enumerate(methods):
        style = method_style(method)
        where = np.full(len(picked[method]), float(height))
        lower.plot(picked[method], where, "|", color=style.colour, ms=6, alpha=0.55)
        lower.plot(
            [picked[method].mean()],
            [height],
            color=style.colour,
            marker=style.marker,
            markersize=6,
            markeredgecolor="white",
        )
    lower.axvline(norms.mean(), color="#333333", linewidth=1, zorder=0)
    lower.set_yticks(
        range(len(methods)), [method.replace("$", r"\$") for method in methods]
    )
    lower.set_ylim(len(methods) - 0.4, -0.6)
    lower.tick_params(axis="both", labelsize=8, length=0)
    lower.spines[:].set_visible(False)
    lower.set_xlabel("Euclidean norm of the features", fontsize=9)
    return figure


def norm_spread(norms: np.ndarray) -> float:
    """How many times the 1 % quantile of the norms the 99 % quantile is.

    Sampling in proportion to the norm is nearly uniform where this is nearly 1, as for
    the class tokens of a transformer that ends in a LayerNorm.

    Args:
      norms: `[n]`, at least one, not negative.

    Returns:
      A number from 1; infinite where at least 1 % of the norms are 0 and others not.

    >>> norm_spread(np.full(10, 19.6))
    1.0
    """
    low, high = np.quantile(norms, (0.01, 0.99))
    if low == 0:
        return 1.0 if high == 0 else float("inf")
    return float(high / low)


def _bins(norms: np.ndarray) -> tuple[int, tuple[float, float] | None]:
    """How many bins, and from where to where; the square root of n, or one.

    Norms that differ by the rounding of float32 alone are alike: drawn at full width,
    the rounding would look like a law.
    """
    largest = float(np.abs(norms).max())
    if np.ptp(norms) <= 1e-6 * largest:
        return 1, (0.95 * largest, 1.05 * largest) if largest else None
    return int(np.clip(np.sqrt(len(norms)), 10, 80)), None
