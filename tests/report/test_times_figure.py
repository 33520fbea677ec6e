"""The figure of selection times holds the medians, their ranges and the exponents."""

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.report.drawing import png_bytes
from jaxsel.report.palette import method_style
from jaxsel.report.times import Timed, TimesPanel, times_figure

X = np.array([4000, 1000, 2000])


def _panel(**methods):
    return TimesPanel("$100 picks", "pool size", "n", methods)


def test_points_are_medians_and_bars_are_ranges():
    seconds = np.array([[4.0, 5.0, 9.0], [1.0, 1.0, 1.0], [2.0, 1.5, 2.5]])
    panel = _panel(probcover=Timed(X, seconds), norm=Timed(X, 1e-3 * X))
    (axis,) = times_figure([panel]).axes
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    norm, probcover = [line for line in axis.lines if line.get_linestyle() != "None"]
    assert norm.get_color() == method_style("norm").colour
    np.testing.assert_allclose(norm.get_data(), ([1000, 2000, 4000], [1, 2, 4]))
    np.testing.assert_allclose(probcover.get_ydata(), [1, 2, 5])
    (bars,) = axis.containers[1].lines[2]
    ends = np.array(bars.get_segments())[:, :, 1]
    np.testing.assert_allclose(ends, [[1, 1], [1.5, 2.5], [4, 9]])
    assert axis.get_title("left") == r"\$100 picks"


def test_the_legend_has_the_exponents_of_the_medians():
    panel = _panel(
        norm=Timed(X, 1e-3 * X),
        probcover=Timed(X, 1e-6 * X**2.0),
        random=Timed(X, np.full(3, 0.1)),
        typiclust=Timed(X[:1], np.ones(1)),
    )
    figure = times_figure([panel, panel._replace(symbol="b")])
    legends = [axis.get_legend() for axis in figure.axes]
    assert [text.get_text() for text in legends[0].get_texts()] == [
        "random (0.00)",
        "norm (1.00)",
        "probcover (2.00)",
        "typiclust",
    ]
    assert [legend.get_title().get_text() for legend in legends] == [
        "method (exponent of n)",
        "method (exponent of b)",
    ]
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_the_panels_share_the_seconds_and_the_legends_clear_them():
    slow, fast = _panel(norm=Timed(X, 9.0 * X)), _panel(random=Timed(X, 1e-6 * X))
    figure = times_figure([slow, fast])
    figure.draw_without_rendering()
    one, other = figure.axes
    assert one.get_ylim() == other.get_ylim()
    assert one.get_ylim()[0] < 1e-3 and one.get_ylim()[1] > 36_000
    for axis in figure.axes:
        box = axis.get_legend().get_window_extent()
        assert box.y1 < axis.xaxis.label.get_window_extent().y0
        assert box.y0 >= 0


def test_what_has_no_logarithm_is_refused():
    for bad in (np.array([1.0, 0.0, 2.0]), np.array([1.0, np.nan, 2.0])):
        with pytest.raises(UserError, match="above 0 of 'norm'"):
            times_figure([_panel(norm=Timed(X, bad))])
    with pytest.raises(UserError, match=r"\[3\] and \[2, 5\]"):
        times_figure([_panel(norm=Timed(X, np.ones((2, 5))))])
    for nothing in ([], [_panel()]):
        with pytest.raises(UserError, match="at least one method"):
            times_figure(nothing)
