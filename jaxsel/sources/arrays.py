"""Feature files of NumPy: `.npy`, memory-mapped, and `.npz`, by the arrays' names."""

import pathlib

import numpy as np

from jaxsel.errors import UserError
from jaxsel.npy_header import load_member, load_npy


def read_npy(file: pathlib.Path) -> np.ndarray:
    """Maps an `.npy` file; nothing but its header is read yet.

    Args:
      file: the file.

    Returns:
      The array, read-only. (Numbers in another machine's byte order are read into
      memory in this one's.)

    Raises:
      UserError: the file is damaged, truncated, or holds Python objects.
    """
    try:
        return load_npy(file, mapped=True)
    except (OSError, ValueError) as error:
        raise _damaged(file, error) from error


def read_npz(file: pathlib.Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads a matrix and its ids from an `.npz`.

    The matrix is the array called `features` or else the only one of two dimensions;
    the ids are the array called `ids`, where there is one.

    Args:
      file: the file.

    Returns:
      The matrix and the ids (or `None`), as stored.

    Raises:
      UserError: the file is damaged or holds Python objects, or no or several arrays
        could be meant.
    """
    try:
        # A stream of ours is closed whatever becomes of the file.
        with file.open("rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            names = list(loaded.files)
            ids = load_member(loaded, "ids") if "ids" in names else None
            if "features" in names:
                return load_member(loaded, "features"), ids
            matrices = {}
            for name in names:
                if name != "ids" and (array := load_member(loaded, name)).ndim == 2:
                    matrices[name] = array
    except Exception as error:  # zipfile, zlib and NumPy each raise their own kinds
        raise _damaged(file, error) from error
    if len(matrices) != 1:
        raise UserError(
            f"expected an array called features, or one matrix, in {str(file)!r}, "
            f"found {' and '.join(sorted(matrices)) or 'no matrix'} among "
            f"{', '.join(sorted(names)) or 'no arrays'}: call one features"
        )
    return next(iter(matrices.values())), ids


def _damaged(file: pathlib.Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return UserError(
        f"expected a readable NumPy file of numbers, found {str(file)!r} damaged or of "
        f"another kind ({reason}): write it again"
    )
