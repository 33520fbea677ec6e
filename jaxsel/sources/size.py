"""How large a source is, from what it says of itself: nothing is decoded or loaded."""

import os
import pathlib
import zipfile
from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.features.store import open_folder
from jaxsel.npy_header import read_header
from jaxsel.sources.arrays import read_npy
from jaxsel.sources.opening import STORED
from jaxsel.sources.table import table_size
from jaxsel.sources.walk import find_images


class Size(NamedTuple):
    """Of a source.

    Attributes:
      rows: examples. Of a folder, files that are images by their names: some may turn
        out not to be readable.
      features: of a row; `None` for images.
      dtype: of the features, as NumPy names it.
      mapped: the features stay in their file while they are used.
    """

    rows: int
    features: int | None
    dtype: str = "float32"
    mapped: bool = False


def size_of(path: str | os.PathLike[str]) -> Size:
    """Asks a source for its size alone: headers of files, names in folders.

    Args:
      path: as `opening.open_source` takes it.

    Returns:
      The size.

    Raises:
      UserError: nothing there, or no matrix or images in it.

    Example:
      >>> import tempfile
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "rows.npz"
      >>> np.savez(file, features=np.zeros((3, 2)))
      >>> size_of(file)
      Size(rows=3, features=2, dtype='float64', mapped=False)
    """
    file = pathlib.Path(path).expanduser()
    if not os.fspath(path) or not file.exists():
        raise UserError(
            "expected a folder of images or a feature file (.npy, .npz, .parquet) at "
            f"{os.fspath(path)!r}, found nothing: check the path"
        )
    if file.is_dir():
        if all((file / name).exists() for name in STORED):
            rows = open_folder(file).rows
            mapped = isinstance(rows, np.memmap) and rows.dtype.kind == "f"
            return _matrix(file, rows.shape, rows.dtype.name, mapped)
        images = len(find_images(file).images)
        if not images:
            raise UserError(
                f"expected images in or below {str(file)!r}, found none: give another "
                "folder"
            )
        return Size(images, None)
    match file.suffix.lower():
        case ".npy":
            array = read_npy(file)
            return _matrix(file, array.shape, array.dtype.name, True)
        case ".npz":
            return _matrix(file, *_header(file), False)
        case ".parquet":
            return _matrix(file, *table_size(file), False)
        case other:
            raise UserError(
                "expected a folder of images or a file that ends in .npy, .npz or "
                f".parquet, found {other or 'no ending'} in {str(file)!r}: convert it, "
                "or give the folder of the images"
            )


def _matrix(file: pathlib.Path, shape: tuple[int, ...], dtype: str, mapped) -> Size:
    if len(shape) != 2 or 0 in shape:
        raise UserError(
            f"expected features of shape [n, d], one row an example, in {str(file)!r}, "
            f"found {list(shape)}"
        )
    return Size(*shape, dtype, mapped)


def _header(file: pathlib.Path) -> tuple[tuple[int, ...], str]:
    """Shape and type of the matrix in an `.npz`: `features`, or else the only one."""
    known: dict[str, tuple[tuple[int, ...], str]] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                with archive.open(name) as stream:
                    header = read_header(stream, archive.getinfo(name).file_size)
                told = header.shape, header.dtype.name
                known[name.removesuffix(".npy")] = told
    except Exception as error:  # zipfile, zlib and NumPy each raise their own kinds
        raise UserError(
            f"expected a readable NumPy file of numbers, found {str(file)!r} damaged "
            f"or of another kind ({error}): write it again"
        ) from error
    if "features" in known:
        return known["features"]
    found = [of for name, of in known.items() if name != "ids" and len(of[0]) == 2]
    if len(found) != 1:
        raise UserError(
            f"expected an array called features, or one matrix, in {str(file)!r}, "
            f"found {len(found)}: call one features"
        )
    return found[0]
