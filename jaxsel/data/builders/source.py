"""What the builders share: a source on disk instead of tfds' own downloads."""

import io
import pathlib
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image


class SourceBuilder(
    tfds.core.GeneratorBasedBuilder,
    skip_registration=True,  # type: ignore[call-arg]
):
    """A tfds builder that reads one archive or folder that is already here.

    Kept out of tfds' registry, where cifar10, cifar100 and imagenet2012 have their
    names already.

    Args:
      source: the archive or folder; None for data that come with a library.
      **kwargs: those of tfds' builders, `data_dir` above all.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(
            skip_registration=True,  # type: ignore[call-arg]
            **kwargs,
        )

    def __init__(self, *, source: pathlib.Path | None, **kwargs: Any) -> None:
        self.source = source
        super().__init__(**kwargs)

    def path(self) -> pathlib.Path:
        """The source, which a builder with an archive always has."""
        if self.source is None:
            raise ValueError(f"{self.name} is built from an archive, found none")
        return self.source


def png(image: np.ndarray) -> io.BytesIO:
    """An image as a PNG file in memory, which keeps every value.

    Args:
      image: uint8 `[h, w, 3]`, `[h, w, 1]` or `[h, w]`.

    Returns:
      The file, at its beginning.
    """
    if image.dtype != np.uint8:
        raise ValueError(f"expected uint8, found {image.dtype}")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    stream.seek(0)
    return stream
