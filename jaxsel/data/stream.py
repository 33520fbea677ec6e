"""Sets too large for memory: batches decoded and resized on the way, in order."""

import collections
import concurrent.futures
import hashlib
import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from jaxsel.data import cache, folders, records
from jaxsel.data.building import prepare
from jaxsel.data.catalog import DatasetSpec, dataset
from jaxsel.data.load import canonical_order
from jaxsel.errors import UserError

# The usual evaluation crop: the short side to 256 for a centre of 224 pixels.
RESIZE_RATIO = 256 / 224
_CHUNK = 256


class Table(NamedTuple):
    """What is known of a streamed split without decoding an image; row = id's rank.

    Attributes:
      labels: int32 `[n]`.
      ids: str `[n]`, ascending.
      positions: int64 `[n]`, where each row's record lies in the files.
      class_names: one name a label.
      sha256: over the image files' own, in the order of rows.
    """

    labels: np.ndarray
    ids: np.ndarray
    positions: np.ndarray
    class_names: tuple[str, ...]
    sha256: str


class Batch(NamedTuple):
    """Consecutive rows of a stream.

    Attributes:
      images: uint8 `[b, image_size, image_size, 3]`.
      labels: int32 `[b]`.
      ids: str `[b]`.
      indices: int64 `[b]`, the rows of the split's `Table`.
    """

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    indices: np.ndarray


def read_labels_and_ids(
    name: str | DatasetSpec,
    split: str,
    *,
    data_dir: folders.Folder | None = None,
    cache_dir: folders.Folder | None = None,
    progress: bool = True,
) -> Table:
    """Reads labels and ids of a split, without decoding images, and caches them.

    The first call has to pass once through the files, image bytes and all; later calls
    read the cache.

    Args:
      name: a data set of `jaxsel.data.DATASETS`, streamed or not.
      split: `train` or `test`; for ImageNet the latter is its validation set.
      data_dir: the tfds data folder; default `$TFDS_DATA_DIR`, `~/tensorflow_datasets`.
      cache_dir: the cache; default `$JAXSEL_CACHE`, `~/.cache/jaxsel`.
      progress: whether a terminal shows a progress bar.

    Returns:
      The table, rows in ascending order of id.

    Raises:
      UserError: as `jaxsel.data.load`.
    """
    spec = dataset(name)
    spec.split(split)
    directory = prepare(spec, data_dir=data_dir, progress=progress)
    folder = folders.cache_folder(spec, directory, f"{split}-table", cache_dir)
    identity = folders.identity(spec, directory, split)
    cached = cache.fetch(folder, identity)
    # Tables of earlier versions do not tell what the images are.
    if cached is None or "sha256" not in cached.notes:
        source = records.open_split(directory, spec, split)
        table = _read_table(source, spec, split, progress)
        arrays = {
            "labels": table.labels,
            "ids": table.ids,
            "positions": table.positions,
        }
        notes = {"class_names": list(table.class_names), "sha256": table.sha256}
        cache.store(folder, identity, arrays, notes)
        return table
    return Table(
        **cached.arrays,
        class_names=tuple(cached.notes["class_names"]),
        sha256=cached.notes["sha256"],
    )


def stream(
    name: str | DatasetSpec,
    split: str,
    *,
    batch_size: int,
    image_size: int,
    indices: np.ndarray | None = None,
    data_dir: folders.Folder | None = None,
    cache_dir: folders.Folder | None = None,
    threads: int | None = None,
    prefetch: int = 2,
    progress: bool = True,
) -> Iterator[Batch]:
    """Yields a split, or chosen rows of it, batch by batch and once.

    Each image is scaled (bicubic) until its short side is `image_size * 256 / 224`
    pixels, rounded, and its centre of `image_size` squared pixels is cut out. Memory
    holds `prefetch + 1` batches and their files at most. The order is that of
    `indices`, whatever the threads do.

    Args:
      name: a data set of `jaxsel.data.DATASETS`, streamed or not.
      split: `train` or `test`.
      batch_size: rows a batch; the last one may be smaller.
      image_size: pixels of a side of the images that are yielded.
      indices: int `[m]`, rows of `read_labels_and_ids`' table; default all, ascending.
      data_dir, cache_dir, progress: as `read_labels_and_ids`'.
      threads: how many images are decoded at once; default the number of cores.
      prefetch: batches that are decoded ahead.

    Returns:
      An iterator over the batches. Arguments are checked before it is returned.

    Raises:
      UserError: as `jaxsel.data.load`, or sizes or indices out of range.
    """
    spec = dataset(name)
    sizes = {"batch_size": batch_size, "image_size": image_size, "prefetch": prefetch}
    for what, value in sizes.items():
        if value < 1:
            raise UserError(f"expected {what} of at least 1, found {value}: raise it")
    table = read_labels_and_ids(
        spec, split, data_dir=data_dir, cache_dir=cache_dir, progress=progress
    )
    rows = _rows(indices, len(table.ids))
    source = records.open_split(folders.prepared(spec, data_dir), spec, split)
    return _batches(source, table, rows, batch_size, image_size, threads, prefetch)


