"""From a path to a source: a folder of images, or a file of features."""

import hashlib
import os
import pathlib

import numpy as np
from tqdm import tqdm

from jaxsel.errors import UserError
from jaxsel.features.store import open_folder
from jaxsel.sources.arrays import read_npy, read_npz
from jaxsel.sources.images import from_folder
from jaxsel.sources.source import Skipped, Source
from jaxsel.sources.table import read_table

_BLOCK_BYTES = 1 << 24
STORED = ("features.npy", "ids.npy", "manifest.json")


def open_source(
    path: str | os.PathLike[str], *, strict: bool = False, progress: bool = True
) -> Source:
    """Opens what people select from.

    Every image is decoded once, and every number read once, for the fingerprint; a
    memory-mapped matrix stays on disk.

    Args:
      path: a folder of images; an `.npy`, `.npz` or `.parquet` file with a row of
        numbers an example, of any float or integer type, and perhaps ids; or a folder
        that `jaxsel features` wrote.
      strict: whether an image that cannot be read is an error, rather than an entry of
        `unreadable`.
      progress: whether a terminal shows a bar.

    Returns:
      The source.

    Raises:
      UserError: nothing there, nothing in it, a file that is damaged, of another kind,
        not a matrix of numbers, or with ids that are not one a row and distinct.

    Example:
      >>> import tempfile
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "rows.npz"
      >>> np.savez(file, features=np.eye(2), ids=np.array(["b", "a"]))
      >>> source = open_source(file)
      >>> source.ids.tolist(), source.features.shape
      (['b', 'a'], (2, 2))
    """
    file = pathlib.Path(path).expanduser()
    if not os.fspath(path) or not file.exists():
        raise UserError(
            "expected a folder of images or a feature file (.npy, .npz, .parquet) at "
            f"{os.fspath(path)!r}, found nothing: check the path"
        )
    if file.is_dir():
        if not all((file / name).exists() for name in STORED):
            return from_folder(file, strict=strict, progress=progress)
        stored = open_folder(file)
        rows = stored.rows
        if rows.dtype.kind != "f":  # bfloat16, which few programs know
            rows = rows.astype(np.float32)
        return _of_features(file, rows, stored.ids, progress)
    match file.suffix.lower():
        case ".npy":
            return _of_features(file, read_npy(file), None, progress)
        case ".npz":
            return _of_features(file, *read_npz(file), progress)
        case ".parquet":
            return _of_features(file, *read_table(file), progress)
        case other:
            raise UserError(
                "expected a folder of images or a file that ends in .npy, .npz or "
                f".parquet, found {other or 'no ending'} in {str(file)!r}: convert it, "
                "or give the folder of the images"
            )


def _of_features(
    file: pathlib.Path,
    features: np.ndarray,
    stored_ids: np.ndarray | None,
    progress: bool,
) -> Source:
    features = _matrix(file, features)
    if stored_ids is None:
        ids = np.arange(len(features)).astype(str)
    else:
        ids = _ids(file, stored_ids, len(features))
    fingerprint = fingerprint_of_rows(features, ids, progress=progress)
    return Source(file, ids, None, features, (), Skipped(), fingerprint)


def fingerprint_of_rows(
    features: np.ndarray, ids: np.ndarray, *, progress: bool = False
) -> str:
    """SHA-256 of a matrix and its ids: of type, shape, every number and every id.

    The numbers are read in blocks of 16 MB, so a memory-mapped matrix stays on disk; it
    takes about a second a gigabyte. The file's kind is not part of it: an `.npy` and an
    `.npz` of the same have the same fingerprint.

    Args:
      features: `[n, d]`.
      ids: str `[n]`.
      progress: whether a terminal shows a bar.

    Returns:
      64 hexadecimal digits.

    Example:
      >>> rows, ids = np.eye(2), np.array(["a", "b"])
      >>> fingerprint_of_rows(rows, ids) == fingerprint_of_rows(2 * rows, ids)
      False
    """
    digest = hashlib.sha256(f"{features.dtype.name} {features.shape}".encode())
    step = max(1, _BLOCK_BYTES // max(1, features[:1].nbytes))
    with tqdm(
        desc="reading",
        total=features.nbytes,
        unit="B",
        unit_scale=True,
        leave=False,
        disable=None if progress else True,
    ) as bar:
        for start in range(0, len(features), step):
            block = np.ascontiguousarray(features[start : start + step])
            digest.update(block.data)
            bar.update(block.nbytes)
    for name in ids.tolist():
        # The separator cannot occur in UTF-8, so ids cannot run into each other.
        digest.update(name.encode("utf-8", "surrogatepass") + b"\xff")
    return digest.hexdigest()


def _matrix(file: pathlib.Path, features: np.ndarray) -> np.ndarray:
    if features.dtype.kind not in "fiu":
        raise UserError(
            f"expected features that are real numbers in {str(file)!r}, found "
            f"{features.dtype}: write them as float32"
        )
    if features.ndim != 2 or 0 in features.shape:
        raise UserError(
            f"expected features of shape [n, d], one row an example, in {str(file)!r}, "
            f"found {list(features.shape)}"
        )
    if not features.dtype.isnative:
        features = features.astype(features.dtype.newbyteorder("="))
    features.flags.writeable = False
    return features


def _ids(file: pathlib.Path, stored: np.ndarray, n: int) -> np.ndarray:
    """Text of ids that are text or whole numbers, one a row and distinct."""
    if stored.shape != (n,):
        raise UserError(
            f"expected {n} ids in {str(file)!r}, one a row, found shape "
            f"{list(stored.shape)}"
        )
    try:
        if stored.dtype.kind not in "USiu":
            raise ValueError(f"numbers of {stored.dtype}")
        ids = (
            np.strings.decode(stored, "utf-8")
            if stored.dtype.kind == "S"
            else stored.astype(str)
        )
    except ValueError as error:
        raise UserError(
            f"expected ids that are text or whole numbers in {str(file)!r}, found "
            f"{error}: write them as text"
        ) from error
    row_of: dict[str, int] = {}
    for row, name in enumerate(ids.tolist()):
        first = row_of.setdefault(name, row)
        if first != row:
            raise UserError(
                f"expected distinct ids in {str(file)!r}, found {name!r} in rows "
                f"{first} and {row}: keep one row of each"
            )
    return ids
