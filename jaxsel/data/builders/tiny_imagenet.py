"""Tiny-ImageNet from its zip file, or from a folder or tar of the same layout."""

import io
import pathlib
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from jaxsel.data.builders.source import SourceBuilder, png


class TinyImagenet(SourceBuilder):
    """100,000 and 10,000 colour images of 64 x 64 pixels in 200 classes.

    The validation images serve as the test set: the labels of the original test images
    are not public. Labels are numbered in the alphabetic order of the WordNet ids.
    """

    VERSION = tfds.core.Version("1.0.0")
    SIZE: ClassVar[int] = 64

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"Tiny-ImageNet, {self.SIZE} pixels.",
            homepage="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            supervised_keys=("image", "label"),
            features=tfds.features.FeaturesDict(
                {
                    "id": tfds.features.Text(),
                    "image": tfds.features.Image(shape=(self.SIZE, self.SIZE, 3)),
                    "label": tfds.features.ClassLabel(num_classes=200),
                }
            ),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        del dl_manager
        files = _open(self.path())
        classes = sorted(files.read("wnids.txt").decode().split())
        self.info.features["label"].names = classes
        train = [
            (name, name.split("/")[1])
            for name in files.names
            if name.startswith("train/") and name.endswith(".JPEG")
        ]
        validation = [
            (f"val/images/{fields[0]}", fields[1])
            for line in files.read("val/val_annotations.txt").decode().splitlines()
            if len(fields := line.split("\t")) >= 2
        ]
        return {
            "train": self._generate_examples(files, sorted(train)),
            "validation": self._generate_examples(files, validation),
        }

    def _generate_examples(
        self, files: "_Files", rows: list[tuple[str, str]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, label in rows:
            name = path.rsplit("/", 1)[-1].removesuffix(".JPEG")
            image = _colour(files.read(path), path, self.SIZE)
            yield name, {"id": name, "image": image, "label": label}


class TinyImagenet32(TinyImagenet):
    """The same images scaled down to 32 x 32 pixels, for small machines."""

    VERSION = tfds.core.Version("1.0.0")
    SIZE: ClassVar[int] = 32


class _Files(NamedTuple):
    """Files under a root, by their path from there."""

    names: list[str]
    read: Callable[[str], bytes]


def _open(source: pathlib.Path) -> _Files:
    """A folder, zip or tar as files whose root is where `wnids.txt` lies."""
    if source.is_dir():
        names = [
            path.relative_to(source).as_posix()
            for path in source.rglob("*")
            if path.is_file()
        ]
        return _rooted(names, lambda name: (source / name).read_bytes())
    if zipfile.is_zipfile(source):
        archive = zipfile.ZipFile(source)
        return _rooted(archive.namelist(), archive.read)
    # A compressed tar has no random access; these are small enough to keep unpacked.
    with tarfile.open(source) as tar:
        contents = {
            member.name: stream.read()
            for member in tar
            if member.isfile() and (stream := tar.extractfile(member)) is not None
        }
    return _rooted(list(contents), contents.__getitem__)


def _rooted(names: list[str], read: Callable[[str], bytes]) -> _Files:
    """Paths from the folder that holds `wnids.txt`, whatever it is called."""
    roots = [name.removesuffix("wnids.txt") for name in names if _is_wnids(name)]
    if len(roots) != 1:
        raise ValueError(f"expected one file wnids.txt, found {len(roots)}")
    root = roots[0]
    inside = [name.removeprefix(root) for name in names if name.startswith(root)]
    return _Files(inside, lambda name: read(root + name))


def _is_wnids(name: str) -> bool:
    return name.rsplit("/", 1)[-1] == "wnids.txt"


def _colour(data: bytes, path: str, size: int) -> io.BytesIO:
    """The JPEG as it is, or as a PNG with three channels where it is grey."""
    with Image.open(io.BytesIO(data)) as image:
        if image.size != (size, size):
            raise ValueError(
                f"expected {size} x {size} pixels in {path}, found "
                f"{image.width} x {image.height}"
            )
        if image.mode == "RGB":
            return io.BytesIO(data)
        return png(np.asarray(image.convert("RGB")))
