"""A data set's name in, its images in memory out, cached for the next start."""

import concurrent.futures
import os
import pathlib
from typing import NamedTuple

import numpy as np
from absl import logging
from tqdm import tqdm

from jaxsel.data import cache, folders, records
from jaxsel.data.building import prepare
from jaxsel.data.catalog import DatasetSpec, dataset
from jaxsel.data.images import ImageSet, fingerprint
from jaxsel.errors import UserError

_CHUNK = 500


class Loaded(NamedTuple):
    """An image set with the hash that identifies its content.

    Attributes:
      image_set: the images, labels, ids and class names.
      fingerprint: `jaxsel.data.fingerprint` of them, as stored with the cache.
    """

    image_set: ImageSet
    fingerprint: str


def load(
    name: str | DatasetSpec,
    split: str,
    *,
    data_dir: folders.Folder | None = None,
    cache_dir: folders.Folder | None = None,
    progress: bool = True,
) -> ImageSet:
    """Reads one split of a data set into memory, preparing the set when it is missing.

    The first read decodes all images; later ones read the cached array, which takes a
    fraction of a second. A prepared tfds directory of the same name and version is used
    whoever made it.

    Args:
      name: a data set of `jaxsel.data.DATASETS`.
      split: `train` or `test`; for Tiny-ImageNet the latter is its validation set.
      data_dir: the tfds data folder; default `$TFDS_DATA_DIR`, `~/tensorflow_datasets`.
      cache_dir: the cache; default `$JAXSEL_CACHE`, `~/.cache/jaxsel`.
      progress: whether a terminal shows progress bars.

    Returns:
      Images uint8 `[n, h, w, 3]`, labels int32 `[n]`, ids `[n]` ascending, class names.
      The arrays are read-only.

    Raises:
      UserError: an unknown name or split, a set that is missing and cannot be had, data
        that are damaged, or a set too large for memory.

    Example:
      >>> import tempfile
      >>> place = tempfile.mkdtemp()
      >>> digits = load("digits", "test", data_dir=place, cache_dir=place)
      >>> digits.images.shape
      (500, 8, 8, 3)
    """
    return load_fingerprinted(
        name, split, data_dir=data_dir, cache_dir=cache_dir, progress=progress
    ).image_set


def load_fingerprinted(
    name: str | DatasetSpec,
    split: str,
    *,
    data_dir: folders.Folder | None = None,
    cache_dir: folders.Folder | None = None,
    progress: bool = True,
) -> Loaded:
    """As `load`, with the stored fingerprint, which is not computed again.

    Args:
      name, split, data_dir, cache_dir, progress: as `load`'s.

    Returns:
      The image set and its fingerprint.

    Raises:
      UserError: as `load`.
    """
    spec = dataset(name)
    spec.split(split)
    if spec.streamed:
        raise UserError(
            f"expected a data set that fits into memory, found {spec.name}: read it "
            "with jaxsel.data.stream"
        )
    directory = prepare(spec, data_dir=data_dir, progress=progress)
    folder = folders.cache_folder(spec, directory, split, cache_dir)
    identity = folders.identity(spec, directory, split)
    cached = cache.fetch(folder, identity)
    if cached is None:
        image_set = _read(directory, spec, split, progress)
        cache.store(
            folder,
            identity,
            {
                "images": image_set.images,
                "labels": image_set.labels,
                "ids": image_set.ids,
            },
            {
                "class_names": list(image_set.class_names),
                "fingerprint": fingerprint(image_set),
            },
        )
        cached = cache.fetch(folder, identity)
        if cached is None:
            raise UserError(
                f"expected the cache just written in {folder}, found it damaged: the "
                "disk fails or another process writes there; choose another with "
                "JAXSEL_CACHE"
            )
    image_set = ImageSet(
        images=cached.arrays["images"],
        labels=cached.arrays["labels"],
        ids=cached.arrays["ids"],
        class_names=tuple(cached.notes["class_names"]),
    )
    return Loaded(image_set, cached.notes["fingerprint"])


def _read(
    directory: pathlib.Path, spec: DatasetSpec, split: str, progress: bool
) -> ImageSet:
    """Decodes all records, then sorts them by id."""
    table = records.open_split(directory, spec, split)
    height, width, channels = spec.image_shape
    if height is None or width is None:
        raise ValueError(f"{spec.name} has no fixed image size and must be streamed")
    shape = (height, width, channels)
    images = np.empty((len(table), height, width, 3), np.uint8)
    labels = np.empty(len(table), np.int32)

    def chunk(start: int) -> list[str]:
        rows = range(start, min(start + _CHUNK, len(table)))
        found = table.read(rows)
        for row, record in zip(rows, found, strict=True):
            images[row] = records.decode(record, shape)
            labels[row] = record.label
        return [record.id for record in found]

    bar = tqdm(
        desc=f"Reading {spec.name} {split}",
        total=len(table),
        unit=" images",
        disable=None if progress else True,
    )
    ids: list[str] = []
    with bar, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(chunk, range(0, len(table), _CHUNK)):
            ids.extend(part)
            bar.update(len(part))
    order = canonical_order(np.array(ids), labels, spec, split)
    return ImageSet(
        images[order], labels[order], np.array(ids)[order], table.class_names
    )


def canonical_order(
    ids: np.ndarray, labels: np.ndarray, spec: DatasetSpec, split: str
) -> np.ndarray:
    """The order of rows by id, after checking ids, labels and their number.

    Args:
      ids: str `[n]`.
      labels: int `[n]`.
      spec: the data set's entry.
      split: `train` or `test`.

    Returns:
      int `[n]`, the positions in ascending order of id.

    Raises:
      UserError: two rows share an id, or a label is outside its range.
    """
    order = np.argsort(ids, kind="stable")
    same = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    if len(same):
        raise UserError(
            f"expected unique ids in {spec.name} {split}, found "
            f"{str(ids[order[same[0]]])!r} twice: prepare the set anew"
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= spec.num_classes))
    if len(wrong):
        raise UserError(
            f"expected labels from 0 to {spec.num_classes - 1} in {spec.name} {split}, "
            f"found {int(labels[wrong[0]])} for {str(ids[wrong[0]])!r}: prepare the "
            "set anew"
        )
    sizes = spec.split(split).sizes
    if len(ids) not in sizes:
        logging.warning(
            "%s %s has %d examples, the published one %s",
            spec.name,
            split,
            len(ids),
            " or ".join(str(size) for size in sizes),
        )
    return order
