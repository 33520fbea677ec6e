"""The images below a folder: each once, in one order, whatever the names and links."""

import heapq
import os
import pathlib
from typing import NamedTuple

from jaxsel.sources.kinds import NOT_READ
from jaxsel.sources.source import Skipped, Unreadable

PICTURE_SUFFIXES = frozenset(
    {
        ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp",
        ".webp", ".gif",
    }
)  # fmt: skip
DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})
_DICOM_MARK = (128, b"DICM")


class Found(NamedTuple):
    """What a folder holds, before any image is decoded.

    Attributes:
      images: (id, path), by ascending id.
      unreadable: folders that cannot be listed, links that lead nowhere, and pictures
        of formats that are not read (`kinds.NOT_READ`).
      skipped: how much is no image.
    """

    images: tuple[tuple[str, pathlib.Path], ...]
    unreadable: tuple[Unreadable, ...]
    skipped: Skipped


def id_of(relative: str) -> str:
    r"""The id of a file below a folder: text that UTF-8 can write.

    A path that is UTF-8 is its own id. In any other the bytes that are not are written
    `\xNN`, a backslash is doubled, and "./" goes before it: no path of the first kind
    begins so, hence no two files share an id.

    Args:
      relative: path below the folder with "/", as `os` functions give it (bytes that do
        not decode are lone surrogates).

    Returns:
      The id.

    Example:
      >>> print(id_of("scans/größe 1.png"), id_of("caf\udce9.png"))
      scans/größe 1.png ./caf\xe9.png
    """
    raw = os.fsencode(relative)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        escaped = raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
        return f"./{escaped}"


def find_images(root: pathlib.Path) -> Found:
    """Lists the images below a folder, at any depth.

    What counts is the name: `PICTURE_SUFFIXES` and `DICOM_SUFFIXES` in either case, and
    DICOM's mark in files without a suffix or with a number for one (as in
    `1.2.840.10008`). Links to files and folders are followed. A folder is listed once,
    under the path that leads to it without links where there is one, else under the
    first by name: loops end, and a folder's links to itself repeat nothing.

    Args:
      root: the folder.

    Returns:
      Images by id, what could not be read, and counts of the rest.

    Example:
      >>> import tempfile
      >>> root = pathlib.Path(tempfile.mkdtemp())
      >>> (root / "a").mkdir()
      >>> for name in ("b.PNG", "a/c.jpg", ".hidden.png", "notes.txt"):
      ...     (root / name).touch()
      >>> found = find_images(root)
      >>> [name for name, _ in found.images], found.skipped
      (['a/c.jpg', 'b.PNG'], Skipped(hidden=1, other=1, repeated=0))
    """
    images: list[tuple[str, pathlib.Path]] = []
    unreadable: list[Unreadable] = []
    hidden = other = repeated = 0
    seen: set[tuple[int, int]] = set()
    plain, linked = [""], list[str]()
    while plain or linked:
        if plain:
            folder = plain.pop()
        else:
            folder = heapq.heappop(linked)
        try:
            status = os.stat(root / folder)
            if (status.st_dev, status.st_ino) in seen:
                repeated += 1
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(root / folder) as listing:
                entries = list(listing)
        except OSError as error:
            unreadable.append(Unreadable(f"{id_of(folder)}/", _words(error)))
            continue
        for entry in entries:
            relative = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith("."):
                hidden += 1
                continue
            try:
                if entry.is_dir():
                    if entry.is_symlink():
                        heapq.heappush(linked, relative)
                    else:
                        plain.append(relative)
                elif (reason := NOT_READ.get(_suffix(entry.name))) is not None:
                    unreadable.append(Unreadable(id_of(relative), reason))
                elif not _is_image(entry):
                    other += 1
                elif entry.is_file():
                    images.append((id_of(relative), root / relative))
                elif entry.is_symlink() and not os.path.exists(entry.path):
                    nowhere = "a link that leads nowhere"
                    unreadable.append(Unreadable(id_of(relative), nowhere))
                else:  # a pipe or the like, on which reading could wait for ever
                    other += 1
            except OSError as error:
                unreadable.append(Unreadable(id_of(relative), _words(error)))
    return Found(
        tuple(sorted(images)),
        tuple(sorted(unreadable)),
        Skipped(hidden, other, repeated),
    )


def is_dicom(path: pathlib.Path) -> bool:
    """Whether a file that `find_images` took is to be read as DICOM."""
    return path.suffix.lower() not in PICTURE_SUFFIXES


def _is_image(entry: os.DirEntry[str]) -> bool:
    suffix = _suffix(entry.name)
    if suffix in PICTURE_SUFFIXES or suffix in DICOM_SUFFIXES:
        return True
    if (suffix and not suffix[1:].isdecimal()) or not entry.is_file():
        return False
    offset, mark = _DICOM_MARK
    with open(entry.path, "rb") as stream:
        return stream.read(offset + len(mark))[offset:] == mark


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
