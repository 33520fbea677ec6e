"""The figures hold the lines, bands and bars that the numbers ask for."""

import sys

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.evaluation.rows import ResultRow
from jaxsel.report.curves import accuracy_figure
from jaxsel.report.drawing import inline_svg, png_bytes
from jaxsel.report.norms import norm_figure, norm_spread, row_norms
from jaxsel.report.palette import method_style

METHODS = ["random", "norm", "$weird$"]


def _rows(budgets=(10, 20), seeds=2, frameworks=("supervised", "probe")):
    return [
        ResultRow("d", "raw", f, m, b, s, 0.3 + b / 200 + s / 100 + i / 50, 5, 0.1, 1.0)
        for f in frameworks
        for i, m in enumerate(METHODS)
        for b in budgets
        for s in range(seeds)
    ]


def test_a_panel_a_framework_with_a_line_and_a_band_a_method():
    figure = accuracy_figure(_rows())
    assert [axis.get_title("left") for axis in figure.axes] == ["supervised", "probe"]
    for axis in figure.axes:
        assert [line.get_label() for line in axis.lines] == METHODS
        assert [line.get_color() for line in axis.lines] == [
            method_style(method).colour for method in METHODS
        ]
        assert len(axis.collections) == len(METHODS)
        assert axis.get_xticks().tolist() == [10, 20]
    x, y = figure.axes[0].lines[0].get_data()
    np.testing.assert_allclose(x, [10, 20])
    np.testing.assert_allclose(y, [35.5, 40.5])  # per cent, the mean of two seeds
    (band,) = figure.axes[0].collections[0].get_paths()
    # Two values 1 point apart: standard error 0.5.
    assert band.vertices[:, 1].min() == pytest.approx(35.0)
    assert band.vertices[:, 1].max() == pytest.approx(41.0)
    (legend,) = figure.legends
    assert len(legend.get_texts()) == len(METHODS)


def test_chance_is_drawn_only_where_it_is_near():
    def dotted(figure):
        return [len(axis.lines) - len(METHODS) for axis in figure.axes]

    assert dotted(accuracy_figure(_rows(), chance=0.34)) == [1, 1]
    assert dotted(accuracy_figure(_rows(), chance=0.01)) == [0, 0]


def test_few_and_many_budgets_are_drawn():
    single = accuracy_figure(_rows(budgets=(10,), frameworks=("probe",)))
    assert len(single.axes[0].containers) == len(METHODS)  # bars in place of bands
    wide = accuracy_figure(_rows(budgets=(1, 2, 100), frameworks=("probe",)))
    assert wide.axes[0].get_xscale() == "log"
    crowded = accuracy_figure(_rows(budgets=range(10, 41), frameworks=("a", "b", "c")))
    assert len(crowded.axes) == 3
    assert len(crowded.axes[0].get_xticks()) <= 11
    assert png_bytes(crowded).startswith(b"\x89PNG")


def test_nothing_to_draw_is_an_error():
    with pytest.raises(UserError, match="at least one finished run"):
        accuracy_figure([])


def test_drawing_leaves_pyplot_alone_and_repeats_itself(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    rows = _rows(frameworks=("probe",))
    assert png_bytes(accuracy_figure(rows)) == png_bytes(accuracy_figure(rows))
    texts = {inline_svg(accuracy_figure(rows), name="a", description="x") for _ in "12"}
    assert len(texts) == 1
    assert "matplotlib.pyplot" not in sys.modules


@pytest.mark.parametrize("dtype", [np.int8, np.float16, np.float32])
def test_row_norms_are_those_of_numpy_in_double(dtype):
    features = np.random.default_rng(0).normal(0, 20, (70_000, 3)).astype(dtype)
    expected = np.linalg.norm(features.astype(np.float64), axis=1)
    np.testing.assert_allclose(row_norms(features), expected, rtol=1e-13)
    with pytest.raises(UserError, match=r"found \[2, 2, 2\]"):
        row_norms(np.zeros((2, 2, 2)))


def test_the_histogram_counts_every_example():
    norms = np.random.default_rng(0).gamma(5, size=500)
    picked = {"norm": norms[:7], "random": norms[7:9], "probcover": norms[:0]}
    figure = norm_figure(norms, picked)
    upper, lower = figure.axes
    assert sum(patch.get_height() for patch in upper.patches) == 500
    assert [tick.get_text() for tick in lower.get_yticklabels()] == ["random", "norm"]
    ticks, mean = lower.lines[2:4]
    assert len(ticks.get_xdata()) == 7
    assert mean.get_xdata()[0] == pytest.approx(norms[:7].mean())
    assert len(norm_figure(norms).axes) == 1
    assert png_bytes(norm_figure(np.ones(30))).startswith(b"\x89PNG")


def test_norms_that_differ_by_rounding_are_drawn_alike():
    rounding = np.random.default_rng(0).uniform(-1, 1, 400) * 2e-7
    norms = np.sqrt(384) * (1 + rounding)
    (axis,) = norm_figure(norms).axes
    assert [patch.get_height() for patch in axis.patches] == [400]
    low, high = axis.get_xlim()
    assert high - low > 1
    assert norm_spread(norms) == pytest.approx(1)
    # A narrow band is a band: it is drawn in its own bins.
    (axis,) = norm_figure(norms * np.linspace(0.99, 1.01, 400)).axes
    assert sum(patch.get_height() > 0 for patch in axis.patches) == 20


def test_the_spread_of_norms():
    assert norm_spread(np.linspace(1, 3, 201)) == pytest.approx(2.98 / 1.02)
    assert norm_spread(np.array([0.0, 0, 1, 2])) == np.inf
    assert norm_spread(np.zeros(3)) == 1


@pytest.mark.parametrize("norms", [[], [1.0, np.nan], [[1.0]]])
def test_norms_that_cannot_be_drawn_are_refused(norms):
    with pytest.raises(UserError, match="finite feature norms"):
        norm_figure(np.array(norms))
