"""Features of a folder of images, each image read once and none twice.

Threads read, hash and decode while the network works on the batch before. What is done
is on disk every few seconds (`jaxsel.sources.journal`): killed and called again, this
goes on behind it, and of a folder that has changed only what is new is encoded.
"""

import collections
import concurrent.futures
import contextlib
import fcntl
import os
import pathlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from jaxsel.features.encoder import Encoder, encode_stream
from jaxsel.files import hash_of, sha256_of_file, writable_folder
from jaxsel.sources.framing import Frame
from jaxsel.sources.images import source_of
from jaxsel.sources.journal import File, Journal
from jaxsel.sources.looks import surveyed_before
from jaxsel.sources.refusal import Refused
from jaxsel.sources.source import Source
from jaxsel.sources.stat import Stat, stat_of
from jaxsel.sources.walk import Found

_SECONDS = 2.0  # of work that a kill may cost
_AHEAD = 3  # batches that are decoded before the network asks for them
_TRIES = 3


class Meter(Protocol):
    """Told of progress, in images."""

    def start_at(self, amount: int) -> None:
        """That number is known from before."""

    def advance(self, amount: int) -> None:
        """That number is done now."""


class Encoded(NamedTuple):
    """A folder's images and their features.

    Attributes:
      source: the images that can be read, as `images.from_folder` has them.
      rows: float32 `[n, d]`, mapped from disk, in the order of the source.
      fresh: how many rows were made now.
    """

    source: Source
    rows: np.ndarray
    fresh: int


class _Seen(NamedTuple):
    """A file as a thread found it; no pixels where the content is known already."""

    name: str
    stat: Stat
    digest: str
    pixels: np.ndarray | None


def encode_folder(
    folder: pathlib.Path,
    found: Found,
    encoder: Encoder,
    frame: Frame,
    about: Any,
    batch_size: int,
    root: pathlib.Path,
    meter: Meter,
) -> Encoded:
    """Features of all images in and below a folder, from the journal where they are.

    Args:
      folder: of images.
      found: what is in it, of `images.images_below`.
      encoder: what makes the features.
      frame: how a file becomes the array that the encoder takes. Arrays of a shape go
        through the encoder together.
      about: what `frame` is, JSON-able.
      batch_size: images of a call of the encoder.
      root: the folder of all journals.
      meter: told of the progress.

    Returns:
      The images that can be read, and their features.

    Raises:
      UserError: no image can be read, a feature that is not finite, or a
        journal that cannot be written.
    """
    reading = surveyed_before(folder, found, root)
    identity = {"folder": str(folder.resolve()), **encoder.identity, "frame": about}
    if reading.levels:
        identity["levels"] = reading.fingerprint
    place = root / f"{encoder.identity['encoder']}-{hash_of(identity)}"
    with _alone_in(place):
        journal = Journal(place, identity)
        known, wanted, refused = _known(found.images, journal)
        meter.start_at(len(known))
        before = len(journal)

        def pixels(path: pathlib.Path) -> np.ndarray:
            return frame(path, reading.levels)

        refused |= _encode(wanted, journal, encoder, pixels, batch_size, meter)
        digests = [
            refused[name] if name in refused else journal.files[name].digest
            for name, _ in found.images
        ]
        source = source_of(folder, found, digests, reading)
        fresh = len(journal) - before
        return Encoded(source, journal.rows(source.ids.tolist()), fresh)


def _known(
    images: tuple[tuple[str, pathlib.Path], ...], journal: Journal
) -> tuple[set[str], list[tuple[str, pathlib.Path]], dict[str, Refused]]:
    """Files that are as they were, files to be read, and files that are gone."""
    known, wanted, refused = set[str](), list[tuple[str, pathlib.Path]](), {}
    for name, path in images:
        try:
            now = stat_of(path)
        except OSError as error:
            refused[name] = Refused((error.strerror or str(error)).lower())
            continue
        file = journal.files.get(name)
        if file is not None and file.stat.same(now):
            known.add(name)
        else:
            wanted.append((name, path))
    return known, wanted, refused


