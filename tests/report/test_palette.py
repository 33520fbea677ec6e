"""Every method is told apart by its colour, and again without colours."""

import itertools
import re

import numpy as np
import pytest

from jaxsel.report.palette import STYLES, in_order, method_style

SINGLE = ["random", "norm", "gram_schmidt", "probcover", "typiclust", "k_center"]
SINGLE += ["max_herding"]
TWO_STAGE = [
    f"{first}+{second}"
    for first in ("probcover", "typiclust")
    for second in ("norm", "gs", "random")
]


def _lab(colour):
    """CIE L*a*b* (D65) from sRGB, by the definition."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = (
        np.array(
            [
                [0.4124, 0.3576, 0.1805],
                [0.2126, 0.7152, 0.0722],
                [0.0193, 0.1192, 0.9505],
            ]
        )
        @ linear
        / [0.9505, 1.0, 1.089]
    )
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_every_known_method_has_a_style():
    assert set(SINGLE + TWO_STAGE) == set(STYLES)


@pytest.mark.parametrize("pair", list(itertools.combinations(STYLES, 2)), ids="/".join)
def test_any_two_methods_differ_visibly(pair):
    one, other = (method_style(method) for method in pair)
    assert np.linalg.norm(_lab(one.colour) - _lab(other.colour)) > 12
    # And in black and white: by the marker, or by the dashes.
    assert (one.marker, one.dashes) != (other.marker, other.dashes)


def test_single_methods_have_a_marker_each():
    assert len({STYLES[method].marker for method in SINGLE}) == len(SINGLE)


def test_every_colour_shows_on_white():
    for style in STYLES.values():
        assert re.fullmatch("#[0-9a-f]{6}", style.colour)
        assert _lab(style.colour)[0] < 85


def test_an_unknown_method_has_a_fixed_style_of_its_own():
    # Pinned: it must not change from one process or version to the next.
    assert method_style("my_method") == ("#b8860b", "p", "--")
    labels = ["norm_l1", "norm_linf", "oracle", "margin", "é"]
    assert len({method_style(label) for label in labels}) == len(labels)
    known = {style.colour for style in STYLES.values()}
    assert all(method_style(label).colour not in known for label in labels)


def test_order_is_the_palettes_then_the_alphabets():
    found = in_order(["b", "typiclust+gs", "a", "random", "a", "typiclust"])
    assert found == ["random", "typiclust", "typiclust+gs", "a", "b"]
