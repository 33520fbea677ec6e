"""The figure of pruning's bias to high norms holds the numbers, in readable colours."""

import itertools

import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.evaluation.pruned import After, norm_bias
from jaxsel.report.drawing import png_bytes
from jaxsel.report.pruned import bias_in_words, pruned_figure, sequential_colours


def _bias(sparsities=(0.5, 0.9), groups=10, n=200):
    generator = np.random.default_rng(0)
    norms, labels = generator.gamma(9, size=n), generator.integers(0, 3, n)
    after = {
        sparsity: After(
            norms * (1 - sparsity) * (1 + 0.05 * norms),
            np.where(generator.random(n) < sparsity, 3, labels),
        )
        for sparsity in sparsities
    }
    return norm_bias(norms, labels, after, labels, groups=groups)


def test_the_lines_are_the_numbers():
    bias = _bias()
    figure = pruned_figure(bias)
    quantities = ("retained", "kept", "accuracy")
    for axis, quantity in zip(figure.axes, quantities, strict=True):
        for line, part in zip(axis.lines, bias.pruned, strict=False):
            x, y = line.get_data()
            np.testing.assert_array_equal(x, np.arange(1, 11))
            values = [getattr(group, quantity) for group in part.groups]
            np.testing.assert_allclose(y, [100 * value.mean for value in values])
        assert -6 < axis.get_ylim()[0] <= 0  # 0 is in sight, and markers on it whole
        (bars,) = axis.containers[-1].lines[2]
        low, high = np.array(bars.get_segments())[:, :, 1].T
        errors = [100 * value.standard_error for value in values]
        np.testing.assert_allclose((high - low) / 2, errors, atol=1e-12)
    dashed = figure.axes[2].lines[-1]
    np.testing.assert_allclose(
        dashed.get_ydata(), [100 * group.accuracy.mean for group in bias.groups]
    )
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "whole network",
        "50 % pruned",
        "90 % pruned",
    ]
    assert png_bytes(figure) == png_bytes(pruned_figure(bias))


@pytest.mark.parametrize("groups", [2, 10, 11, 25, 37])
def test_the_ticks_have_room_and_reach_the_last_group(groups):
    ticks = pruned_figure(_bias(groups=groups)).axes[0].get_xticks()
    assert len(ticks) <= 11
    assert (ticks[0], ticks[-1]) == (1, groups)
    assert len(set(ticks)) == len(ticks)
    name = "decile" if groups == 10 else f"of {groups}"
    assert name in pruned_figure(_bias(groups=groups)).axes[0].get_xlabel()


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_the_colours_darken_step_by_step(count):
    def luminance(colour):
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
        return linear @ [0.2126, 0.7152, 0.0722]

    # As a print in grey has them: CIE lightness, 100 for the paper.
    grey = [116 * np.cbrt(luminance(c)) - 16 for c in sequential_colours(count)]
    assert max(grey) < 85
    assert all(pale - dark > 50 / count for pale, dark in itertools.pairwise(grey))


def test_the_words_follow_the_intervals():
    first, second = bias_in_words(_bias()).splitlines()
    assert first.startswith("50 % pruned: the retained share: rises with the norm")
    assert "(rank correlation 1.00 [1.00, 1.00])" in first
    assert "kept prediction: no resolved relation to the norm" in second
    bias = _bias((0.9,))
    falling = bias.pruned[0].retained
    falling = falling._replace(
        spearman=falling.spearman._replace(rho=-0.5, low=-0.6, high=-0.4)
    )
    bias = bias._replace(pruned=(bias.pruned[0]._replace(retained=falling, kept=None),))
    words = bias_in_words(bias)
    assert "falls with the norm (rank correlation −0.50 [−0.60, −0.40])" in words
    assert words.endswith("a kept prediction is the same for every example.")


def test_no_sparsity_is_refused():
    with pytest.raises(UserError, match="at least one sparsity"):
        pruned_figure(_bias(()))
