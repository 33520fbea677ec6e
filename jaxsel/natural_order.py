"""The order of files that form one pool: shard-2 before shard-10.

A writer that numbers its files without leading zeros means the order of the numbers,
and names or labels that are kept beside the files follow that order too.
"""

import os
import pathlib
import re
import unicodedata
from typing import Any

_NUMBER = re.compile(r"([0-9]+)")


def natural_key(path: str | os.PathLike[str]) -> tuple[Any, ...]:
    """A sort key under which numbers in names are compared as numbers.

    Paths are compared folder by folder. Within a name, runs of the digits 0 to 9 are
    whole numbers whatever their leading zeros, and the text between them is compared
    without regard to case. Names that are equal by this rule (`s-01` and `s-1`, `A` and
    `a`) follow the order of their characters, so that the order is the same on every
    machine and never that of the file system. A point is text: 0.5 comes before 0.10.

    Args:
      path: a file or a folder.

    Returns:
      A tuple for `sorted(paths, key=natural_key)`.

    Example:
      >>> sorted(["s-10.npy", "s-2.npy", "S-1.npy", "s-01.npy"], key=natural_key)
      ['S-1.npy', 's-01.npy', 's-2.npy', 's-10.npy']
      >>> sorted(["b10/0.npy", "b9/1.npy", "b9/0.npy"], key=natural_key)
      ['b9/0.npy', 'b9/1.npy', 'b10/0.npy']
    """
    return tuple(map(_name_key, pathlib.PurePath(path).parts)), os.fspath(path)


def _name_key(name: str) -> tuple[Any, ...]:
    # Text and numbers alternate, so that a text never meets a number.
    parts = _NUMBER.split(unicodedata.normalize("NFC", name).casefold())
    return tuple(int(part) if i % 2 else part for i, part in enumerate(parts))
