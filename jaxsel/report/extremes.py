"""Rows of images under headings: the highest and the lowest norms, side by side."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.report.axes import INK, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TILE = 0.72  # inches of a thumbnail's side
_CAPTION = 0.2  # inches below it
_HEADING = 0.34
_LONGEST = 13  # characters that fit below a thumbnail


class ExtremeGroup(NamedTuple):
    """Images that belong under one heading."""

    heading: str
    images: np.ndarray  # uint8 [m, h, w] or [m, h, w, c], c of 1, 3 or 4
    captions: Sequence[str]  # [m], class names


def extremes_figure(groups: Sequence[ExtremeGroup], *, columns: int = 10) -> "Figure":
    """Draw each group's images in rows, in the order given, a caption below each.

    Images keep their pixels: small ones are enlarged without smoothing. A caption too
    long for its image ends in an ellipsis.

    Args:
      groups: at least one, each of at least one image.
      columns: images a row.

    Returns:
      A Matplotlib figure that no global state refers to.

    Raises:
      UserError: there is nothing to draw, or images or captions are not as above.

    Source: Appendix H of Bar & Giryes, arXiv 2406.01086.

    >>> images = np.zeros((3, 8, 8), np.uint8)
    >>> figure = extremes_figure([ExtremeGroup("dark", images, ["a", "b", "c"])])
    >>> [axis.get_title() for axis in figure.axes]
    ['a', 'b', 'c']
    """
    from matplotlib.figure import Figure

    if not groups or columns < 1:
        raise UserError(
            f"expected at least one group and one column, found {len(groups)} and "
            f"{columns}; there is nothing to draw"
        )
    for group in groups:
        _check(group)
    width = min(columns, max(len(group.images) for group in groups))
    rows = [math.ceil(len(group.images) / width) for group in groups]
    line = _TILE + _CAPTION
    heights = [_HEADING + line * count for count in rows]
    figure = Figure(
        figsize=(max(width * _TILE * 1.06, 2.4), sum(heights)),
        dpi=200,
        layout="constrained",
    )
    engine = figure.get_layout_engine()
    assert engine is not None  # it was just asked for
    engine.set(h_pad=0.02, w_pad=0.02, hspace=0.03, wspace=0.03)  # type: ignore[call-arg]
    # A subfigure a group, so that a heading has a place of its own.
    parts = figure.subfigures(len(groups), 1, squeeze=False, height_ratios=heights)
    for part, group, count in zip(parts.ravel(), groups, rows, strict=True):
        part.suptitle(
            literal(group.heading), x=0.005, ha="left", fontsize=10, color="black"
        )
        axes = part.subplots(count, width, squeeze=False).ravel()
        for axis, image, caption in zip(
            axes, group.images, group.captions, strict=False
        ):
            _draw(axis, image, caption)
        for axis in axes[len(group.images) :]:
            axis.set_axis_off()  # it keeps its place, so that columns stay in line
    return figure


def _draw(axis: "Axes", image: np.ndarray, caption: str) -> None:
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[:, :, 0]
    # Grey images take the whole range, so that two of them can be compared.
    axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_axis_off()
    if len(caption) > _LONGEST:
        caption = caption[: _LONGEST - 1].rstrip() + "…"
    axis.set_title(literal(caption), fontsize=7, color=INK, y=-0.04, va="top", pad=0)


def _check(group: ExtremeGroup) -> None:
    images = group.images
    if images.dtype != np.uint8 or not (
        images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3, 4))
    ):
        raise UserError(
            "expected uint8 images of shape [m, h, w] or [m, h, w, c] with c of 1, 3 "
            f"or 4, found {images.dtype} {list(images.shape)} under {group.heading!r}"
        )
    if not len(images) or len(images) != len(group.captions):
        raise UserError(
            "expected at least one image and a caption for each, found "
            f"{len(images)} images and {len(group.captions)} captions under "
            f"{group.heading!r}"
        )
