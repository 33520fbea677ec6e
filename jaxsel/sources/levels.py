"""How numbers of more than 8 bits become the 256 levels that encoders see.

Cameras and microscopes put 10, 12 or 14 bits into files of 16, CT scans begin at -1024,
and floating point has any range. What is black and what is white is therefore not in
the file. Neither the file's type nor each picture's own range can decide it: the first
makes 12-bit pictures black, the second makes a dark picture as bright as a light one.
So there is one rule: *one straight line for the whole pool*, from the smallest to the
largest number of all its pictures, both rounded outwards (`line`) so that a picture
that joins the pool rarely moves the line. It holds for grey and for colour, whose
channels share it, in PNG and TIFF, and for DICOM without a window (a window is the
file's own word on how it is to be seen). Whole numbers, floating point and DICOM have a
line each, since their units differ. Pictures of 8 bits are taken as they are.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

# Which numbers share a line.
WHOLE, REAL, SCAN = "whole numbers", "floating point", "DICOM"
# A picture that uses fewer levels than this, though it is not constant, is nearly flat.
FEW_LEVELS = 16
# A table of all results is cheaper than arithmetic on every pixel of 16 bits.
_TABLE = 1 << 16


class Line(NamedTuple):
    """The numbers that become 0 and 255."""

    low: float
    high: float


Levels = Mapping[str, Line]  # by kind: WHOLE, REAL, SCAN


class Span(NamedTuple):
    """The smallest and the largest finite number of a picture.

    Attributes:
      kind: WHOLE, REAL or SCAN.
      low, high: the numbers.
    """

    kind: str
    low: float
    high: float


def span_of(values: np.ndarray, kind: str | None = None) -> Span:
    """The span of a picture's numbers; 0 to 0 where none is finite.

    Args:
      values: real, of any shape.
      kind: by default WHOLE for integers and REAL for floating point.

    Example:
      >>> span_of(np.array([[3, 900]], np.uint16))
      Span(kind='whole numbers', low=3.0, high=900.0)
    """
    kind = kind or (REAL if values.dtype.kind == "f" else WHOLE)
    if values.dtype.kind != "f":
        return Span(kind, float(values.min()), float(values.max()))
    finite = np.isfinite(values)
    if not finite.any():
        return Span(kind, 0.0, 0.0)
    low = values.min(where=finite, initial=np.inf)
    high = values.max(where=finite, initial=-np.inf)
    return Span(kind, float(low), float(high))


def line(low: float, high: float) -> Line:
    """A range rounded outwards to eighths of the power of two that holds its length.

    With `s = 2^(ceil(log2(high - low)) - 3)`, `low` becomes `s floor(low / s)` and
    `high` becomes `s ceil(high / s)`. Numbers of k bits that use their range get 0 to
    2^k, whatever the exact extremes are.

    Args:
      low, high: finite, `low <= high`.

    Example:
      >>> line(3, 4090), line(0, 65535), line(-1024, 3071), line(0.02, 0.97)
      (Line(low=0.0, high=4096.0), Line(low=0.0, high=65536.0), \
Line(low=-1024.0, high=3072.0), Line(low=0.0, high=1.0))
    """
    length = high / 2 - low / 2  # half of it: the whole may be beyond float64
    if not length > 0:
        return Line(low, high)
    mantissa, exponent = math.frexp(length)
    step = math.ldexp(1.0, exponent + 1 - 3 - (mantissa == 0.5))
    if not 0 < step < math.inf:
        return Line(low, high)
    return Line(step * math.floor(low / step), step * math.ceil(high / step))


def levels_of(spans: Iterable[Span]) -> dict[str, Line]:
    """The lines of a pool, by kind.

    Args:
      spans: of its pictures of more than 8 bits.

    Example:
      >>> levels_of([Span(WHOLE, 0, 900), Span(WHOLE, 7, 4000)])
      {'whole numbers': Line(low=0.0, high=4096.0)}
    """
    ends: dict[str, tuple[float, float]] = {}
    for span in spans:
        low, high = ends.get(span.kind, (span.low, span.high))
        ends[span.kind] = (min(low, span.low), max(high, span.high))
    return {kind: line(*ends[kind]) for kind in sorted(ends)}


def is_flat(span: Span, levels: Levels) -> bool:
    """Whether a picture that is not constant keeps fewer than `FEW_LEVELS` levels.

    Example:
      >>> is_flat(Span(WHOLE, 0, 900), {WHOLE: Line(0.0, 65536.0)})
      True
    """
    low, high = levels[span.kind]
    return 0 < span.high - span.low < (FEW_LEVELS - 1) / 255 * (high - low)


def to_levels(values: np.ndarray, ends: Line) -> np.ndarray:
    """Numbers as 8-bit levels: `round(255 (v - low) / (high - low))`, cut to 0 and 255.

    NaN is black; a line of no length makes everything black.

    Args:
      values: real, of any shape.
      ends: the line.

    Returns:
      uint8 of the same shape.

    Example:
      >>> to_levels(np.array([[0, 2048, 4095]], np.uint16), Line(0.0, 4096.0))
      array([[  0, 128, 255]], dtype=uint8)
    """
    low, high = ends
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        table: np.ndarray = _levels(np.arange(_TABLE), low, high)
        return table[values]
    made = np.empty(values.shape, np.uint8)
    for row in range(len(values)):  # by rows: float64 of the whole is eight times it
        made[row] = _levels(values[row], low, high)
    return made


def _levels(values: np.ndarray, low: float, high: float) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # of infinities, which are cut off below
        share = (values.astype(np.float64) / 2 - low / 2) / (high / 2 - low / 2)
    share = np.nan_to_num(np.clip(share, 0.0, 1.0), nan=0.0)
    return np.rint(255.0 * share).astype(np.uint8)
