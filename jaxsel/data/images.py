"""What every data set becomes: one array of images with labels and ids."""

import hashlib
from typing import NamedTuple

import numpy as np


class ImageSet(NamedTuple):
    """Images of one split, in the canonical order: sorted by id.

    Attributes:
      images: uint8 `[n, h, w, 3]`; read-only when it comes from the cache.
      labels: int32 `[n]`, in `[0, len(class_names))`.
      ids: str `[n]`, unique and ascending. Whatever is stored about single images is
        joined by id, never by position: record files are in hashed order.
      class_names: one name a label.
    """

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    class_names: tuple[str, ...]


def fingerprint(image_set: ImageSet) -> str:
    """SHA-256 over the shapes and bytes of images, labels and ids, as hexadecimal text.

    Equal exactly when the three arrays are. Takes about a second a gigabyte;
    `jaxsel.data.load_fingerprinted` hands out the one stored with the cache.

    Args:
      image_set: images uint8 `[n, h, w, c]`, labels `[n]`, ids `[n]`.

    Returns:
      64 hexadecimal digits.

    Example:
      >>> one = ImageSet(np.zeros((1, 2, 2, 3), np.uint8), np.zeros(1, np.int32),
      ...                np.array(["a"]), ("cat",))
      >>> fingerprint(one) == fingerprint(one._replace(ids=np.array(["b"])))
      False
    """
    digest = hashlib.sha256()
    # The separator cannot occur in UTF-8 text, so ids cannot run into each other.
    ids = b"\xff".join(str(name).encode() for name in image_set.ids)
    for array in (image_set.images, image_set.labels.astype("<i4")):
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    digest.update(ids)
    return digest.hexdigest()
