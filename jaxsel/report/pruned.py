"""Pruning's bias to high norms: what deciles of norm keep, a line a sparsity."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from jaxsel.errors import UserError
from jaxsel.evaluation.pruned import GroupAfter, NormBias
from jaxsel.evaluation.statistics import Estimate
from jaxsel.report.axes import INK, dress, line_with_errors, panel_grid
from jaxsel.report.palette import Style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "^", "D", "v", "<", ">", "p", "h")
_PALEST = 0.85  # of the colour map; beyond it yellow is lost on white


def sequential_colours(count: int) -> list[str]:
    """So many ordered colours, pale to dark, whose order survives a print in grey.

    Viridis read from its light end; its lightness is monotone, and people with the
    common colour deficiencies see the same order.

    Args:
      count: at least 1.

    Returns:
      `"#rrggbb"` strings.

    >>> sequential_colours(2)
    ['#9bd93c', '#440154']
    """
    import matplotlib
    from matplotlib.colors import to_hex

    palette = matplotlib.colormaps["viridis"]
    step = _PALEST / max(count - 1, 1)
    return [to_hex(palette(max(0.0, _PALEST - step * i))) for i in range(count)]


def pruned_figure(bias: NormBias) -> "Figure":
    """Draw what groups of norm retain, keep and get right, a line a sparsity.

    The bars are one standard error over a group's examples to each side. In the panel
    of accuracies, the dashed line is the network before pruning.

    Args:
      bias: as `norm_bias` gives it, with at least one sparsity.

    Returns:
      A Matplotlib figure that no global state refers to, of three panels.

    Raises:
      UserError: there is no sparsity.

    Source: Appendix F of Bar & Giryes, arXiv 2406.01086.
    """
    if not bias.pruned:
        raise UserError("expected at least one sparsity to draw, found none")
    figure, axes = panel_grid(3, columns=3, width=3.0, height=3.4)
    panels: list[tuple[str, Callable[[GroupAfter], Estimate]]] = [
        ("norm retained (%)", lambda group: group.retained),
        ("predictions unchanged (%)", lambda group: group.kept),
        ("accuracy (%)", lambda group: group.accuracy),
    ]
    count = len(bias.groups)
    unit = "decile" if count == 10 else f"group (of {count})"
    styles = [
        Style(colour, _MARKERS[i % len(_MARKERS)], "-")
        for i, colour in enumerate(sequential_colours(len(bias.pruned)))
    ]
    places = range(1, count + 1)
    for axis, (name, quantity) in zip(axes, panels, strict=True):
        lines = []
        for part, style in zip(bias.pruned, styles, strict=True):
            values = [quantity(group) for group in part.groups]
            means = [100 * value.mean for value in values]
            errors = [100 * (value.standard_error or 0.0) for value in values]
            lines.append(line_with_errors(axis, places, means, errors, style=style))
        dress(axis, title=name, x_label=f"{unit} of norm before")
        axis.set_xticks(_ticks(count))
        axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    before = [100 * group.accuracy.mean for group in bias.groups]
    (dashed,) = axes[2].plot(
        places, before, color=INK, linestyle="--", linewidth=1.2, zorder=5
    )
    handles = [dashed, *lines]
    labels = ["whole network", *(_sparsity(part.sparsity) for part in bias.pruned)]
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=math.ceil(len(labels) / math.ceil(len(labels) / 7)),
        frameon=False,
        fontsize=8,
    )
    return figure


def bias_in_words(bias: NormBias) -> str:
    """A line a sparsity: the rank correlations of the norm before with what is kept.

    An interval that holds 0 leaves it open whether there is a bias at all.
    """
    lines = []
    for part in bias.pruned:
        known = (
            ("the retained share", part.retained),
            ("a kept prediction", part.kept),
        )
        said = []
        for name, relation in known:
            if relation is None:
                said.append(f"{name} is the same for every example")
                continue
            rank = relation.spearman
            direction = "no resolved relation to"
            if rank.low > 0:
                direction = "rises with"
            elif rank.high < 0:
                direction = "falls with"
            numbers = f"{rank.rho:.2f} [{rank.low:.2f}, {rank.high:.2f}]"
            said.append(
                f"{name}: {direction} the norm (rank correlation "
                f"{numbers.replace('-', '−')})"
            )
        lines.append(f"{_sparsity(part.sparsity)}: {'; '.join(said)}.")
    return "\n".join(lines)


def _ticks(count: int) -> list[int]:
    """Every group where there is room, else some of them and the last."""
    if count <= 10:
        return [*range(1, count + 1)]
    step = math.ceil(count / 10)
    return [*range(1, count + 1 - step // 2, step), count]


def _sparsity(share: float) -> str:
    """`90 % pruned`, with as many digits as it needs.

    >>> _sparsity(0.9), _sparsity(0.995)
    ('90 % pruned', '99.5 % pruned')
    """
    return f"{100 * share:.4g} % pruned"
