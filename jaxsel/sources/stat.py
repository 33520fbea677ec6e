"""Whether a file is as it was, by what its entry says and without reading it.

A file is taken to be what it was where its path, size, time of change and time of its
entry's change are as they were, and it was not touched in the two seconds before it was
read (a clock may not tell two changes apart that follow at once).
"""

import os
import pathlib
import time
from typing import NamedTuple

_UNCERTAIN = 2_000_000_000  # nanoseconds


class Stat(NamedTuple):
    """What a file's entry says of it, without the file being read.

    Attributes:
      size: in bytes.
      changed: time of the last change of the content, in nanoseconds.
      touched: time of the last change of the entry; it tells of a content whose time
        was set back.
      seen: when this was looked at.
    """

    size: int
    changed: int
    touched: int
    seen: int

    def same(self, now: "Stat") -> bool:
        """Whether the file is taken to be unchanged, as the module says."""
        settled = max(self.changed, self.touched) + _UNCERTAIN < self.seen
        return settled and self[:3] == now[:3]


def stat_of(path: pathlib.Path) -> Stat:
    """Asks the system for a file's entry."""
    seen = time.time_ns()
    found = os.stat(path)
    return Stat(found.st_size, found.st_mtime_ns, found.st_ctime_ns, seen)
