"""Headers of NumPy's `.npy` format, checked before anything is allocated or read.

NumPy takes shapes such as `(-4, -4)` or `(True, 4)` as it finds them, and fails later
in ways of its own: with an `OverflowError`, or by asking for terabytes of memory. Here
a header is refused that `numpy.save` could not have written, and so is a shape that
needs more bytes than there are.
"""

import io
import math
import os
import pathlib
import warnings
import zipfile
from typing import IO, Any, NamedTuple

import numpy as np

_MAGIC = b"\x93NUMPY"
# Bytes of the field with the header's length, by version of the format.
_LENGTH = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
# NumPy's own limit; plain numbers need about 100 bytes.
_LONGEST = 10_000


class Header(NamedTuple):
    """What a header says.

    Attributes:
      shape: of the array.
      fortran: whether the first index varies fastest in the file.
      dtype: of the numbers, in the byte order of the file.
      offset: bytes before the first number.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: IO[bytes], size: int, *, objects: bool = False) -> Header:
    """Reads the header at the beginning of a stream.

    Args:
      stream: at its beginning; it is left at the first number.
      size: bytes of the whole stream.
      objects: whether an array of Python objects is described; it is never read.

    Returns:
      The header.

    Raises:
      ValueError: this is no `.npy` header, its shape is none, it holds Python objects,
        or the numbers need more bytes than there are; a reason on one line.

    Example:
      >>> file = io.BytesIO()
      >>> np.save(file, np.zeros((3, 2), np.float32))
      >>> size = file.tell()
      >>> header = read_header(io.BytesIO(file.getvalue()), size)
      >>> header.shape, header.dtype.name, header.offset + header.nbytes == size
      ((3, 2), 'float32', True)
    """
    start = stream.read(8)
    version = tuple(start[6:8])
    if start[:6] != _MAGIC or version not in _LENGTH:
        raise ValueError("it does not begin as NumPy's format does")
    field = stream.read(_LENGTH[version])
    length = int.from_bytes(field, "little")
    if len(field) < _LENGTH[version] or length > min(_LONGEST, size):
        raise ValueError(f"its header has {length} bytes, more than there may be")
    text = stream.read(length)
    shape, fortran, dtype = _parsed(io.BytesIO(field + text), version)
    if not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError(f"its shape is {shape}, where whole numbers from 0 are due")
    header = Header(shape, fortran, dtype, len(start) + len(field) + length)
    if dtype.hasobject and objects:
        return header  # Pickled, they take any number of bytes.
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    if header.nbytes > size - header.offset:
        raise ValueError(
            f"it is truncated: shape {shape} of {dtype} takes {header.nbytes} bytes, "
            f"and there are {max(0, size - header.offset)}"
        )
    return header


def _parsed(stream: IO[bytes], version: tuple[int, ...]) -> tuple[Any, bool, np.dtype]:
    # Version 3 is version 2 in UTF-8, which only names of fields can need.
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a header in the manner of Python 2
            return read(stream)
    except Exception as error:  # the parsers of Python raise kinds of their own
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"its header cannot be read: {reason}") from error


def load_npy(file: pathlib.Path, *, mapped: bool = False) -> np.ndarray:
    """As `numpy.load` of an `.npy` file, with its header checked first.

    Args:
      file: the file.
      mapped: whether the numbers stay in the file.

    Raises:
      OSError: the file cannot be opened.
      ValueError: as `read_header`.
    """
    with file.open("rb") as stream:
        if stream.read(4) == b"PK\x03\x04":
            raise ValueError("it is an .npz: rename it")
        stream.seek(0)
        header = read_header(stream, os.fstat(stream.fileno()).st_size)
        if not mapped or header.nbytes == 0:  # nothing cannot be mapped
            stream.seek(0)
            return np.load(stream, allow_pickle=False)
    return np.load(file, mmap_mode="r", allow_pickle=False)


def load_member(archive: Any, name: str) -> np.ndarray:
    """As `archive[name]` of an open `.npz`, with the member's header checked first.

    Args:
      archive: what `numpy.load` returned for the `.npz`.
      name: of an array in it.

    Raises:
      KeyError: there is no such array.
      ValueError: as `read_header`.
    """
    zipped: zipfile.ZipFile = archive.zip
    inside = f"{name}.npy" if f"{name}.npy" in zipped.namelist() else name
    with zipped.open(inside) as stream:
        read_header(stream, zipped.getinfo(inside).file_size)
    return archive[name]
