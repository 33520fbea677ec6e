"""A source: what people select from, their own images or their own features."""

import pathlib
from typing import NamedTuple

import numpy as np

from jaxsel.roles import Roles
from jaxsel.sources.reading import Reading


class Unreadable(NamedTuple):
    """A file that should have been an image of the source.

    Attributes:
      id: as an image's id; that of a folder ends in "/".
      reason: why it is not, in a few words, on one line.
    """

    id: str
    reason: str


class Skipped(NamedTuple):
    """How much of a folder was passed over, by kind.

    Attributes:
      hidden: files and folders whose names begin with a dot.
      other: files that are not images by their names; pipes, sockets and the like.
      repeated: folders met again over a link, which were read under their first name.
    """

    hidden: int = 0
    other: int = 0
    repeated: int = 0


class Source(NamedTuple):
    """A pool of `n` images or feature rows.

    Attributes:
      path: where it was read from.
      ids: str `[n]`, unique. An image's id is its path below the folder, with "/"; the
        ids of images ascend. A row's id is the file's own, else its number.
      paths: the files of the images, in the order of `ids`; `None` for features. A name
        that is no text is whole here, and escaped in `ids` (`walk.id_of`).
      features: real numbers `[n, d]` in the file's own type, memory-mapped where they
        come from an `.npy`; `None` for images. Nothing is said of NaN, zeros or
        duplicates among them: `jaxsel.doctor` does.
      unreadable: the files of a folder that are left out, by id.
      skipped: what else of a folder was passed over.
      fingerprint: SHA-256 of the whole content: of ids and files for images, of ids,
        type, shape and numbers for features.
      copies: ids of images whose files are the same to the last byte, a tuple for each
        such file, in the order of `ids`.
      reading: how its images are read.
      content: str `[n]`, the first 16 digits of the SHA-256 of each image's file;
        `None` for features.
      roles: of a table, which columns are the features and the ids, and which were left
        out and why; `None` for images and bare matrices.
    """

    path: pathlib.Path
    ids: np.ndarray
    paths: tuple[pathlib.Path, ...] | None
    features: np.ndarray | None
    unreadable: tuple[Unreadable, ...]
    skipped: Skipped
    fingerprint: str
    copies: tuple[tuple[str, ...], ...] = ()
    reading: Reading = Reading()
    content: np.ndarray | None = None
    roles: Roles | None = None
