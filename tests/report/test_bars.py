"""The tables as figures: values, errors and printed numbers stand where they belong."""

import itertools

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.report.bars import Bar, BarGroup, bars_figure
from jaxsel.report.drawing import png_bytes
from jaxsel.report.palette import method_style

GROUPS = [
    BarGroup("20 $", {"norm": Bar(251.0, 2.0, 260.0), "random": Bar(271.6, 3.0)}),
    BarGroup("40", {"probcover+norm": Bar(214.0)}),
]


def _markers(axis):
    return [
        (line.get_xdata()[0], line.get_ydata()[0], line.get_markerfacecolor())
        for line in axis.lines
        if line.get_marker() != "|"  # the ends of error bars
    ]


def test_filled_is_ours_and_hollow_is_the_papers():
    figure = bars_figure(GROUPS, "FID")
    one, other = figure.axes
    norm = method_style("norm").colour
    # The rows of the palette's order: random, norm, probcover+norm.
    assert _markers(one) == [
        (271.6, 0, method_style("random").colour),
        (251.0, 1, norm),
        (260.0, pytest.approx(1.24), "none"),
    ]
    assert _markers(other) == [(214.0, 2, method_style("probcover+norm").colour)]
    spans = [
        np.array(container.lines[2][0].get_segments())[0, :, 0].tolist()
        for container in one.containers
    ]
    assert spans == [[268.6, 274.6], [249.0, 253.0]]
    assert not other.containers
    assert one.get_title("left") == r"20 \$"
    assert one.get_xlabel() == other.get_xlabel() == "FID"


def test_the_names_are_written_once_and_are_clear_of_each_other():
    values = {
        method: Bar(1.0) for method in ("random", "norm", "gram_schmidt", "$odd$")
    }
    figure = bars_figure([BarGroup(str(i), values) for i in range(4)], "x")
    figure.draw_without_rendering()
    for place, axis in enumerate(figure.axes):
        labels = axis.get_yticklabels()
        names = [label.get_text() for label in labels]
        if place % 3:
            assert names == [""] * 4
            continue
        assert names == ["random", "norm", "gram_schmidt", r"\$odd\$"]
        boxes = [label.get_window_extent() for label in labels]
        assert all(box.x0 >= 0 for box in boxes)
        assert all(up.y0 > down.y1 for up, down in itertools.pairwise(boxes))


def test_the_legend_says_what_is_there():
    def said(groups):
        (legend,) = bars_figure(groups, "x").legends
        return [text.get_text() for text in legend.get_texts()]

    assert said(GROUPS) == ["this run, ± standard error", "printed in the paper"]
    assert said(GROUPS[1:]) == ["this run"]


def test_one_scale_where_it_is_asked_for():
    own = [axis.get_xlim() for axis in bars_figure(GROUPS, "x").axes]
    assert own[0] != own[1]
    # Everything drawn is inside, the errors and the printed numbers too.
    assert own[0][0] < 249 and own[0][1] > 274.6
    same = [axis.get_xlim() for axis in bars_figure(GROUPS, "x", same_scale=True).axes]
    assert same[0] == same[1] == (min(own)[0], max(own)[1])
    assert png_bytes(bars_figure(GROUPS, "x")) == png_bytes(bars_figure(GROUPS, "x"))


def test_numbers_that_cannot_be_drawn_are_refused():
    for bad in (Bar(np.nan), Bar(1.0, -0.1), Bar(1.0, None, np.inf)):
        with pytest.raises(UserError, match="for 'norm' in '20'"):
            bars_figure([BarGroup("20", {"norm": bad})], "x")
    for nothing in ([], [BarGroup("20", {})]):
        with pytest.raises(UserError, match="at least one method"):
            bars_figure(nothing, "x")
