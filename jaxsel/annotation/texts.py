"""Text and JSON of a file or of the one member of an archive, within bounds.

What comes back from a tool may come from anybody. A file, or what an archive unpacks
to, is read up to `MOST` bytes; the size that an archive declares is compared first, and
what is unpacked is counted as well, since the declared size may be wrong. An archive
inside an archive is not opened.

Text is UTF-8, or UTF-16 or UTF-32 with a byte order mark, as spreadsheets save it.
"""

import codecs
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

from jaxsel.errors import UserError, listed, quoted

MOST = 256 << 20  # bytes of text
MOST_MEMBERS = 100_000
_DIRECTORY = 32 << 20  # bytes that list the members
_STEP = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16, whose mark is the beginning of this one's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # a password, or a compression that this Python does not know
    ValueError,
    OverflowError,
)


def text_of(path: Path, what: str) -> str:
    """A file's text, without a byte order mark before it.

    Args:
      path: the file.
      what: what it should be, for the message: "labels".

    Raises:
      UserError: the file is missing, is longer than `MOST` bytes or is no text.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST + 1)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: expected {what} in a readable UTF-8 file, found {error}; "
            "give another file"
        ) from error
    if len(data) > MOST:
        raise UserError(
            f"{path}: expected {what} of at most {MOST >> 20} MiB, found more; split "
            "the file"
        )
    return _decoded(data, str(path), what)


def _decoded(data: bytes, where: str, what: str) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = str(error)
    else:
        if "\0" not in text:
            return text
        reason = "characters of code 0, as UTF-16 without a byte order mark has"
    raise UserError(
        f"{where}: expected {what} in a readable UTF-8 file, found {reason}; save it "
        "again as UTF-8"
    )


def text_or_member(path: Path, what: str, member: str | tuple[str, ...]) -> str:
    """A file's text, or that of the one file in a zip archive whose name ends so.

    Args:
      path: the file or the archive.
      what: what it should be, for a message.
      member: how the name of the archive's file ends, in small letters or capitals;
        of several endings the first that a file has counts.

    Raises:
      UserError: it cannot be read or is no text; the archive holds no such file or
        several, is damaged, or unpacks to more than `MOST` bytes.
    """
    try:
        archived = zipfile.is_zipfile(path)
    except (OSError, ValueError):
        archived = False  # `text_of` says why it cannot be read.
    if not archived:
        return text_of(path, what)
    endings = (member,) if isinstance(member, str) else member
    try:
        with (
            path.open("rb") as stream,
            zipfile.ZipFile(_Guarded(stream, path)) as archive,
        ):
            found = _the_one(archive, path, endings)
            data = _unpacked(archive, found, path)
    except UserError:
        raise
    except _DAMAGE as error:
        raise UserError(
            f"{path}: expected a whole archive with UTF-8 text, found {error}; export "
            "it again, or unpack it and give the file"
        ) from error
    return _decoded(data, f"{path}, {found.filename}", what)


class _Guarded:
    """A stream that refuses to read a list of members that would fill the memory."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path = stream, path

    def read(self, size: int = -1) -> bytes:
        if size > _DIRECTORY:
            raise UserError(
                f"{self._path}: expected an archive of at most {MOST_MEMBERS:,} files, "
                f"found a list of {size:,} bytes; unpack it and give the labels' file"
            )
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _the_one(
    archive: zipfile.ZipFile, path: Path, endings: tuple[str, ...]
) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UserError(
            f"{path}: expected an archive of at most {MOST_MEMBERS:,} files, found "
            f"{len(members):,}; unpack it and give the file with the labels"
        )
    # A Mac puts a shadow of every file beside it.
    real = [
        one
        for one in members
        if not one.is_dir()
        and not one.filename.startswith("__MACOSX/")
        and not os.path.basename(one.filename).startswith("._")
    ]
    for ending in endings:
        fitting = [one for one in real if one.filename.lower().endswith(ending)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            break
    inner = [one.filename for one in real if one.filename.lower().endswith(".zip")]
    nested = f", and an archive in it, {quoted(inner[0])}" if inner else ""
    several = f" ({listed(one.filename for one in fitting)})" if fitting else ""
    raise UserError(
        f"{path}: expected one file *{' or *'.join(endings)} in the archive, found "
        f"{len(fitting)}{several}{nested}; unpack it and give the file"
    )


def _unpacked(archive: zipfile.ZipFile, one: zipfile.ZipInfo, path: Path) -> bytes:
    """The bytes of a member, counted as they come: what it declares may be wrong."""
    if one.file_size > MOST:
        _refuse_size(path, one, f"{one.file_size:,} bytes")
    if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Python unpacks the other kinds a block at a time, however long that gets.
        raise UserError(
            f"{path}: expected {quoted(one.filename)} stored or deflated, found "
            f"compression {one.compress_type}; unpack it and give the file"
        )
    parts, total = [], 0
    with archive.open(one) as stream:
        while part := stream.read(_STEP):
            parts.append(part)
            total += len(part)
            if total > MOST:
                _refuse_size(path, one, "more than it declares")
    if total != one.file_size:
        raise zipfile.BadZipFile(
            f"{total:,} bytes of {one.file_size:,} in {one.filename}"
        )
    return b"".join(parts)


def _refuse_size(path: Path, one: zipfile.ZipInfo, found: str) -> None:
    raise UserError(
        f"{path}: expected {quoted(one.filename)} to unpack to at most {MOST >> 20} "
        f"MiB, found {found}; is it an export? Unpack it and split the file if it is"
    )


def json_of(path: Path, what: str, member: str = ".json") -> Any:
    """The JSON in a file, or in the one file of an archive whose name ends so.

    Raises:
      UserError: it cannot be read or does not parse, an object has a name twice, or the
        archive holds no such file or several.
    """
    return parse_json(text_or_member(path, what, member), path, what)


def parse_json(text: str, path: Path, what: str) -> Any:
    """The JSON of a file's text.

    Raises:
      UserError: it does not parse, or an object has a name twice with two values.
    """
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: expected {what} as JSON, found text that does not parse "
            f"({error}); export it again"
        ) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; Python alone would keep the last of two values and say nothing."""
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if found[name] is not value and found[name] != value:
                raise ValueError(f"an object with {quoted(name)} twice")
    return found
