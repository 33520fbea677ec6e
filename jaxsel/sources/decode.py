"""One image file to upright 8-bit RGB, or the reason why not."""

import contextlib
import pathlib
import re
import threading

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxsel.sources.dicom import read_dicom
from jaxsel.sources.refusal import Refused, refuse_large
from jaxsel.sources.walk import is_dicom

# Others are not asked: some run programs of their own (EPS starts Ghostscript).
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# A scaled JPEG keeps at least this many pixels for one of what is asked for.
_SPARE = 2
# Larger images wait for each other, so that many cores do not need much memory.
_LARGE_PIXELS = 16_000_000
_one_large = threading.Lock()


def open_rgb(path: pathlib.Path, shortest: int | None = None) -> Image.Image:
    """Decodes an image, turned as its EXIF orientation says.

    Of several frames the first is taken. Grey, palette, CMYK and other modes become RGB
    as Pillow converts them (no colour profiles); transparency is laid on white. Grey of
    16 or 32 bits and floating point is stretched (`stretched`); colour of 16 bits keeps
    its upper eight. DICOM: `jaxsel.sources.dicom`. Images of over `MOST_PIXELS` pixels
    are refused by their headers, before anything is decoded.

    Args:
      path: a file that `find_images` took.
      shortest: the shorter side that will be looked at, in pixels: a JPEG is then
        decoded at 1/2, 1/4 or 1/8 of its size where that leaves twice as much.

    Returns:
      An image of mode RGB, in memory.

    Raises:
      Refused: the file cannot be read, with the reason.
    """
    try:
        if is_dicom(path):
            return Image.fromarray(read_dicom(path))
        with Image.open(path, formats=FORMATS) as image:
            pixels = image.width * image.height
            refuse_large(pixels)
            large = pixels > _LARGE_PIXELS
            with _one_large if large else contextlib.nullcontext():
                if shortest is not None and image.format in ("JPEG", "MPO"):
                    image.draft(None, (_SPARE * shortest, _SPARE * shortest))
                image.load()
                return _upright(image, _as_rgb(image))
    except Refused:
        raise
    except UnidentifiedImageError as error:
        if path.stat().st_size == 0:
            raise Refused("an empty file") from error
        raise Refused("not a PNG, JPEG, TIFF, BMP or WEBP image") from error
    except Image.DecompressionBombError as error:
        # Pillow says how many; its own limit is above ours.
        refuse_large(int("".join(re.findall(r"\((\d+) pixels", str(error))) or 10**9))
        raise Refused("more pixels than are decoded") from error
    except FileNotFoundError as error:
        raise Refused("the file is gone") from error
    except MemoryError as error:
        raise Refused("too large for memory") from error
    except Exception as error:  # damaged files raise of nearly every kind
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Refused(" ".join(text.split()).lower()) from error


def stretched(values: np.ndarray) -> np.ndarray:
    """Numbers of any range as 8-bit grey, by the image's own smallest and largest.

    `round(255 (v - low) / (high - low))`; a constant image is black. Infinities are the
    ends of the range of the finite numbers, NaN is black.

    Args:
      values: real `[h, w]`.

    Returns:
      uint8 `[h, w]`.

    Example:
      >>> stretched(np.array([[1000, 2000, 3000]], np.uint16))
      array([[  0, 128, 255]], dtype=uint8)
    """
    kind = np.float32 if values.dtype.itemsize <= 2 else np.float64
    numbers: np.ndarray = values.astype(kind)
    finite = np.isfinite(numbers)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low = float(numbers.min(where=finite, initial=np.inf))
    high = float(numbers.max(where=finite, initial=-np.inf))
    if high == low:
        return np.zeros(values.shape, np.uint8)
    if not finite.all():
        numbers = np.nan_to_num(numbers, nan=low, posinf=high, neginf=low)
    np.subtract(numbers, low, out=numbers)
    np.multiply(numbers, 255.0 / (high - low), out=numbers)
    return np.rint(numbers).astype(np.uint8)


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP:
        return Image.fromarray(stretched(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    # Pillow hands out the same object for RGB; it is loaded, so it outlives its file.
    return image.convert("RGB")


def _upright(image: Image.Image, rgb: Image.Image) -> Image.Image:
    """The picture as it is to be seen; damaged EXIF data say nothing about that."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:
        return rgb
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return rgb if turn is None else rgb.transpose(turn)
