"""Splits: labels and ids in memory, images there too or streamed from disk."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxsel.data.catalog import DATASETS
from jaxsel.data.load import load_fingerprinted
from jaxsel.data.stream import read_labels_and_ids, stream
from jaxsel.files import hash_of

_BLOCK = 1024


class Split(NamedTuple):
    """The training or the test examples, in ascending order of id.

    Attributes:
      name: "train" or "test".
      labels: int32 `[n]`.
      ids: str `[n]`.
      class_names: one a class.
      fingerprint: of images, labels and ids; of a streamed split, of image files,
        labels, ids and image size.
      images: uint8 `[n, h, w, c]`, or `None` for a set too large for memory.
      read: `(rows or None, batch size)` to an iterator over uint8 `[b, h, w, c]`, the
        given rows (all of them for `None`) in their order.
    """

    name: str
    labels: np.ndarray
    ids: np.ndarray
    class_names: tuple[str, ...]
    fingerprint: str
    images: np.ndarray | None
    read: Callable[[np.ndarray | None, int], Iterator[np.ndarray]]

    def take(self, rows: np.ndarray) -> np.ndarray:
        """uint8 `[m, h, w, c]`: the images of some rows."""
        if self.images is not None:
            return self.images[rows]
        return np.concatenate(list(self.read(rows, _BLOCK)))

    def input_norms(self) -> np.ndarray:
        """float32 `[n]`: Euclidean norms of the images in [0, 1]."""
        return np.concatenate(
            [
                np.linalg.norm(
                    batch.reshape(len(batch), -1).astype(np.float32) / 255.0, axis=1
                )
                for batch in self.read(None, _BLOCK)
            ]
        )


def read_split(data: dict[str, Any], name: str) -> Split:
    """Reads a split of a config's data set; whole, unless it is one to be streamed.

    Args:
      data: a config's `data` section: `name`, `dir`, `image_size`.
      name: "train" or "test".

    Returns:
      The split.

    Raises:
      UserError: the data set is missing or damaged.
    """
    folder = data["dir"] or None
    if DATASETS[data["name"]].streamed:
        return _streamed(data, name, folder)
    images, fingerprint = load_fingerprinted(data["name"], name, data_dir=folder)

    def read(rows: np.ndarray | None, size: int) -> Iterator[np.ndarray]:
        for start in range(0, len(images.ids) if rows is None else len(rows), size):
            part = slice(start, start + size)
            yield images.images[part if rows is None else rows[part]]

    return Split(
        name,
        np.asarray(images.labels),
        np.asarray(images.ids),
        images.class_names,
        fingerprint,
        images.images,
        read,
    )


def _streamed(data: dict[str, Any], name: str, folder: str | None) -> Split:
    side = data["image_size"]
    table = read_labels_and_ids(data["name"], name, data_dir=folder)

    def read(rows: np.ndarray | None, size: int) -> Iterator[np.ndarray]:
        for batch in stream(
            data["name"],
            name,
            batch_size=size,
            image_size=side,
            indices=rows,
            data_dir=folder,
        ):
            yield batch.images

    labels, ids = np.asarray(table.labels), np.asarray(table.ids)
    whole = [labels.tolist(), ids.tolist(), side, table.sha256]
    fingerprint = hash_of(whole, length=64)
    return Split(name, labels, ids, table.class_names, fingerprint, None, read)
