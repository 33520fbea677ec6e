"""CIFAR-10 and CIFAR-100 from the python archives, as tfds' own builders write them.

Name, version, features, ids and label names are those of tfds' cifar10 and cifar100
3.0.2, so a directory made by either serves both.
"""

import io
import pickle
import tarfile
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxsel.data.builders.source import SourceBuilder, png

_HOMEPAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"


class Cifar10(SourceBuilder):
    """50,000 and 10,000 colour images of 32 x 32 pixels in 10 classes."""

    VERSION = tfds.core.Version("3.0.2")
    BATCHES: ClassVar[dict[str, tuple[str, ...]]] = {
        "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
        "test": ("test_batch",),
    }
    META = "batches.meta"
    # Our label features, each with its key in the batches and its names' in the meta.
    LABELS: ClassVar[dict[str, tuple[bytes, bytes]]] = {
        "label": (b"labels", b"label_names")
    }
    CLASSES: ClassVar[dict[str, int]] = {"label": 10}

    def _info(self) -> tfds.core.DatasetInfo:
        labels = {
            name: tfds.features.ClassLabel(num_classes=count)
            for name, count in self.CLASSES.items()
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"{self.name} from the python archive, as PNG.",
            homepage=_HOMEPAGE,
            supervised_keys=("image", "label"),
            features=tfds.features.FeaturesDict(
                {
                    "id": tfds.features.Text(),
                    "image": tfds.features.Image(shape=(32, 32, 3)),
                    **labels,
                }
            ),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
        del dl_manager
        meta = self._read((self.META,))[self.META]
        for feature, (_, key) in self.LABELS.items():
            self.info.features[feature].names = [name.decode() for name in meta[key]]
        return {split: self._generate_examples(split) for split in self.BATCHES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Numbers the examples in the order of the archive, as tfds does."""
        batches = self._read(self.BATCHES[split])
        index = 0
        for name in self.BATCHES[split]:
            batch = batches[name]
            # Each row holds the red, then the green, then the blue plane.
            images = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            for row, image in enumerate(images):
                labels = {
                    feature: int(batch[key][row])
                    for feature, (key, _) in self.LABELS.items()
                }
                yield (
                    index,
                    {"id": f"{split}_{index:05d}", "image": png(image), **labels},
                )
                index += 1

    def _read(self, names: tuple[str, ...]) -> dict[str, dict[bytes, Any]]:
        """The named members of the archive, unpickled."""
        found: dict[str, dict[bytes, Any]] = {}
        with tarfile.open(self.path()) as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                stream = archive.extractfile(member) if name in names else None
                if stream is not None:
                    found[name] = _ArrayUnpickler(
                        io.BytesIO(stream.read()), encoding="bytes"
                    ).load()
        missing = [name for name in names if name not in found]
        if missing:
            raise ValueError(f"the archive has no member {missing[0]}")
        return found


class Cifar100(Cifar10):
    """50,000 and 10,000 colour images of 32 x 32 pixels in 100 classes of 20 kinds."""

    VERSION = tfds.core.Version("3.0.2")
    BATCHES: ClassVar[dict[str, tuple[str, ...]]] = {
        "train": ("train",),
        "test": ("test",),
    }
    META = "meta"
    LABELS: ClassVar[dict[str, tuple[bytes, bytes]]] = {
        "label": (b"fine_labels", b"fine_label_names"),
        "coarse_label": (b"coarse_labels", b"coarse_label_names"),
    }
    CLASSES: ClassVar[dict[str, int]] = {"label": 100, "coarse_label": 20}


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles arrays and plain values, and nothing that could run code.

    The archives were written by Python 2: they name NumPy's functions by their old
    module and give `np.dtype` integers for flags, both of which NumPy 2 warns about.
    """

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            if name == "_reconstruct":
                return _empty_array
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return _dtype
        raise pickle.UnpicklingError(f"found {module}.{name}, expected arrays alone")


def _empty_array(kind: type, shape: tuple[int, ...], code: bytes) -> np.ndarray:
    """The array that the pickle's state is then put into."""
    del kind, shape, code
    return np.ndarray((0,), np.int8)


def _dtype(code: bytes | str, align: int = 0, copy: int = 0) -> np.dtype:
    """`np.dtype` with the flags as booleans."""
    del copy
    text = code.decode() if isinstance(code, bytes) else code
    return np.dtype(text, align=bool(align))
