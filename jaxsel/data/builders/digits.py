"""The 1,797 handwritten digits that come with scikit-learn: real data, no network."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from jaxsel.data.builders.source import SourceBuilder, png

TEST_PER_CLASS = 50


class Digits(SourceBuilder):
    """Grey images of 8 x 8 pixels in 10 classes; 1,297 to train on and 500 to test."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="UCI's optical digits as scikit-learn bundles them, as PNG.",
            homepage="https://archive.ics.uci.edu/dataset/80",
            supervised_keys=("image", "label"),
            features=tfds.features.FeaturesDict(
                {
                    "id": tfds.features.Text(),
                    "image": tfds.features.Image(shape=(8, 8, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        del dl_manager
        return {split: self._generate_examples(split) for split in ("train", "test")}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        from sklearn.datasets import load_digits

        digits = load_digits()
        # Sixteen grey levels and zero, spread over a byte: 0, 16, 32, ..., 255.
        images = np.round(digits.images * (255 / 16)).astype(np.uint8)
        is_test = in_test(digits.target)
        for row in np.flatnonzero(is_test == (split == "test")):
            yield (
                int(row),
                {
                    "id": f"digits_{row:04d}",
                    "image": png(images[row]),
                    "label": int(digits.target[row]),
                },
            )


def in_test(labels: np.ndarray) -> np.ndarray:
    """The fixed split: which examples are held out for testing.

    Of the `m` examples of a class, in scikit-learn's order, those at the positions
    `floor((j + 1/2) m / 50)` for `j = 0, ..., 49`. Neighbours in that order have the
    same writer, so the writers are in both parts.

    Args:
      labels: int `[n]`, at least 50 of each class.

    Returns:
      bool `[n]`, true for the 50 test examples of each class.
    """
    mask = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        steps = (2 * np.arange(TEST_PER_CLASS) + 1) * len(rows) // (2 * TEST_PER_CLASS)
        mask[rows[steps]] = True
    return mask
