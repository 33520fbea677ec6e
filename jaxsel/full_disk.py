"""A disk without room, said in one line: what could not be written and what to do.

Everything that is written here is written whole or not at all (`jaxsel.files`), so what
was there before is as it was, and the same command goes on from it.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from jaxsel.errors import UserError

# No room, none left for this user, a file larger than there may be.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# NumPy counts what it could write; libraries that are not Python's quote the system.
_WORDS = re.compile(
    "|".join([*map(os.strerror, _FULL), r"\d+ requested and \d+ written"]),
    re.IGNORECASE,
)


class DiskFull(UserError, OSError):
    """There is no room to write to; also an `OSError`, as callers may expect."""

    def __init__(self, path: str | os.PathLike[str], cause: BaseException) -> None:
        """Says what could not be written.

        Args:
          path: the file or folder.
          cause: what was raised.
        """
        told = cause.errno if isinstance(cause, OSError) else None
        number = told if told in _FULL else errno.ENOSPC
        why = os.strerror(number)
        super().__init__(
            f"expected room to write {os.fspath(path)!r}, found: {why}; what was "
            "written before is whole: make room, and give the same command again to "
            "go on"
        )
        self.errno, self.strerror = number, why

    def __str__(self) -> str:
        return str(self.args[0])


def is_full(error: BaseException) -> bool:
    """Whether an exception, or one that it came from, says that there is no room.

    Example:
      >>> is_full(OSError(errno.ENOSPC, "No space left on device"))
      True
      >>> is_full(OSError(errno.ENOENT, "No such file or directory"))
      False
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return True
        # Not the words of an error that quotes a file, which can say anything.
        if not isinstance(seen, UserError) and _WORDS.search(str(seen)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


@contextmanager
def named_if_full(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns what a full disk raises in the body into `DiskFull` with the path.

    Args:
      path: what the body writes.

    Raises:
      DiskFull: there is no room.

    Example:
      >>> try:
      ...     with named_if_full("report.html"):
      ...         raise OSError(errno.ENOSPC, "No space left on device")
      ... except UserError as error:
      ...     print(str(error)[:69])
      expected room to write 'report.html', found: No space left on device;
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, DiskFull) or not is_full(error):
            raise
        raise DiskFull(path, error) from error