def crop(image: Image.Image, image_size: int) -> np.ndarray:
    """Scales the short side to `image_size * 256 / 224` and cuts out the centre.

    Args:
      image: RGB, of any size.
      image_size: pixels of a side of the result.

    Returns:
      uint8 `[image_size, image_size, 3]`.

    Example:
      >>> crop(Image.new("RGB", (300, 200), (255, 0, 0)), 28).shape
      (28, 28, 3)
    """
    scale = round(image_size * RESIZE_RATIO) / min(image.size)
    width, height = (max(image_size, round(side * scale)) for side in image.size)
    scaled = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - image_size) // 2, (height - image_size) // 2
    box = (left, top, left + image_size, top + image_size)
    return np.asarray(scaled.crop(box))


def _rows(indices: np.ndarray | None, size: int) -> np.ndarray:
    if indices is None:
        return np.arange(size)
    rows = np.asarray(indices)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise UserError(
            f"expected indices as integers [m], found {rows.dtype} of shape "
            f"{rows.shape}: pass row numbers of the split"
        )
    outside = rows[(rows < 0) | (rows >= size)]
    if len(outside):
        raise UserError(
            f"expected indices from 0 to {size - 1}, found {int(outside[0])}: pass row "
            "numbers of the split"
        )
    return rows.astype(np.int64)


def _read_table(
    source: records.Records, spec: DatasetSpec, split: str, progress: bool
) -> Table:
    labels = np.empty(len(source), np.int32)
    images = np.empty((len(source), 32), np.uint8)
    ids: list[str] = []
    bar = tqdm(
        desc=f"Listing {spec.name} {split}",
        total=len(source),
        unit=" images",
        disable=None if progress else True,
    )
    with bar:
        for start in range(0, len(source), _CHUNK):
            chunk = source.read(range(start, min(start + _CHUNK, len(source))))
            labels[start : start + len(chunk)] = [record.label for record in chunk]
            ids.extend(record.id for record in chunk)
            for place, record in enumerate(chunk, start):
                own = hashlib.sha256(record.image).digest()
                images[place] = np.frombuffer(own, np.uint8)
            bar.update(len(chunk))
    named = np.array(ids)
    order = canonical_order(named, labels, spec, split)
    return Table(
        labels[order],
        named[order],
        order.astype(np.int64),
        source.class_names,
        hashlib.sha256(images[order].tobytes()).hexdigest(),
    )


def _batches(
    source: records.Records,
    table: Table,
    rows: np.ndarray,
    batch_size: int,
    image_size: int,
    threads: int | None,
    prefetch: int,
) -> Iterator[Batch]:
    def decode(record: records.Record) -> np.ndarray:
        return crop(records.open_image(record), image_size)

    waiting: collections.deque[
        tuple[np.ndarray, list[concurrent.futures.Future[np.ndarray]]]
    ] = collections.deque()
    pool = concurrent.futures.ThreadPoolExecutor(threads or os.cpu_count())
    try:
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            found = source.read(table.positions[part].tolist())
            waiting.append((part, [pool.submit(decode, record) for record in found]))
            if len(waiting) > prefetch:
                yield _collect(table, *waiting.popleft())
        while waiting:
            yield _collect(table, *waiting.popleft())
    finally:
        # A reader that stops early waits for no image that it does not want.
        pool.shutdown(wait=True, cancel_futures=True)


def _collect(
    table: Table,
    rows: np.ndarray,
    images: list[concurrent.futures.Future[np.ndarray]],
) -> Batch:
    return Batch(
        images=np.stack([image.result() for image in images]),
        labels=np.asarray(table.labels[rows]),
        ids=np.asarray(table.ids[rows]),
        indices=rows,
    )
