"""What every shard of a pool has: its size as it was when opened, checked when read."""

import os
import pathlib
from typing import NamedTuple, Protocol

import ml_dtypes
import numpy as np

from jaxsel.errors import UserError
from jaxsel.roles import Roles

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
# Types that rows keep; any other type of number is read as float32.
KEPT = (np.dtype(np.float32), np.dtype(np.float16), BFLOAT16, np.dtype(np.int8))


class Stamp(NamedTuple):
    """A file as it was found.

    Attributes:
      size: bytes.
      modified: nanoseconds, of the system's clock.
    """

    size: int
    modified: int


class Shard(Protocol):
    """Rows of one file.

    Attributes:
      path: the file.
      stamp: the file when it was opened.
      n: rows.
      d: numbers a row.
      dtype: of the rows that `read` and `take` return.
      held: bytes that a reading holds beside the rows that it returns.
      roles: what the columns of a table are; None where the file is a bare matrix.
    """

    path: pathlib.Path
    stamp: Stamp
    n: int
    d: int
    dtype: np.dtype
    held: int

    @property
    def roles(self) -> Roles | None:
        """See the attributes."""
        ...

    def exact(self) -> "Shard":
        """The same rows in float64 where the file holds more than float32 can."""
        ...

    def read(self, start: int, out: np.ndarray) -> int:
        """Fills `out` `[m, d]` from row `start` on; returns the bytes read."""
        ...

    def take(self, rows: np.ndarray, out: np.ndarray) -> int:
        """Fills `out` `[m, d]` with the rows `[m]`, ascending; returns bytes read."""
        ...

    def names(self, rows: np.ndarray) -> np.ndarray | None:
        """The ids of rows `[m]`, ascending: str `[m]`; None where there are none."""
        ...


def stamp_of(path: pathlib.Path) -> Stamp:
    """Size and time of a file.

    Raises:
      UserError: there is no such file.
    """
    try:
        found = os.stat(path)
    except OSError as error:
        raise UserError(
            f"expected a shard of the pool at {str(path)!r}, found: {error.strerror}; "
            "restore the file, or leave it out of the pool"
        ) from error
    return Stamp(found.st_size, found.st_mtime_ns)


def check_unchanged(path: pathlib.Path, before: Stamp) -> None:
    """Refuses a file that is not what it was when the pool was opened.

    Raises:
      UserError: it is gone, shorter, longer or written anew.
    """
    now = stamp_of(path)
    if now == before:
        return
    if now.size < before.size:
        what = f"cut to {now.size} bytes"
    elif now.size > before.size:
        what = f"grown to {now.size} bytes"
    else:
        what = "written anew"
    raise UserError(
        f"expected {str(path)!r} to stay as it was opened, of {before.size} bytes, "
        f"found it {what} while it is read: open the pool again once the file is whole"
    )


def delivered(dtype: np.dtype) -> np.dtype:
    """The type in which rows of a file's type are handed out."""
    return dtype if dtype in KEPT else np.dtype(np.float32)


def check_number(dtype: np.dtype, path: pathlib.Path) -> None:
    """Refuses what is no number, and bits whose meaning the file does not tell.

    Raises:
      UserError: complex, text, objects; or uint16, which may be bfloat16.
    """
    if dtype == np.uint16:
        raise UserError(
            f"expected numbers whose meaning is plain in {str(path)!r}, found uint16: "
            'if these are the bits of bfloat16, open the pool with dtype="bfloat16"; '
            "if they are integers, store them as float32"
        )
    if dtype not in KEPT and dtype.kind not in "fiu":
        raise UserError(
            "expected float32, float16, bfloat16, int8 or other real numbers in "
            f"{str(path)!r}, found {dtype}: convert it"
        )
