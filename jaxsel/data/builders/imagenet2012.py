"""ImageNet 2012 from the two tars that one downloads by hand, as tfds writes it.

Name, version, features, label order and file names are those of tfds' imagenet2012
5.1.0, whose own builder needs TensorFlow.
"""

import io
import pathlib
import tarfile
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds
from PIL import Image

from jaxsel.data.builders.source import SourceBuilder

TRAIN_TAR = "ILSVRC2012_img_train.tar"
VALIDATION_TAR = "ILSVRC2012_img_val.tar"
_TEXTS = "datasets/imagenet2012"


class Imagenet2012(SourceBuilder):
    """1,281,167 and 50,000 photographs of many sizes in 1000 classes."""

    VERSION = tfds.core.Version("5.1.0")

    def _info(self) -> tfds.core.DatasetInfo:
        names = tfds.core.tfds_path(f"{_TEXTS}/labels.txt")
        return tfds.core.DatasetInfo(
            builder=self,
            description="ILSVRC 2012, training and validation images.",
            homepage="https://image-net.org/",
            supervised_keys=("image", "label"),
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(encoding_format="jpeg"),
                    "label": tfds.features.ClassLabel(names_file=names),
                    "file_name": tfds.features.Text(),
                }
            ),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        del dl_manager
        return {
            "train": self._generate_examples(_train_images(self.path() / TRAIN_TAR)),
            "validation": self._generate_examples(
                _validation_images(self.path() / VALIDATION_TAR)
            ),
        }

    def _generate_examples(
        self, images: Iterator[tuple[str, str, bytes]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, label, data in images:
            yield name, {"file_name": name, "image": _jpeg(data), "label": label}


def _train_images(path: pathlib.Path) -> Iterator[tuple[str, str, bytes]]:
    """Name, class and bytes: the tar holds one tar a class, named after it."""
    with tarfile.open(path) as outer:
        for member in outer:
            stream = outer.extractfile(member)
            if stream is None:
                continue
            with tarfile.open(fileobj=stream) as inner:
                for image in inner:
                    data = inner.extractfile(image)
                    if data is not None:
                        yield image.name, member.name.removesuffix(".tar"), data.read()


def _validation_images(path: pathlib.Path) -> Iterator[tuple[str, str, bytes]]:
    """Name, class and bytes; the number in a name is its line in the list."""
    listed = tfds.core.tfds_path(f"{_TEXTS}/validation_labels.txt").read_text().split()
    with tarfile.open(path) as tar:
        for member in tar:
            data = tar.extractfile(member)
            if data is None:
                continue
            name = member.name.rsplit("/", 1)[-1]
            line = int(name.removesuffix(".JPEG").rsplit("_", 1)[-1])
            if not 1 <= line <= len(listed):
                raise ValueError(f"{name} has no line in the list of classes")
            yield name, listed[line - 1], data.read()


def _jpeg(data: bytes) -> io.BytesIO:
    """The file as it is; the few that are CMYK or PNG as a JPEG with three channels."""
    with Image.open(io.BytesIO(data)) as image:
        if image.format == "JPEG" and image.mode in ("RGB", "L"):
            return io.BytesIO(data)
        stream = io.BytesIO()
        image.convert("RGB").save(stream, format="JPEG", quality=95)
    stream.seek(0)
    return stream
