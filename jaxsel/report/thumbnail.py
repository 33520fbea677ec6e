"""A small picture of an image that stands inside an HTML page."""

import base64
import io
from typing import Any

import numpy as np

from jaxsel.errors import UserError

LARGEST_SIDE = 64  # pixels of a thumbnail; smaller images keep their own size


def image_of(images: Any, index: int) -> np.ndarray:
    """One image as uint8 `[h, w, c]`, checked.

    Args:
      images: an array or a mapping by row.
      index: the row.

    Raises:
      UserError: there is none, or it is no image.
    """
    try:
        image = np.asarray(images[index])
    except (KeyError, IndexError) as error:
        raise UserError(
            f"expected an image for the chosen row {index}, found none; "
            "give the images of the pool that was selected from"
        ) from error
    if image.ndim == 2:
        image = image[:, :, None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or image.dtype != np.uint8:
        raise UserError(
            f"expected uint8 images of shape [h, w, c] with c of 1, 3 or 4, found "
            f"{image.dtype} {list(image.shape)} at row {index}"
        )
    return image


def thumbnail(image: np.ndarray, largest: int = LARGEST_SIDE) -> tuple[str, int]:
    """A data URI and its longer side; a large image is scaled down, none is cropped.

    What is at most 64 pixels large is a PNG and keeps every pixel; what is larger is a
    JPEG, a third of the size.

    Args:
      image: uint8 `[h, w, c]` of `image_of`.
      largest: the longer side at most, in pixels.

    Example:
      >>> uri, side = thumbnail(np.zeros((4, 8, 1), np.uint8))
      >>> uri[:22], side
      ('data:image/png;base64,', 8)
    """
    from PIL import Image

    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    if max(picture.size) > largest:
        picture.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if max(picture.size) <= LARGEST_SIDE:
        kind = "png"
        picture.save(buffer, format="PNG", optimize=True)
    else:
        kind = "jpeg"
        picture.convert("RGB").save(buffer, format="JPEG", quality=85)
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{kind};base64,{code}", max(picture.size)
