"""Images of a folder: found, checked one by one, and read in batches of one size."""

import concurrent.futures
import hashlib
import os
import pathlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from PIL import Image
from tqdm import tqdm

from jaxsel.errors import UserError
from jaxsel.files import sha256_of_file
from jaxsel.sources.decode import decode, open_rgb
from jaxsel.sources.reading import Reading
from jaxsel.sources.refusal import Refused
from jaxsel.sources.source import Skipped, Source, Unreadable
from jaxsel.sources.survey import surveyed
from jaxsel.sources.walk import Found, find_images

THUMBNAIL = 64
_CHUNK = 256
_T = TypeVar("_T")


def from_folder(
    folder: pathlib.Path, *, strict: bool = False, progress: bool = True
) -> Source:
    """Finds the images below a folder and decodes each once, to know that it can be.

    Args:
      folder: any nesting; see `walk.find_images` and `decode.open_rgb`.
      strict: whether one unreadable image is an error.
      progress: whether a terminal shows a bar.

    Returns:
      The readable images by id. The fingerprint is over ids, the files' SHA-256, and
      the lines that take numbers of more than 8 bits to levels.

    Raises:
      UserError: there is no image, none that can be read, or, if strict, one that
        cannot.
    """
    found = images_below(folder)
    paths = [path for _, path in found.images]
    digests: list[str | Refused] = []
    with tqdm(
        desc="Checking images",
        total=len(paths),
        unit=" images",
        disable=None if progress else True,
    ) as bar:
        for start in range(0, len(paths), _CHUNK):
            digests += _side_by_side(_checked, paths[start : start + _CHUNK])
            bar.update(len(paths[start : start + _CHUNK]))
    reading = surveyed([name for name, _ in found.images], paths)
    return source_of(folder, found, digests, reading, strict=strict)


def images_below(folder: pathlib.Path) -> Found:
    """The images of a folder by their names, none of them opened.

    Raises:
      UserError: there is none.
    """
    found = find_images(folder)
    if not found.images and not found.unreadable:
        raise UserError(
            "expected images (PNG, JPEG, TIFF, BMP, WEBP, GIF, DICOM) in or below "
            f"{str(folder)!r}, found none ({_passed_over(found.skipped)}): give "
            "another folder"
        )
    return found


def listed(folder: pathlib.Path, found: Found) -> Source:
    """The source of a folder by the names of its images, none of them opened yet.

    It has no fingerprint and no hashes, and some of its images may turn out not to be
    readable: it serves checks that need names alone.
    """
    ids = np.array([name for name, _ in found.images], dtype=str)
    paths = tuple(path for _, path in found.images)
    return Source(folder, ids, paths, None, found.unreadable, found.skipped, "")


def source_of(
    folder: pathlib.Path,
    found: Found,
    digests: Sequence[str | Refused],
    reading: Reading,
    *,
    strict: bool = False,
) -> Source:
    """The source of a folder whose images were looked at.

    Args:
      folder: that they lie in.
      found: the images by their names.
      digests: of each, the file's SHA-256, or why it cannot be read.
      reading: how they are read, of `survey.surveyed`.
      strict: whether one unreadable image is an error.

    Returns:
      The readable images by id. The fingerprint is over ids, the files' SHA-256, and
      the lines that take numbers of more than 8 bits to levels.

    Raises:
      UserError: no image can be read, or, if strict, one cannot.
    """
    unreadable, ids, kept = list(found.unreadable), list[str](), list[pathlib.Path]()
    whole = hashlib.sha256()
    same: dict[str, list[str]] = {}
    content = list[str]()
    for (name, path), digest in zip(found.images, digests, strict=True):
        if isinstance(digest, Refused):
            unreadable.append(Unreadable(name, str(digest)))
            continue
        ids.append(name)
        kept.append(path)
        content.append(digest[:16])
        same.setdefault(digest, []).append(name)
        # No name holds a NUL, so names and digests cannot run into each other.
        whole.update(f"{name}\0{digest}\0".encode())
    whole.update(reading.fingerprint.encode())
    unreadable.sort()
    if unreadable and (strict or not ids):
        first = unreadable[0]
        what = "every image" if strict else "an image that can be read"
        raise UserError(
            f"expected {what} in {str(folder)!r}{' to be readable' if strict else ''}, "
            f"found {len(unreadable)} that cannot be read, the first {first.id!r}: "
            f"{first.reason}"
        )
    return Source(
        folder,
        np.array(ids, dtype=str),
        tuple(kept),
        None,
        tuple(unreadable),
        found.skipped,
        whole.hexdigest(),
        tuple(tuple(names) for names in same.values() if len(names) > 1),
        reading.of_those(set(ids)),
        np.array(content, dtype=str),
    )


