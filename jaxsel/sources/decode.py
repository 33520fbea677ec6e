"""One image file to upright 8-bit RGB, or the reason why not."""

import contextlib
import pathlib
import re
import threading
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxsel.sources.deep import Counts, counts_of
from jaxsel.sources.dicom import read_dicom
from jaxsel.sources.kinds import kind_of
from jaxsel.sources.levels import Levels, Line, Span, line, span_of, to_levels
from jaxsel.sources.refusal import Refused, refuse_large
from jaxsel.sources.walk import is_dicom

# Others are not asked: some run programs of their own (EPS starts Ghostscript).
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
_ORIENTATION, _DESCRIPTION = 0x0112, 270
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


class Decoded(NamedTuple):
    """One image file, decoded.

    Attributes:
      rgb: the picture, upright, where 8 bits are all that the file has; else None.
      counts: the numbers of a picture of more than 8 bits; else None.
      turn: what makes the picture of `counts` upright; None for nothing.
      first_of_several: whether the file has more pages or frames than the one taken.
    """

    rgb: Image.Image | None
    counts: Counts | None
    turn: Image.Transpose | None
    first_of_several: bool

    @property
    def span(self) -> Span | None:
        """The smallest and the largest number, of more than 8 bits."""
        if self.counts is None:
            return None
        return span_of(self.counts.values, self.counts.kind)


def open_rgb(
    path: pathlib.Path, shortest: int | None = None, levels: Levels | None = None
) -> Image.Image:
    """Decodes an image, turned as its EXIF orientation says.

    Of several frames or pages the first is taken. Grey, palette, CMYK and other modes
    become RGB as Pillow converts them (no colour profiles). Numbers of more than 8 bits
    become levels by the pool's lines (`jaxsel.sources.levels`); after that transparency
    is laid on white. DICOM: `jaxsel.sources.dicom`. Images of over `MOST_PIXELS` pixels
    are refused by their headers, before anything is decoded.

    Args:
      path: a file that `find_images` took.
      shortest: the shorter side that will be looked at, in pixels: a JPEG is then
        decoded at 1/2, 1/4 or 1/8 of its size where that leaves twice as much.
      levels: lines of the pool, by kind of number; without them, or without one of the
        kind, the picture is a pool of its own.

    Returns:
      An image of mode RGB, in memory.

    Raises:
      Refused: the file cannot be read, with the reason.
    """
    found = decode(path, shortest)
    if found.rgb is not None:
        return found.rgb
    assert found.counts is not None and found.span is not None
    span = found.span
    ends = (levels or {}).get(span.kind) or line(span.low, span.high)
    large = found.counts.values.size > _LARGE_PIXELS
    with _one_large if large else contextlib.nullcontext():
        rgb = _on_white(found.counts, ends)
        return rgb if found.turn is None else rgb.transpose(found.turn)


def decode(path: pathlib.Path, shortest: int | None = None) -> Decoded:
    """Decodes an image; of more than 8 bits, to its numbers.

    Args:
      path: a file that `find_images` took.
      shortest: as `open_rgb` has it.

    Raises:
      Refused: the file cannot be read, with the reason.
    """
    try:
        if is_dicom(path):
            counts, several = read_dicom(path)
            if isinstance(counts, Counts):
                return Decoded(None, counts, None, several)
            return Decoded(Image.fromarray(counts), None, None, several)
        with Image.open(path, formats=FORMATS) as image:
            pixels = image.width * image.height
            refuse_large(pixels)
            large = pixels > _LARGE_PIXELS
            with _one_large if large else contextlib.nullcontext():
                several = has_several(image)
                deep = counts_of(image, path)
                if deep is not None:
                    return Decoded(None, deep, _turn(image), several)
                if shortest is not None and image.format in ("JPEG", "MPO"):
                    image.draft(None, (_SPARE * shortest, _SPARE * shortest))
                image.load()
                rgb, turn = _as_rgb(image), _turn(image)
                rgb = rgb if turn is None else rgb.transpose(turn)
                return Decoded(rgb, None, None, several)
    except Refused:
        raise
    except UnidentifiedImageError as error:
        raise Refused(kind_of(path)) from error
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


def has_several(image: Image.Image) -> bool:
    """Whether a file has pages or frames besides the first: TIFF, GIF, APNG, WebP.

    ImageJ may write a stack as one page whose description gives the number of images.
    The pictures behind the first in a phone's JPEG are not counted: they are previews
    and maps of the same scene.

    Args:
      image: as `Image.open` gives it.
    """
    if image.format == "TIFF":
        about = str(image.tag_v2.get(_DESCRIPTION, ""))  # type: ignore[attr-defined]
        stack = re.search(r"^images=(\d+)", about, re.MULTILINE)
        if about.startswith("ImageJ=") and stack and int(stack[1]) > 1:
            return True
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def _on_white(counts: Counts, ends: Line) -> Image.Image:
    """Numbers as an RGB image: to levels first, then laid on white."""
    grey = to_levels(counts.values, ends)
    if counts.inverted:
        grey = 255 - grey
    if counts.alpha is not None:
        alpha = counts.alpha[..., None] if grey.ndim == 3 else counts.alpha
        for row, share in enumerate(np.minimum(alpha, 1)):  # less memory than at once
            own = grey[row] if counts.multiplied else share * grey[row]
            grey[row] = np.rint(np.minimum(own + (1 - share) * 255, 255))
    return Image.fromarray(grey).convert("RGB")


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return paper
    # Pillow hands out the same object for RGB; it is loaded, so it outlives its file.
    return image.convert("RGB")


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What makes a picture upright; damaged EXIF data say nothing about that."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:
        return None
    return _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
