"""From a path to a source: a folder of images, or a file of features."""

import hashlib
import os
import pathlib
from typing import Any

import numpy as np
from tqdm import tqdm

from jaxsel.errors import UserError
from jaxsel.features.parquet import read_table
from jaxsel.features.store import open_folder
from jaxsel.roles import NOTHING, Asked, Roles, asked_of
from jaxsel.sources.arrays import read_npy, read_npz
from jaxsel.sources.images import from_folder
from jaxsel.sources.source import Skipped, Source
from jaxsel.sources.spreadsheet import ENDINGS, read_csv

_BLOCK_BYTES = 1 << 24
STORED = ("features.npy", "ids.npy", "manifest.json")
FILES = ".npy, .npz, .parquet, .csv"


def open_source(
    path: str | os.PathLike[str],
    *,
    columns: Any = None,
    features: str | None = None,
    ids: str | None = None,
    strict: bool = False,
    progress: bool = True,
) -> Source:
    """Opens what people select from.

    Every image is decoded once, and every number read once, for the fingerprint; a
    memory-mapped matrix stays on disk.

    Args:
      path: a folder of images; an `.npy`, `.npz`, `.parquet` or `.csv` file with a row
        of numbers an example, of any float or integer type, and perhaps ids; or a
        folder that `jaxsel features` wrote.
      columns: names of a table's columns that are the features; `*` and `?` are
        wildcards. Without it the rule of `jaxsel.columns` chooses, and `roles` of the
        source says what was left out.
      features: the column of vectors, or the array of an `.npz`, that is the features;
        of numbered columns `x0`, `x1`, … the name without the number.
      ids: the column, or the array of an `.npz`, that names the rows.
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
    check_there(path, file)
    asked = asked_of(columns, features, ids)
    if file.is_dir():
        check_no_columns(asked, file)
        if not all((file / name).exists() for name in STORED):
            return from_folder(file, strict=strict, progress=progress)
        stored = open_folder(file)
        rows = stored.rows
        if rows.dtype.kind != "f":  # bfloat16, which few programs know
            rows = rows.astype(np.float32)
        return _of_features(file, rows, stored.ids, None, progress)
    match file.suffix.lower():
        case ".npy":
            check_no_columns(asked, file)
            return _of_features(file, read_npy(file), None, None, progress)
        case ".npz":
            return _of_features(file, *read_npz(file, asked), progress)
        case ".parquet":
            return _of_features(file, *read_table(file, asked), progress)
        case ending if ending in ENDINGS:
            return _of_features(file, *read_csv(file, asked), progress)
    raise another_kind(file)


def check_there(path: str | os.PathLike[str], file: pathlib.Path) -> None:
    """Refuses a path that leads nowhere.

    Raises:
      UserError: there is nothing.
    """
    if not os.fspath(path) or not file.exists():
        raise UserError(
            f"expected a folder of images or a feature file ({FILES}) at "
            f"{os.fspath(path)!r}, found nothing: check the path"
        )


def check_no_columns(asked: Asked, file: pathlib.Path) -> None:
    """Refuses names of columns for what has none.

    Raises:
      UserError: a column was named.
    """
    if asked != NOTHING:
        named = ", ".join(f"{name} {value!r}" for name, value in asked.record().items())
        raise UserError(
            f"expected a table (.npz, .parquet, .csv) with {named}, found "
            f"{str(file)!r}, whose columns have no names: leave that out"
        )


def another_kind(file: pathlib.Path) -> UserError:
    """The mistake of a file with an ending that is not known."""
    return UserError(
        f"expected a folder of images or a file that ends in one of {FILES}, found "
        f"{file.suffix.lower() or 'no ending'} in {str(file)!r}: convert it, or give "
        "the folder of the images"
    )


def _of_features(
    file: pathlib.Path,
    features: np.ndarray,
    stored_ids: np.ndarray | None,
    roles: Roles | None,
    progress: bool,
) -> Source:
    features = _matrix(file, features)
    if stored_ids is None:
        ids = np.arange(len(features)).astype(str)
    else:
        ids = _ids(file, stored_ids, len(features))
    fingerprint = fingerprint_of_rows(features, ids, progress=progress)
    return Source(file, ids, None, features, (), Skipped(), fingerprint, roles=roles)


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
    """Names, str `[n]`, once they are one a row and distinct."""
    if stored.shape != (n,):
        raise UserError(
            f"expected {n} ids in {str(file)!r}, one a row, found shape "
            f"{list(stored.shape)}"
        )
    row_of: dict[str, int] = {}
    for row, name in enumerate(stored.tolist()):
        first = row_of.setdefault(name, row)
        if first != row:
            raise UserError(
                f"expected distinct ids in {str(file)!r}, found {name!r} in rows "
                f"{first} and {row}: keep one row of each, or choose another column "
                "with --ids (ids= in Python)"
            )
    return stored
