"""An image file at the size that an encoder looks at."""

import pathlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from jaxsel.sources.decode import open_rgb
from jaxsel.sources.images import central_square
from jaxsel.sources.levels import Levels

# From a file and the pool's lines for numbers of more than 8 bits to an array.
Frame = Callable[[pathlib.Path, Levels], np.ndarray]


def square_of(side: int) -> Frame:
    """Reads the central square of every image, resized to one side.

    Args:
      side: pixels.

    Returns:
      A function from a file, and the pool's lines, to uint8 `[side, side, 3]`.
    """

    def frame(path: pathlib.Path, levels: Levels) -> np.ndarray:
        return central_square(open_rgb(path, side, levels), side)

    return frame


def by_size(at_most: int, small: int, resized: int, kept: int) -> Frame:
    """Reads small images whole, of larger ones the middle, each kind at its own size.

    The central square of an image whose shorter side has at most `at_most` pixels is
    resized to `small`. Of another the shorter side is resized to `resized`, and the
    central `kept` pixels stay. Pillow's bicubic filter, which averages where an image
    shrinks.

    Args:
      at_most: pixels of a small image's shorter side.
      small: pixels a side that small images get.
      resized: what the shorter side of others becomes.
      kept: pixels a side that stay of others.

    Returns:
      A function from a file, and the pool's lines, to uint8 `[small, small, 3]` or
      `[kept, kept, 3]`.

    Example:
      >>> import tempfile
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "a.png"
      >>> read = by_size(64, 96, 256, 224)
      >>> for size in ((64, 70), (65, 70)):
      ...     Image.new("RGB", size).save(file)
      ...     print(read(file, {}).shape)
      (96, 96, 3)
      (224, 224, 3)
    """
    cut = (resized - kept) / 2 / resized

    def frame(path: pathlib.Path, levels: Levels) -> np.ndarray:
        image = open_rgb(path, resized, levels)
        short = min(image.size)
        if short <= at_most:
            return central_square(image, small)
        left, top = (image.width - short) // 2, (image.height - short) // 2
        square = image.crop((left, top, left + short, top + short))
        # The same grid of samples as resizing all of it, without what is cut off.
        box = (cut * short, cut * short, (1 - cut) * short, (1 - cut) * short)
        part = square.resize((kept, kept), Image.Resampling.BICUBIC, box=box)
        return np.asarray(part)

    return frame
