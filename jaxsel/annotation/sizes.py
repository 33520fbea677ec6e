"""Width and height of picked images, read from their headers alone."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxsel.annotation.picks import Pick

_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_ORIENTATION = 274  # the tag of EXIF; from 5 on the image is shown turned by 90°


def image_sizes(picks: Sequence[Pick], root: Path) -> dict[str, tuple[int, int]]:
    """Sizes for `ExportOptions.sizes`.

    Args:
      picks: those without a path are left out.
      root: where relative paths start.

    Returns:
      Width and height in pixels by id, as the image is shown. An image that cannot be
      opened is not there: whether that matters is for the caller to say.

    Example:
      >>> image_sizes([Pick(1, "a", "no such file.png", 7, None, 9)], Path("/"))
      {}
    """
    from PIL import Image

    sizes = {}
    for pick in picks:
        if not (root / pick.path).is_file():  # a pipe would be waited for
            continue
        try:
            # No pixel is decoded, so a huge image is no danger.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(root / pick.path) as image:
                    width, height = _stored_size(image)
                    # Pillow decodes a whole PNG to look for EXIF behind its pixels.
                    early = image.format != "PNG" or "exif" in image.info
                    turned = early and image.getexif().get(_ORIENTATION, 1) > 4
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        sizes[pick.id] = (height, width) if turned else (width, height)
    return sizes


def _stored_size(image: Any) -> tuple[int, int]:
    """Width and height before any turn; of a TIFF some versions of Pillow turn them."""
    if image.format == "TIFF":
        return int(image.tag_v2[_TIFF_WIDTH]), int(image.tag_v2[_TIFF_HEIGHT])
    width, height = image.size
    return width, height
