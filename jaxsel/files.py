"""Files written whole or not at all: replace by rename, append by one write."""

import fcntl
import hashlib
import json
import os
import pathlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jaxsel.errors import UserError
from jaxsel.full_disk import named_if_full


@contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a neighbour of `path` to write to, and renames it over `path` at the end.

    A reader sees the old file or the new one, never a part: the neighbour is flushed to
    disk before the rename, and is removed when the body raises.

    Args:
      path: the file to replace; its folder is made when it is missing.

    Raises:
      DiskFull: there is no room; the old file is as it was.

    Example:
      >>> import pathlib, tempfile
      >>> target = pathlib.Path(tempfile.mkdtemp()) / "a" / "note.txt"
      >>> with replacing(target) as part:
      ...     _ = part.write_text("whole")
      >>> target.read_text()
      'whole'
    """
    with named_if_full(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        part = pathlib.Path(name)
        try:
            yield part
            with part.open("rb") as stream:
                os.fsync(stream.fileno())
            # mkstemp makes private files; a result is as readable as any other file.
            umask = os.umask(0)
            os.umask(umask)
            part.chmod(0o666 & ~umask)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def write_text(path: pathlib.Path, text: str) -> None:
    """Replaces `path` by `text`, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: pathlib.Path, value: Any) -> None:
    """Replaces `path` by `value` as indented JSON with sorted keys."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: pathlib.Path) -> Any:
    """Reads a JSON file.

    Raises:
      UserError: the file does not parse; the message names it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"expected JSON in {path}, found text that does not parse ({error}): "
            "restore the file, or start in a new --workdir"
        ) from error


def append_lines(path: pathlib.Path, text: str) -> None:
    """Appends whole lines with one write and waits until the disk has them.

    A line that an earlier process was killed in the middle of is dropped first, so that
    every line of the file was written whole.

    Args:
      path: the file, made when it is missing.
      text: one or more lines, the last one ended by a newline.

    Raises:
      DiskFull: there is no room. (A part of a line that was written is dropped by the
        next call, as after a kill.)
    """
    with named_if_full(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            os.ftruncate(handle, _whole_length(handle))
            os.lseek(handle, 0, os.SEEK_END)
            data = text.encode("utf-8")
            while data:
                data = data[os.write(handle, data) :]
            os.fsync(handle)
        finally:
            os.close(handle)


def _whole_length(handle: int) -> int:
    """Length of an open file up to and with its last newline."""
    end = os.fstat(handle).st_size
    step = 1 << 16
    while end > 0:
        start = max(0, end - step)
        os.lseek(handle, start, os.SEEK_SET)
        newline = os.read(handle, end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def sha256_of_file(path: pathlib.Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_of(value: Any, length: int = 16) -> str:
    """A short SHA-256 of a JSON-able value, independent of the order of its keys.

    Example:
      >>> hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})
      True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:length]


def writable_folder(path: pathlib.Path) -> None:
    """Makes a folder and proves that files can be written there.

    Raises:
      UserError: the folder cannot be made or written; the message says why.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise UserError(
            f"expected a folder that can be written at {path}, found: "
            f"{error.strerror}; choose another folder, or change its permissions"
        ) from error


@contextmanager
def alone_in(path: pathlib.Path, busy: str) -> Iterator[None]:
    """Makes a folder if need be and keeps other processes out of it.

    The lock falls with the process, however it ends.

    Args:
      path: the folder; `.lock` is made in it.
      busy: what to tell a second process, after "expected to be alone in PATH, found ".

    Raises:
      UserError: the folder cannot be written, or another process works in it.
    """
    writable_folder(path)
    with (path / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"expected to be alone in {path}, found {busy}") from error
        yield
