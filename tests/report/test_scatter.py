"""The clouds of points, their lines and what is written beside them."""

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.evaluation.regression import line_band, regress
from jaxsel.report.drawing import png_bytes
from jaxsel.report.scatter import ScatterPanel, correlation_in_words, scatter_figure


def _panel(n=50, title="20 labels", seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(30, 1, n)
    y = 0.2 + 0.01 * (x - 30) + generator.normal(0, 0.02, n)
    return ScatterPanel(title, x, y, "mean norm", "accuracy (%)", regress(x, y))


def test_points_line_and_band_are_those_of_the_numbers():
    panel = _panel()
    (axis,) = scatter_figure([panel]).axes
    points, band = axis.collections
    np.testing.assert_allclose(
        points.get_offsets(), np.stack([panel.x, 100 * panel.y], 1)
    )
    (line,) = axis.lines
    along, height = line.get_data()
    assert (along.min(), along.max()) == (panel.x.min(), panel.x.max())
    slope, intercept = np.polyfit(panel.x, 100 * panel.y, 1)
    np.testing.assert_allclose(height, intercept + slope * along, rtol=1e-8)
    low, high = line_band(panel.x, panel.y, along)
    edges = band.get_paths()[0].vertices[:, 1]
    assert edges.min() == pytest.approx(100 * low.min())
    assert edges.max() == pytest.approx(100 * high.max())
    assert axis.get_title("left") == "20 labels"
    assert axis.texts[0].get_text() == correlation_in_words(panel.fit)


def test_the_words_are_above_every_point():
    panel = _panel(500)
    figure = scatter_figure([panel])
    figure.draw_without_rendering()
    (axis,) = figure.axes
    words = axis.transData.inverted().transform(axis.texts[0].get_window_extent())
    assert words[0, 1] > 100 * panel.y.max()


def test_a_panel_each_and_no_empty_one():
    figure = scatter_figure([_panel(n, f"${n}$", n) for n in (4, 9, 30)])
    assert len(figure.axes) == 3
    assert png_bytes(figure) == png_bytes(
        scatter_figure([_panel(n, f"${n}$", n) for n in (4, 9, 30)])
    )


def test_a_fit_of_other_points_is_refused():
    panel = _panel()
    with pytest.raises(UserError, match="expected the 9 points of the fit"):
        scatter_figure([panel._replace(fit=_panel(9).fit)])
    with pytest.raises(UserError, match=r"\[50\] and \[49\]"):
        scatter_figure([panel._replace(y=panel.y[1:])])
    with pytest.raises(UserError, match="50 points of the fit, found others"):
        scatter_figure([panel._replace(y=panel.y[::-1])])
    with pytest.raises(UserError, match="at least one panel"):
        scatter_figure([])
