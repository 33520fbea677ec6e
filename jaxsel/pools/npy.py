"""A shard in NumPy's own format, read at positions of the file."""

import copy
import os
import pathlib
from typing import BinaryIO

import numpy as np

from jaxsel.errors import UserError
from jaxsel.npy_header import read_header
from jaxsel.pools.shard import (
    BFLOAT16,
    Stamp,
    check_number,
    check_unchanged,
    delivered,
    stamp_of,
)
from jaxsel.roles import Roles

# Rows this near in the file are read together: a seek costs as much.
NEAR_BYTES = 1 << 14
# Rows of another type than those kept are converted so many bytes at a time.
CONVERTED_BYTES = 1 << 20


class NpyShard:
    """An array `[n, d]` in a `.npy` file; see `jaxsel.pools.shard.Shard`."""

    def __init__(self, path: pathlib.Path, dtype: str | None = None) -> None:
        """Reads the header.

        Args:
          path: the file.
          dtype: "bfloat16" where the file holds its bits as uint16.

        Raises:
          UserError: no `.npy` file, not `[n, d]`, truncated or too long, no numbers.
        """
        self.path = path
        self.roles: Roles | None = None
        self.stamp: Stamp = stamp_of(path)
        shape, found, self._offset = _header(path, self.stamp.size)
        # Numbers in another machine's byte order are turned once they are read.
        self._turned = not found.isnative
        self._raw = found.newbyteorder("=")
        if self._raw == np.dtype("V2") or (
            dtype == "bfloat16" and self._raw == np.uint16
        ):
            self._raw = BFLOAT16
        check_number(self._raw, path)
        self.n, self.d = shape
        self.dtype = delivered(self._raw)
        self._row_bytes = self.d * self._raw.itemsize
        self.held = 0 if self.dtype == self._raw else CONVERTED_BYTES
        expected = self._offset + self.n * self._row_bytes
        if self.stamp.size > expected:  # a shorter one is refused with its header
            raise UserError(
                f"expected {expected} bytes for {self.n} rows of {self.d} {self._raw} "
                f"in {str(path)!r}, found {self.stamp.size}: the file is too long; "
                "wait until it is whole, or write it again"
            )

    def exact(self) -> "NpyShard":
        """The same rows in float64 where the file holds more than float32 can."""
        if self._raw.kind != "f" or self._raw.itemsize <= 4:
            return self
        other = copy.copy(self)
        other.dtype = np.dtype(np.float64)
        other.held = CONVERTED_BYTES
        return other

    def read(self, start: int, out: np.ndarray) -> int:
        """Fills `out` with the rows from `start` on; returns the bytes read."""
        with self._open() as file:
            return self._read(file, start, out)

    def take(self, rows: np.ndarray, out: np.ndarray) -> int:
        """Fills `out` with the given rows, ascending, repeats allowed."""
        gap = max(1, NEAR_BYTES // self._row_bytes)
        ends = np.flatnonzero(np.diff(rows) > gap) + 1
        done = 0
        with self._open() as file:
            for begin, end in zip([0, *ends], [*ends, len(rows)], strict=True):
                first, last = int(rows[begin]), int(rows[end - 1])
                if last - first == end - begin - 1:  # one row, or a run of them
                    done += self._read(file, first, out[begin:end])
                    continue
                window = np.empty((last - first + 1, self.d), self.dtype)
                done += self._read(file, first, window)
                out[begin:end] = window[rows[begin:end] - first]
        return done

    def names(self, rows: np.ndarray) -> np.ndarray | None:
        """The ids of rows `[m]`, out of `ids.npy` of a folder of `jaxsel features`."""
        file = self.path.with_name("ids.npy")
        if self.path.name != "features.npy" or not file.is_file():
            return None
        try:
            ids = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise UserError(
                f"expected ids that can be read at {str(file)!r}, found: {error}"
            ) from error
        if ids.shape != (self.n,) or ids.dtype.kind != "U":
            raise UserError(
                f"expected {self.n} ids as text in {str(file)!r}, one a row of "
                f"{self.path.name}, found {ids.dtype} {list(ids.shape)}: restore it"
            )
        return np.array(ids[rows])

    def _open(self) -> BinaryIO:
        check_unchanged(self.path, self.stamp)
        try:
            return self.path.open("rb", buffering=0)  # type: ignore[return-value]
        except OSError as error:
            raise UserError(
                f"expected a shard that can be read at {str(self.path)!r}, found: "
                f"{error.strerror}"
            ) from error

    def _read(self, file: BinaryIO, start: int, out: np.ndarray) -> int:
        if self._raw == out.dtype and out.flags.c_contiguous:
            self._fill(file, start, out)
        else:
            step = max(1, CONVERTED_BYTES // self._row_bytes)
            for at in range(0, len(out), step):
                part = np.empty(out[at : at + step].shape, self._raw)
                self._fill(file, start + at, part)
                with np.errstate(over="ignore"):  # Looked at by the first pass.
                    out[at : at + step] = part
        return len(out) * self._row_bytes

    def _fill(self, file: BinaryIO, start: int, out: np.ndarray) -> None:
        view = memoryview(out.view(np.uint8).reshape(-1))  # type: ignore[arg-type]
        position = self._offset + start * self._row_bytes
        while view:
            got = os.preadv(file.fileno(), [view], position)
            if got == 0:
                check_unchanged(self.path, self.stamp)
                raise UserError(
                    f"expected {len(view)} more bytes in {str(self.path)!r}, found "
                    "its end: write the file again"
                )
            view, position = view[got:], position + got
        if self._turned:
            bits = out.view(np.uint16) if out.dtype == BFLOAT16 else out
            bits.byteswap(inplace=True)


def _header(path: pathlib.Path, size: int) -> tuple[tuple[int, int], np.dtype, int]:
    """Shape, type and where the numbers begin."""
    try:
        with path.open("rb") as file:
            header = read_header(file, size)
    except (OSError, ValueError) as error:
        raise UserError(
            f"expected an array of NumPy's format in {str(path)!r}, found none "
            f"({error}): wait until it is whole, or write it with numpy.save"
        ) from error
    shape = header.shape
    if 0 in shape[:1] and len(shape) <= 2:
        return (0, 0), header.dtype, header.offset  # of no rows the width is no matter
    if len(shape) != 2 or 0 in shape:
        raise UserError(
            f"expected an array [n, d] of rows in {str(path)!r}, found shape {shape}"
        )
    if header.fortran and 1 not in shape:
        raise UserError(
            f"expected rows one after the other in {str(path)!r}, found columns one "
            "after the other (Fortran's order): load it, and save "
            "numpy.ascontiguousarray of it"
        )
    return (shape[0], shape[1]), header.dtype, header.offset
