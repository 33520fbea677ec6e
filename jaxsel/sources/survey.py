"""What has to be known of all images of a folder before one of them is read.

Numbers of more than 8 bits become levels by one line for the whole pool
(`jaxsel.sources.levels`), so their range is taken first. Most files are passed over by
their first bytes; those of more than 8 bits are decoded once more than others.
"""

import concurrent.futures
import os
import pathlib
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from PIL import Image

from jaxsel.sources.decode import FORMATS, decode, has_several
from jaxsel.sources.deep import is_deep
from jaxsel.sources.levels import Span, is_flat, levels_of
from jaxsel.sources.reading import Reading
from jaxsel.sources.refusal import Refused, refuse_large
from jaxsel.sources.walk import is_dicom

_HEAD = 4096


class Look(NamedTuple):
    """What is known of an image before it is read.

    Attributes:
      span: its smallest and largest number, of more than 8 bits; else None.
      first_of_several: whether the file has further pages or frames.
    """

    span: Span | None
    first_of_several: bool


def surveyed(ids: Sequence[str], paths: Sequence[pathlib.Path]) -> Reading:
    """Looks at all images of a folder, side by side.

    Args:
      ids: of the images.
      paths: of their files, in the same order; what cannot be read tells nothing.
    """
    return reading_of(ids, dict(zip(ids, looks_at(paths), strict=True)))


def looks_at(paths: Sequence[pathlib.Path]) -> list[Look]:
    """Looks at images side by side; what cannot be read tells nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `images._side_by_side`
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(_attempt, paths))


def reading_of(ids: Sequence[str], looks: Mapping[str, Look]) -> Reading:
    """How the images of a pool are read, by what is known of each.

    Args:
      ids: of the images.
      looks: by id.
    """
    spans = {name: span for name in ids if (span := looks[name].span) is not None}
    levels = levels_of(spans.values())
    return Reading(
        tuple(name for name in ids if looks[name].first_of_several),
        len(spans),
        levels,
        tuple(name for name, span in spans.items() if is_flat(span, levels)),
    )


def look_at(path: pathlib.Path) -> Look:
    """Looks at one image; decodes it only if it has more than 8 bits.

    Args:
      path: a file that `find_images` took.

    Raises:
      Refused: the file cannot be read.
      OSError, Exception: what the system and Pillow raise on damaged files.

    Example:
      >>> import tempfile
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "a.png"
      >>> Image.new("I;16", (2, 1), 700).save(file)
      >>> look_at(file).span
      Span(kind='whole numbers', low=700.0, high=700.0)
    """
    if is_dicom(path):
        found = decode(path)
        return Look(found.span, found.first_of_several)
    with path.open("rb") as stream:
        if _is_plain(stream.read(_HEAD)):
            return Look(None, False)
    with Image.open(path, formats=FORMATS) as image:
        refuse_large(image.width * image.height)
        several, deep = has_several(image), is_deep(image)
    return Look(decode(path).span if deep else None, several)


def _is_plain(head: bytes) -> bool:
    """Whether a file's first bytes say that it is one picture of 8 bits."""
    if head[:3] == b"\xff\xd8\xff" or head[:2] == b"BM":
        return True
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR":
        # An animation is declared before the pixels.
        start = head.find(b"IDAT")
        return head[24] <= 8 and start > 0 and b"acTL" not in head[:start]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return head[12:16] != b"VP8X" or not head[20] & 2
    return False


def _attempt(path: pathlib.Path) -> Look:
    try:
        return look_at(path)
    except Refused:
        return Look(None, False)
    except Exception:  # the reader of the file says why
        return Look(None, False)
