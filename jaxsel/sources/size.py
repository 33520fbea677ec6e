"""How large a source is, from what it says of itself: nothing is decoded or loaded."""

import os
import pathlib
from typing import NamedTuple

import numpy as np

from jaxsel.errors import UserError
from jaxsel.features.parquet import table_size
from jaxsel.features.store import open_folder
from jaxsel.roles import NOTHING, Asked, Roles
from jaxsel.sources.arrays import headers, read_npy, roles_of_npz
from jaxsel.sources.opening import STORED, another_kind, check_no_columns, check_there
from jaxsel.sources.spreadsheet import ENDINGS, read_csv
from jaxsel.sources.walk import find_images


class Size(NamedTuple):
    """Of a source.

    Attributes:
      rows: examples. Of a folder, files that are images by their names: some may turn
        out not to be readable.
      features: of a row; `None` for images.
      dtype: of the features, as NumPy names it.
      mapped: the features stay in their file while they are used.
      roles: what the columns of a table are, as `opening.open_source` finds them; but
        whether ids are distinct is not looked at.
    """

    rows: int
    features: int | None
    dtype: str = "float32"
    mapped: bool = False
    roles: Roles | None = None


def size_of(path: str | os.PathLike[str], asked: Asked = NOTHING) -> Size:
    """Asks a source for its size alone: headers of files, names in folders.

    Of text, which has no header, all is read.

    Args:
      path: as `opening.open_source` takes it.
      asked: what the caller says of the columns of a table.

    Returns:
      The size.

    Raises:
      UserError: nothing there, or no matrix or images in it.

    Example:
      >>> import tempfile
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "rows.npz"
      >>> np.savez(file, features=np.zeros((3, 2)))
      >>> size_of(file)[:4]
      (3, 2, 'float64', False)
    """
    file = pathlib.Path(path).expanduser()
    check_there(path, file)
    if file.is_dir():
        check_no_columns(asked, file)
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
            check_no_columns(asked, file)
            array = read_npy(file)
            return _matrix(file, array.shape, array.dtype.name, True)
        case ".npz":
            known = headers(file)
            roles = roles_of_npz(file, known, asked)
            roles = roles.named_by(roles.ids[0] if roles.ids else None)
            header = known[roles.features[0]]
            return _matrix(file, header.shape, header.dtype.name, False, roles)
        case ".parquet":
            size, dtype, roles = table_size(file, asked)
            return _matrix(file, size, dtype, False, roles)
        case ending if ending in ENDINGS:
            found = read_csv(file, asked)
            rows = found.rows
            return _matrix(file, rows.shape, rows.dtype.name, False, found.roles)
    raise another_kind(file)


def _matrix(
    file: pathlib.Path,
    shape: tuple[int, ...],
    dtype: str,
    mapped: bool,
    roles: Roles | None = None,
) -> Size:
    if len(shape) != 2 or 0 in shape:
        raise UserError(
            f"expected features of shape [n, d], one row an example, in {str(file)!r}, "
            f"found {list(shape)}"
        )
    return Size(*shape, dtype, mapped, roles)
