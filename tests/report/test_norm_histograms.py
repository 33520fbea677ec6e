"""The histograms of norms and what is said of them."""

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.evaluation.spread import norm_sampling
from jaxsel.report.drawing import png_bytes
from jaxsel.report.norm_histograms import norm_histograms, sampling_in_words


def test_a_panel_a_kind_counts_every_example_and_marks_the_numbers():
    generator = np.random.default_rng(0)
    norms = {"simclr": generator.normal(30, 3, 4000), "raw": generator.gamma(4, size=9)}
    figure = norm_histograms(norms)
    assert [axis.get_title("left") for axis in figure.axes] == ["simclr", "raw"]
    for axis, values in zip(figure.axes, norms.values(), strict=True):
        assert sum(bar.get_height() for bar in axis.containers[0]) == len(values)
        marked = [line.get_xdata()[0] for line in axis.lines]
        expected = [*np.percentile(values, (1, 99)), values.mean()]
        np.testing.assert_allclose(marked, expected)
        assert axis.get_xlim()[0] == 0
        assert axis.get_xlim()[1] > values.max()
    words = figure.axes[0].texts[0].get_text()
    variation = 100 * norms["simclr"].std() / norms["simclr"].mean()
    assert f"variation {variation:.0f} %" in words
    assert f"mean {norms['simclr'].mean():.1f}" in words
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_norms_that_differ_by_rounding_are_one_bar():
    norms = np.sqrt(384) * (1 + 1e-8 * np.random.default_rng(0).normal(size=400))
    (axis,) = norm_histograms({"vit": norms}).axes
    assert [bar.get_height() for bar in axis.containers[0]] == [400]
    assert axis.containers[0][0].get_width() > 1


def test_the_words_say_how_even_the_law_is():
    generator = np.random.default_rng(0)
    for variation, verdict in (
        (0.01, "uniform in all but name"),
        (0.3, "close to uniform"),
        (0.8, "visibly not uniform"),
    ):
        # A gamma law of this coefficient of variation.
        norms = generator.gamma(variation**-2, size=20_000)
        words = sampling_in_words("features", norm_sampling(norms))
        assert words.startswith("features: ")
        assert words.endswith(f"{verdict}.")
    assert "uniform choice from 99.4 % of" in sampling_in_words(
        "x", norm_sampling(norms)._replace(effective_share=0.994)
    )


def test_what_has_no_norms_is_refused():
    with pytest.raises(UserError, match="at least one kind"):
        norm_histograms({})
    with pytest.raises(UserError, match="found 1 that are not"):
        norm_histograms({"a": np.array([1.0, np.nan])})
