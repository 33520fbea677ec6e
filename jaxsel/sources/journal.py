"""Features of a folder's images on disk: added to as they are made, never in part.

A folder holds `rows-G.f32` (float32 rows, one behind the other) and `journal.jsonl`,
whose first line says what made the rows and which file has them, and whose other lines
each add files: what a file was like, its SHA-256, and its row. Rows reach the disk
before the line that speaks of them, so what the lines say is there after any kill.

A file that is as it was (`jaxsel.sources.stat`) is not read. Any other is, and its
SHA-256 says whether a row of it is known, under this name or another.
"""

import json
import os
import pathlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from jaxsel.files import append_lines, replacing
from jaxsel.sources.stat import Stat

VERSION = 1
JOURNAL = "journal.jsonl"
_BLOCK = 4096  # rows of a checksum, when all are written at once


class File(NamedTuple):
    """A file whose features are known.

    Attributes:
      stat: what it was like when it was read.
      digest: SHA-256 of its content.
      row: of its features.
    """

    stat: Stat
    digest: str
    row: int


class Journal:
    """The features of a folder's images, by id and by content.

    Attributes:
      files: by id.
    """

    def __init__(self, place: pathlib.Path, about: Mapping[str, Any]) -> None:
        """Opens the journal in a folder, or begins one.

        What is damaged is left out with a warning: those images are encoded again. The
        caller sees to it that no other process works in the folder.

        Args:
          place: the folder.
          about: what makes the rows; a journal of anything else is begun again.
        """
        self._place, self._about = place, json.loads(json.dumps(dict(about)))
        self.files: dict[str, File] = {}
        self._rows_of: dict[str, int] = {}
        self._written = self._width = self._generation = self._lines = 0
        place.mkdir(parents=True, exist_ok=True)
        if not self._read():
            self._begin()
        for old in place.glob("rows-*.f32"):
            if old != self._file:
                old.unlink()

    def row_of(self, digest: str) -> int | None:
        """The row of a content, under whatever name."""
        return self._rows_of.get(digest)

    def add(self, rows: np.ndarray, files: Mapping[str, File]) -> None:
        """Adds rows and the files that they, or earlier rows, are of.

        Args:
          rows: float32 `[m, d]`, m may be 0; they get the numbers from `len(self)` on.
          files: by id, with the numbers of their rows.
        """
        first, data = self._written, np.ascontiguousarray(rows, np.float32).tobytes()
        line: dict[str, Any] = {"files": _as_json(files)}
        if data:
            self._width = self._width or rows.shape[1]
            with self._file.open("r+b" if self._file.exists() else "w+b") as stream:
                stream.truncate(first * 4 * self._width)
                stream.seek(0, os.SEEK_END)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            line["rows"] = [first, len(rows), self._width, zlib.crc32(data)]
            self._written += len(rows)
        append_lines(self._place / JOURNAL, json.dumps(line) + "\n")
        self._take(files)

    def __len__(self) -> int:
        """How many rows there are."""
        return self._written

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """The features of the given images, mapped from disk.

        Where their rows do not lie one behind the other from the first on, all rows
        are written once more in this order, and behind them those of files that are no
        longer asked for, as many as are asked for at the most.

        Args:
          ids: of known files.

        Returns:
          float32 `[n, d]`, read-only.
        """
        wanted = [self.files[name].row for name in ids]
        if wanted != list(range(len(ids))) or self._lines > len(self.files) + 64:
            self._rewrite(list(ids))
        if not len(ids):
            return np.empty((0, self._width), np.float32)
        shape = (len(ids), self._width)
        return np.memmap(self._file, np.float32, "r", shape=shape)

    @property
    def _file(self) -> pathlib.Path:
        return self._place / f"rows-{self._generation}.f32"

    def _take(self, files: Mapping[str, File]) -> None:
        self._lines += len(files)
        self.files.update(files)
        self._rows_of.update((file.digest, file.row) for file in files.values())

    def _begin(self) -> None:
        self._file.unlink(missing_ok=True)
        with replacing(self._place / JOURNAL) as part:
            part.write_text(self._header())

    def _header(self) -> str:
        told = {"version": VERSION, "generation": self._generation}
        return json.dumps({**told, "about": self._about}) + "\n"

    def _read(self) -> bool:
        """Reads the journal; False where there is none of this kind."""
        try:
            text = (self._place / JOURNAL).read_text(encoding="utf-8")
            # A line that was cut off has not been written: `append_lines` drops it.
            lines = text[: text.rfind("\n") + 1].splitlines()
            header = json.loads(lines[0])
            if header["version"] != VERSION or header["about"] != self._about:
                return False
            self._generation = int(header["generation"])
            damaged = np.zeros(0, bool)
            for line in map(json.loads, lines[1:]):
                if "rows" in line:
                    first, count, self._width, checksum = line["rows"]
                    good = self._sound(first, count, checksum)
                    damaged = np.append(damaged[:first], np.full(count, not good))
                    self._written = first + count
                files = _of_json(line["files"])
                self._take({k: f for k, f in files.items() if not damaged[f.row]})
        except FileNotFoundError:
            return False
        except (OSError, ValueError, LookupError, TypeError) as error:
            logging.warning("features in %s are damaged (%s)", self._place, error)
            self.files, self._rows_of = {}, {}
            self._written = self._width = self._generation = self._lines = 0
            return False
        size = 4 * self._width * self._written
        if self._file.exists() and self._file.stat().st_size < size:
            os.truncate(self._file, size)
        if damaged.any():
            logging.warning(
                "%d of %d rows in %s are damaged: their images are encoded again",
                damaged.sum(), len(damaged), self._file,
            )  # fmt: skip
        return True

    def _sound(self, first: int, count: int, checksum: int) -> bool:
        size = 4 * self._width
        try:
            with self._file.open("rb") as stream:
                stream.seek(first * size)
                data = stream.read(count * size)
        except OSError:
            return False
        return len(data) == count * size and zlib.crc32(data) == checksum

    def _rewrite(self, ids: list[str]) -> None:
        """Writes rows in the order of the ids, then others, and the journal of them."""
        asked = set(ids)
        others = [name for name in self.files if name not in asked][: len(ids)]
        names = [*ids, *others]
        files = {k: self.files[k]._replace(row=r) for r, k in enumerate(names)}
        places = np.array([self.files[name].row for name in names], np.int64)
        before = np.memmap(
            self._file, np.float32, "r", shape=(self._written, self._width)
        )
        self._generation += 1
        lines = [self._header()]
        with replacing(self._file) as part, part.open("wb") as stream:
            for start in range(0, len(names), _BLOCK):
                data = before[places[start : start + _BLOCK]].tobytes()
                stream.write(data)
                some = names[start : start + _BLOCK]
                told = [start, len(some), self._width, zlib.crc32(data)]
                entries = _as_json({name: files[name] for name in some})
                lines.append(json.dumps({"files": entries, "rows": told}) + "\n")
        old = self._place / f"rows-{self._generation - 1}.f32"
        with replacing(self._place / JOURNAL) as part:
            part.write_text("".join(lines), encoding="utf-8")
        # Who has the old rows mapped keeps them until it lets go.
        old.unlink()
        self._written, self._lines = len(names), len(names)
        self.files, self._rows_of = {}, {}
        self._take(files)
        self._lines = len(names)


def files_of_line(line: str) -> dict[str, File]:
    """The files that a line of a journal, behind the first, adds."""
    return _of_json(json.loads(line)["files"])


def _as_json(files: Mapping[str, File]) -> list[list[Any]]:
    return [[name, *f.stat, f.digest, f.row] for name, f in files.items()]


def _of_json(entries: list[list[Any]]) -> dict[str, File]:
    return {e[0]: File(Stat(*e[1:5]), e[5], e[6]) for e in entries}
