"""What the paper's figures are drawn with: coverage, a line for all labels, styles."""

import xml.etree.ElementTree

import numpy as np
import pytest
from matplotlib.markers import MarkerStyle

from jaxsel.errors import UserError
from jaxsel.evaluation.claims import OPEN, REFUTED, SUPPORTED, Claim, Verdict
from jaxsel.evaluation.rows import ResultRow
from jaxsel.evaluation.statistics import Setting
from jaxsel.report.cover import Covered, cover_figure
from jaxsel.report.curves import accuracy_figure
from jaxsel.report.drawing import png_bytes, svg_bytes
from jaxsel.report.palette import in_order, method_style
from jaxsel.report.verdicts import counted, numbers, overall, verdict_table
from jaxsel.reproduce import catalog

SETTING = Setting("digits", "raw", "linear_probe")


def _rows(methods=("random", "norm"), setting=SETTING, accuracy=0.4):
    return [
        ResultRow(*setting, method, budget, seed, accuracy + budget / 1000, 5, 0.1, 1.0)
        for method in methods
        for budget in (10, 20)
        for seed in range(2)
    ]


def test_coverage_has_its_mean_as_line_and_all_seeds_in_its_band():
    shares = np.array([[0.2, 0.4, 0.6], [0.4, 0.8, 1.0]])
    figure = cover_figure([Covered("rgb", shares), Covered("$deep$", shares[:1])])
    (axis,) = figure.axes
    line, other = axis.lines
    # From nothing, before the first pick.
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2, 3])
    np.testing.assert_allclose(line.get_ydata(), [0, 30, 60, 80])
    np.testing.assert_allclose(other.get_ydata(), [0, 20, 40, 60])
    (band,) = axis.collections[0].get_paths()
    for pick, low, high in ((0, 0, 0), (1, 20, 40), (2, 40, 80), (3, 60, 100)):
        ends = band.vertices[band.vertices[:, 0] == pick][:, 1]
        assert (ends.min(), ends.max()) == (pytest.approx(low), pytest.approx(high))
    assert (line.get_color(), line.get_linestyle()) != (
        other.get_color(),
        other.get_linestyle(),
    )
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert names == ["rgb", r"\$deep\$"]
    assert png_bytes(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("curves", [[], [Covered("rgb", np.zeros((2, 0)))]])
def test_no_coverage_is_refused(curves):
    with pytest.raises(UserError, match="at least one pick"):
        cover_figure(curves)


def test_all_labels_are_a_line_where_it_is_near_and_words_where_it_is_not():
    def drawn(reference):
        (axis,) = accuracy_figure(_rows(), reference={SETTING: reference}).axes
        flat = [line for line in axis.lines if line.get_label().startswith("_")]
        return flat, [text.get_text() for text in axis.texts], axis.get_ylim()

    (line,), texts, near = drawn(0.425)
    assert set(line.get_ydata()) == {42.5}
    assert texts == ["all labels: 42.5 %"]
    lines, texts, far = drawn(0.99)
    assert (lines, texts) == ([], ["all labels: 99.0 % ↑"])
    (axis,) = accuracy_figure(_rows()).axes
    assert far == axis.get_ylim()  # nothing is pressed together
    assert near[1] > axis.get_ylim()[1]  # room for the line
    assert not axis.texts


def test_a_line_for_all_labels_stands_in_its_own_panel():
    other = SETTING._replace(framework="supervised")
    figure = accuracy_figure(
        _rows() + _rows(setting=other), reference={other: 0.425}, chance=None
    )
    assert [len(axis.texts) for axis in figure.axes] == [0, 1]


def test_chance_is_that_of_the_panels_data_set():
    other = SETTING._replace(dataset="cifar100")
    figure = accuracy_figure(
        _rows() + _rows(setting=other), chance={"digits": 0.408, "cifar100": 0.409}
    )
    levels = [
        [float(line.get_ydata()[0]) for line in axis.lines[2:]] for axis in figure.axes
    ]
    assert levels == [[pytest.approx(40.8)], [pytest.approx(40.9)]]


def test_a_line_for_all_labels_does_not_bring_in_a_chance_that_is_far():
    figure = accuracy_figure(_rows(), reference={SETTING: 0.4255}, chance=0.403)
    assert len(accuracy_figure(_rows(), chance=0.403).axes[0].lines) == 2
    assert len(figure.axes[0].lines) == 3


def test_an_svg_is_xml_and_the_same_again():
    first, second = (svg_bytes(accuracy_figure(_rows())) for _ in range(2))
    assert first == second
    root = xml.etree.ElementTree.fromstring(first)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert b"dc:date" not in first
    assert not root.findall(".//{http://www.w3.org/2000/svg}text")  # outlines


@pytest.mark.parametrize("name", catalog.IDS)
def test_methods_of_a_figure_of_the_paper_are_told_apart(name):
    parts = catalog.load(name, "cpu").parts
    labels = in_order(label for part in parts for label in part.config.methods)
    styles = [method_style(label) for label in labels]
    assert len({style.colour for style in styles}) == len(labels)
    # And in print without colours.
    assert len({(style.marker, style.dashes) for style in styles}) == len(labels)
    # Edges are white: a marker without a surface would be all but invisible.
    assert all(MarkerStyle(style.marker).is_filled() for style in styles)


def test_variants_follow_their_method():
    labels = ["norm_linf", "probcover_75", "gram_schmidt", "zebra", "norm_l1", "norm"]
    assert in_order([*labels, "random", "probcover"]) == [
        *("random", "norm", "norm_l1", "norm_linf", "gram_schmidt"),
        *("probcover", "probcover_75", "zebra"),
    ]
    norm, variant = method_style("norm"), method_style("norm_l1")
    assert variant.marker == norm.marker
    assert variant.colour != norm.colour and variant.dashes != norm.dashes
    # A label that only ends like a variant is of no method known.
    assert in_order(["mine_l1", "random"]) == ["random", "mine_l1"]


def _verdict(word=SUPPORTED, text="a beats b", low=0.004, high=0.02, unit="points"):
    claim = Claim("", text, "better", "a")
    return Verdict(claim, "digits, raw | deep", word, 0.012, low, high, unit, 1234)


def test_a_table_of_verdicts_is_not_broken_by_bars():
    lines = verdict_table([_verdict(text="best of a|b"), _verdict(REFUTED)]).split("\n")
    cells = [line.replace("\\|", "¦").count("|") for line in lines]
    assert cells == [5] * 4
    assert "best of a\\|b" in lines[2] and "raw \\| deep" in lines[2]
    assert "**not supported**" in lines[3]


@pytest.mark.parametrize(
    "verdict, text",
    [
        (_verdict(), "+1.2 [+0.4, +2.0] points, n = 1,234"),
        (_verdict(low=-0.02), "+1.2 [−2.0, +2.0] points, n = 1,234"),
        (
            _verdict(low=-np.inf, high=np.inf),
            "+1.2 [?, ?] points, n = 1,234",
        ),
        (
            _verdict(unit="% of distance"),
            "+1.2 [+0.4, +2.0] % of the distance, n = 1,234",
        ),
        (_verdict(unit="times", high=20.0), "0.012 [0.004, 20] times, n = 1,234"),
        (_verdict(unit="r"), "+0.01 [+0.00, +0.02] r, n = 1,234"),
    ],
)
def test_numbers_in_their_units(verdict, text):
    assert numbers(verdict) == text


def test_words_for_several_verdicts():
    words = [SUPPORTED, REFUTED, OPEN]
    several = {
        word: [_verdict(w) for w in words if w != word] for word in [None, *words]
    }
    assert overall(several[None]) == "mixed" == overall(several[OPEN])
    assert overall(several[REFUTED]) == "supported where resolved"
    assert overall(several[SUPPORTED]) == "not supported where resolved"
    assert overall([_verdict(REFUTED)]) == "not supported"
    assert overall([_verdict(OPEN)]) == OPEN
    assert counted(several[None]) == "1 supported, 1 not supported, 1 not resolved"