def batches(
    source: Source, side: int, rows: np.ndarray | None, size: int
) -> Iterator[np.ndarray]:
    """Reads images of one size, a batch at a time, decoded on all cores.

    The central square of each image (its shorter side long) is resized by Pillow's
    bicubic filter, which averages where an image shrinks: what encoders were trained
    on, at the price of the ends of long images.
    `functools.partial(batches, source, side)` is the `read` that
    `jaxsel.features.extract` takes.

    Args:
      source: of images.
      side: pixels.
      rows: int `[m]`, or `None` for all.
      size: images of a batch.

    Yields:
      uint8 `[b, side, side, 3]` in the order of `rows`, b = size but for the last.

    Raises:
      UserError: a source without images, rows outside the pool, or an image that could
        be read when the source was opened and no longer can.
    """
    wanted = _rows(source, rows)

    def square(path: pathlib.Path) -> np.ndarray:
        return central_square(open_rgb(path, side, source.reading.levels), side)

    for start in range(0, len(wanted), size):
        yield np.stack(_read(source, square, wanted[start : start + size]))


def read(source: Source, rows: np.ndarray | None, side: int) -> np.ndarray:
    """As `batches`, in one array: uint8 `[m, side, side, 3]`.

    Example:
      >>> import tempfile
      >>> folder = pathlib.Path(tempfile.mkdtemp())
      >>> Image.new("RGB", (6, 4), "red").save(folder / "red.png")
      >>> source = from_folder(folder, progress=False)
      >>> read(source, None, 2)[0, 0].tolist()
      [[255, 0, 0], [255, 0, 0]]
    """
    parts = list(batches(source, side, rows, _CHUNK))
    return np.concatenate([np.empty((0, side, side, 3), np.uint8), *parts])


def thumbnails(
    source: Source, rows: np.ndarray, largest: int = THUMBNAIL
) -> dict[int, np.ndarray]:
    """Whole images, scaled down to be looked at.

    Args:
      source: of images.
      rows: int `[m]`.
      largest: the longer side at most, in pixels; smaller images keep their size.

    Returns:
      By row, uint8 `[h, w, 3]` (what `jaxsel.report.contact_sheet` takes).

    Raises:
      UserError: as `batches`.
    """

    def small(path: pathlib.Path) -> np.ndarray:
        picture = open_rgb(path, largest, source.reading.levels)
        picture.thumbnail((largest, largest), Image.Resampling.LANCZOS)
        return np.asarray(picture)

    wanted = _rows(source, rows)
    pictures: dict[int, np.ndarray] = {}
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        for row, picture in zip(part, _read(source, small, part), strict=True):
            pictures[int(row)] = picture
    return pictures


def central_square(image: Image.Image, side: int) -> np.ndarray:
    """The largest central square of an image at another size; uint8 `[side, side, 3]`.

    Of an odd remainder the smaller half is cut from the left or the top.
    """
    short = min(image.size)
    left, top = (image.width - short) // 2, (image.height - short) // 2
    square = image.crop((left, top, left + short, top + short))
    return np.asarray(square.resize((side, side), Image.Resampling.BICUBIC))


def _checked(path: pathlib.Path) -> str:
    """SHA-256 of a file whose image could be decoded (a JPEG at an eighth: cheaper)."""
    decode(path, 1)
    return sha256_of_file(path)


def _side_by_side(
    work: Callable[[pathlib.Path], _T], paths: Sequence[pathlib.Path]
) -> list[_T | Refused]:
    """Results by path, or why there is none; Pillow decodes outside Python's lock."""

    def attempt(path: pathlib.Path) -> _T | Refused:
        try:
            return work(path)
        except Refused as refused:
            return refused
        except OSError as error:
            return Refused((error.strerror or str(error)).lower())

    # Filters are the whole process's, so they are set around the threads: Pillow warns
    # of large images and of damaged metadata, which are judged here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(attempt, paths))


def _read(
    source: Source, work: Callable[[pathlib.Path], np.ndarray], rows: np.ndarray
) -> list[np.ndarray]:
    assert source.paths is not None
    pictures = []
    results = _side_by_side(work, [source.paths[row] for row in rows])
    for row, picture in zip(rows, results, strict=True):
        if isinstance(picture, Refused):
            raise UserError(
                f"expected the image {str(source.ids[row])!r} to be as it was when its "
                f"folder was opened, found it unreadable ({picture}): start again"
            )
        pictures.append(picture)
    return pictures


def _rows(source: Source, rows: np.ndarray | None) -> np.ndarray:
    if source.paths is None:
        raise UserError(
            f"expected a folder of images, found features in {str(source.path)!r}: "
            "there is nothing to look at"
        )
    total = len(source.paths)
    wanted = np.arange(total) if rows is None else np.asarray(rows)
    outside = wanted[(wanted < 0) | (wanted >= total)]
    if outside.size:
        raise UserError(
            f"expected rows of the {total} images, from 0 to {total - 1}, found "
            f"{outside[0]}"
        )
    return wanted


def _passed_over(skipped: Skipped) -> str:
    return f"{skipped.other} other files, {skipped.hidden} hidden ones"
