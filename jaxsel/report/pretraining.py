"""The curve of an encoder's training: loss, and k-NN accuracy of its features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jaxsel.errors import UserError
from jaxsel.report.axes import quieten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOSS, _ACCURACY = "#0072b2", "#d55e00"  # Okabe and Ito (2008)


def pretraining_figure(rows: Sequence[dict[str, Any]]) -> "Figure":
    """Draw the loss and the k-NN accuracy against epochs, one above the other.

    Args:
      rows: lines of a training's metrics, oldest first, at least one: `epoch` and
        `loss`, and `knn_accuracy` in some.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: there are no rows.

    >>> rows = [{"epoch": 1, "loss": 5.0}, {"epoch": 2, "loss": 4.0}]
    >>> pretraining_figure(rows).axes[0].lines[0].get_ydata().tolist()
    [5.0, 4.0]
    """
    from matplotlib.figure import Figure

    if not rows:
        raise UserError("expected at least one line of metrics to draw, found none")
    measured = [row for row in rows if "knn_accuracy" in row]
    panels = 2 if measured else 1
    figure = Figure(figsize=(5.5, 2.4 * panels), dpi=200, layout="constrained")
    axes = figure.subplots(panels, 1, squeeze=False, sharex=True).ravel()
    epochs = [row["epoch"] for row in rows]
    axes[0].plot(epochs, [row["loss"] for row in rows], color=_LOSS, linewidth=1.2)
    axes[0].set_ylabel("contrastive loss (nats)", fontsize=9)
    if measured:
        axes[1].plot(
            [row["epoch"] for row in measured],
            [100 * row["knn_accuracy"] for row in measured],
            color=_ACCURACY,
            marker="o",
            markersize=3,
            linewidth=1.2,
        )
        axes[1].set_ylabel("k-NN accuracy (%)", fontsize=9)
    axes[-1].set_xlabel("epochs", fontsize=9)
    for axis in axes:
        quieten(axis)
    return figure
