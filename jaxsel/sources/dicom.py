"""The first frame of a DICOM file as RGB, by pydicom where it is installed."""

import math
import pathlib
from typing import Any

import numpy as np

from jaxsel.sources.deep import Counts
from jaxsel.sources.levels import SCAN
from jaxsel.sources.refusal import Refused, refuse_large


def read_dicom(path: pathlib.Path) -> tuple[np.ndarray | Counts, bool]:
    """Reads the first frame, shown as the file itself asks for.

    Grey values go through the file's rescale slope and intercept and its first window
    (PS3.3 C.11.2.1). Without a window they are numbers of more than 8 bits, which the
    pool's line takes to levels (`jaxsel.sources.levels`), unless 8 bits are all that
    are stored. MONOCHROME1 is inverted. Colour has to be of 8 bits.

    Args:
      path: the file.

    Returns:
      uint8 `[h, w, 3]`, or the numbers; and whether there are more frames.

    Raises:
      Refused: pydicom is missing, or the file is large or has colours of another kind.
      Exception: whatever pydicom raises on files that it cannot read.
    """
    try:
        import pydicom
        import pydicom.pixels
    except ImportError as error:
        raise Refused(
            "a DICOM file, which needs pydicom: pip install 'pydicom>=3'"
        ) from error
    header = pydicom.dcmread(path, stop_before_pixels=True)
    if "Rows" not in header or "Columns" not in header:
        raise Refused("a DICOM file without an image")
    refuse_large(int(header.Rows) * int(header.Columns))
    photometric = str(header.get("PhotometricInterpretation", "MONOCHROME2"))
    if photometric == "PALETTE COLOR":
        raise Refused("a DICOM file with a colour palette, which is not read")
    several = (first_number(header.get("NumberOfFrames")) or 1) > 1
    pixels = np.asarray(pydicom.pixels.pixel_array(pydicom.dcmread(path), index=0))
    if pixels.ndim == 3:
        if pixels.dtype != np.uint8 or pixels.shape[2] != 3:
            raise Refused("a DICOM file with colours of more than 8 bits")
        return pixels, several
    dark_is_high = photometric == "MONOCHROME1"
    slope = float(header.get("RescaleSlope", 1) or 1)
    intercept = float(header.get("RescaleIntercept", 0) or 0)
    centre = first_number(header.get("WindowCenter"))
    width = first_number(header.get("WindowWidth"))
    values = pixels * slope + intercept
    if centre is not None and width is not None and width > 0:
        function = str(header.get("VOILUTFunction", "LINEAR") or "LINEAR")
        grey = shown(values, centre, width, function)
    elif pixels.dtype == np.uint8 and (slope, intercept) == (1.0, 0.0):
        grey = pixels
    else:
        return Counts(values, inverted=dark_is_high, kind=SCAN), several
    if dark_is_high:
        grey = 255 - grey
    return np.repeat(grey[:, :, None], 3, axis=2), several


def shown(values: np.ndarray, centre: float, width: float, function: str) -> np.ndarray:
    """Grey values through a window, to 0 to 255.

    LINEAR: `y = (x - (c - 0.5)) / (w - 1) + 0.5`, LINEAR_EXACT: `(x - c) / w + 0.5`,
    SIGMOID: `1 / (1 + exp(-4 (x - c) / w))`, each cut to [0, 1] and times 255.

    Args:
      values: float64 `[h, w]`, after slope and intercept.
      centre, width: of the window; the width above 0.
      function: the file's VOI LUT function.

    Returns:
      uint8 `[h, w]`.

    Example:
      >>> shown(np.array([[-60.0, 39.5, 500.0]]), 40.0, 80.0, "LINEAR").tolist()
      [[0, 128, 255]]
    """
    if function == "SIGMOID":
        share = 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
    elif function == "LINEAR_EXACT":
        share = (values - centre) / width + 0.5
    elif width <= 1:  # a step
        share = (values > centre - 0.5).astype(np.float64)
    else:
        share = (values - (centre - 0.5)) / (width - 1) + 0.5
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


def first_number(value: Any) -> float | None:
    """The first of a tag's numbers, or `None` where there is none."""
    if value is None:
        return None
    several = isinstance(value, (list, tuple)) or (
        hasattr(value, "__iter__") and not isinstance(value, (str, bytes))
    )
    try:
        number = float(next(iter(value)) if several else value)
    except (TypeError, ValueError, StopIteration):
        return None
    return number if math.isfinite(number) else None