def _encode(
    wanted: list[tuple[str, pathlib.Path]],
    journal: Journal,
    encoder: Encoder,
    pixels_of: Callable[[pathlib.Path], np.ndarray],
    batch_size: int,
    meter: Meter,
) -> dict[str, Refused]:
    """Reads files, encodes those of new contents, and writes all down."""
    refused: dict[str, Refused] = {}
    batches: collections.deque[list[_Seen]] = collections.deque()
    # Files of a content whose row is being made: the row will be theirs too.
    waiting: dict[str, list[_Seen]] = {}
    files: dict[str, File] = {}
    rows: list[np.ndarray] = []
    made, written = len(journal), time.monotonic()

    def look(name: str, path: pathlib.Path) -> _Seen | Refused:
        return _look(name, path, journal, pixels_of)

    def stream() -> Iterator[np.ndarray]:
        buckets: dict[tuple[int, ...], list[_Seen]] = {}
        for (name, _), seen in _ahead(look, wanted, _AHEAD * batch_size):
            if isinstance(seen, Refused):
                refused[name] = seen
                meter.advance(1)
                continue
            row = journal.row_of(seen.digest)
            if row is not None:
                files[name] = File(seen.stat, seen.digest, row)
                meter.advance(1)
                continue
            if seen.digest in waiting:
                waiting[seen.digest].append(seen._replace(pixels=None))
                continue
            assert seen.pixels is not None
            waiting[seen.digest] = [seen._replace(pixels=None)]
            bucket = buckets.setdefault(seen.pixels.shape, [])
            bucket.append(seen)
            if len(bucket) == batch_size:
                yield give(buckets.pop(seen.pixels.shape))
        for bucket in buckets.values():
            yield give(bucket)

    def give(bucket: list[_Seen]) -> np.ndarray:
        batches.append([seen._replace(pixels=None) for seen in bucket])
        return np.stack([seen.pixels for seen in bucket if seen.pixels is not None])

    def write() -> None:
        nonlocal files, rows, written
        if files:
            empty = np.empty((0, 0), np.float32)
            journal.add(np.concatenate(rows) if rows else empty, files)
        files, rows, written = {}, [], time.monotonic()

    try:
        for out in encode_stream(encoder, stream(), batch_size):
            for place, first in enumerate(batches.popleft()):
                for seen in waiting.pop(first.digest):
                    files[seen.name] = File(seen.stat, seen.digest, made + place)
                    meter.advance(1)
            rows.append(out)
            made += len(out)
            if time.monotonic() - written > _SECONDS:
                write()
    finally:  # what was done is kept, whatever stops the rest
        write()
    return refused


def _look(
    name: str,
    path: pathlib.Path,
    journal: Journal,
    pixels_of: Callable[[pathlib.Path], np.ndarray],
) -> _Seen | Refused:
    """Reads one file; in a thread."""
    try:
        for _ in range(_TRIES):
            stat = stat_of(path)
            digest = sha256_of_file(path)
            known = journal.row_of(digest) is not None
            pixels = None if known else pixels_of(path)
            if stat[:3] == stat_of(path)[:3]:
                return _Seen(name, stat, digest, pixels)
        return Refused("it changes while it is read")
    except Refused as refused:
        return refused
    except OSError as error:
        return Refused((error.strerror or str(error)).lower())


def _ahead(
    look: Any, wanted: list[tuple[str, pathlib.Path]], most: int
) -> Iterator[tuple[tuple[str, pathlib.Path], _Seen | Refused]]:
    """Results in order, of which no more than `most` are there before they are used."""
    # Filters are the whole process's, so they are set around the threads: Pillow warns
    # of large images and of damaged metadata, which are judged by the results.
    with (
        warnings.catch_warnings(),
        concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        warnings.simplefilter("ignore")
        queue: collections.deque[Any] = collections.deque()
        try:
            for item in wanted:
                queue.append((item, pool.submit(look, item[0], item[1])))
                if len(queue) >= most:
                    first, future = queue.popleft()
                    yield first, future.result()
            while queue:
                first, future = queue.popleft()
                yield first, future.result()
        finally:
            for _, future in queue:
                future.cancel()


@contextlib.contextmanager
def _alone_in(place: pathlib.Path) -> Iterator[None]:
    """Waits until no other process works in a folder; the lock dies with a process."""
    writable_folder(place)
    with (place / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                "waiting for another process that encodes the same folder",
                file=sys.stderr,
                flush=True,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
