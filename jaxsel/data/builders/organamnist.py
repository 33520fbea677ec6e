"""OrganAMNIST from MedMNIST's npz file: organs in abdominal CT, axial view."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from jaxsel.data.builders.source import SourceBuilder, png

CLASS_NAMES = (
    "bladder",
    "femur-left",
    "femur-right",
    "heart",
    "kidney-left",
    "kidney-right",
    "liver",
    "lung-left",
    "lung-right",
    "pancreas",
    "spleen",
)
_KEYS = {"train": "train", "validation": "val", "test": "test"}


class Organamnist(SourceBuilder):
    """Grey images of 28 x 28 pixels in 11 classes, with MedMNIST's three splits."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="OrganAMNIST of MedMNIST v2, 28 pixels, as PNG.",
            homepage="https://medmnist.com",
            supervised_keys=("image", "label"),
            features=tfds.features.FeaturesDict(
                {
                    "id": tfds.features.Text(),
                    "image": tfds.features.Image(shape=(28, 28, 1)),
                    "label": tfds.features.ClassLabel(names=list(CLASS_NAMES)),
                }
            ),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        del dl_manager
        return {split: self._generate_examples(split) for split in _KEYS}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        with np.load(self.path(), allow_pickle=False) as arrays:
            images = arrays[f"{_KEYS[split]}_images"]
            labels = arrays[f"{_KEYS[split]}_labels"].reshape(-1)
        if images.shape != (len(labels), 28, 28):
            raise ValueError(
                f"expected {_KEYS[split]}_images of shape ({len(labels)}, 28, 28), "
                f"found {images.shape}"
            )
        for row, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield (
                row,
                {
                    "id": f"{split}_{row:05d}",
                    "image": png(image),
                    "label": int(label),
                },
            )
