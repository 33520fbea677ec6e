"""One straight line for a pool: rounded outwards, monotone, and by its definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsel.sources.levels import (
    REAL,
    WHOLE,
    Line,
    Span,
    is_flat,
    levels_of,
    line,
    span_of,
    to_levels,
)

NUMBERS = st.floats(-1e30, 1e30, allow_subnormal=False) | st.integers(-(2**32), 2**32)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_a_line_is_rounded_outwards_and_not_far(a: float, b: float) -> None:
    low, high = sorted((float(a), float(b)))
    found = line(low, high)
    assert found.low <= low and found.high >= high
    if high - low > 1e-6 * max(abs(low), abs(high)):
        # Two steps of an eighth of the power of two above, which is under twice it.
        assert found.high - found.low <= 1.5 * (high - low) * (1 + 1e-9)
        # What was rounded once stays where it is, or loses one bit of the step.
        assert line(*found).low <= found.low


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_cameras_bits_are_found_from_what_a_pool_uses(bits: int) -> None:
    top = 1 << bits
    for low, high in ((0, top - 1), (top // 16, top - 1 - top // 16)):
        assert line(low, high) == (0, top)
    assert line(2**20, 2**20) == (2**20, 2**20)
    assert line(-3e38, 3e38).high < math.inf and line(-1e308, 1e308).high >= 1e308


@pytest.mark.parametrize("dtype", ["uint16", ">u2", "int16", "uint32", "float32"])
def test_levels_by_definition(dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 3000, (5, 7, 3)).astype(dtype)
    ends = Line(256.0, 2816.0)
    share = (values.astype(np.float64) - 256) / 2560
    expected = 255 * np.clip(share, 0, 1)
    found = to_levels(values, ends)
    assert found.dtype == np.uint8
    assert np.abs(found - expected).max() <= 0.5 + 1e-9


def test_extremes() -> None:
    holes = np.array([[np.nan, 1.0, 2.0, np.inf, -np.inf]], np.float32)
    assert span_of(holes) == (REAL, 1.0, 2.0)
    assert to_levels(holes, Line(1.0, 2.0)).tolist() == [[0, 0, 255, 255, 0]]
    assert span_of(np.full((1, 2), np.nan)) == (REAL, 0.0, 0.0)
    far = np.array([[-(2**31), 2**31 - 1]], np.int32)
    span = span_of(far)
    assert to_levels(far, line(span.low, span.high)).tolist() == [[0, 255]]
    wide = np.array([[-3e38, 0, 3e38]], np.float32)
    found = to_levels(wide, line(*span_of(wide)[1:]))
    assert found[0, 0] < found[0, 1] < found[0, 2]
    assert not to_levels(np.full((2, 2), 7, np.uint16), Line(7.0, 7.0)).any()


def test_kinds_have_a_line_each() -> None:
    spans = [Span(WHOLE, 5, 900), Span(REAL, 0.1, 0.9), Span(WHOLE, 0, 4000)]
    assert levels_of(spans) == {REAL: (0.0, 1.0), WHOLE: (0.0, 4096.0)}
    assert levels_of([]) == {}


def test_flat_is_below_sixteen_levels_but_not_constant() -> None:
    levels = {WHOLE: Line(0.0, 65280.0)}  # 256 a level
    assert is_flat(Span(WHOLE, 0, 15 * 256 - 1), levels)
    assert not is_flat(Span(WHOLE, 0, 15 * 256), levels)
    assert not is_flat(Span(WHOLE, 9, 9), levels)
