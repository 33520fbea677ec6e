"""How far an examination has come: rows read, as many for each of its passes."""

from collections.abc import Callable

PASSES = 3
Advance = Callable[[int], None]


def nowhere(rows: int) -> None:
    """Tells nobody."""


class Passes:
    """Rows read, told on; what a pass left unread is told at its end.

    Args:
      rows: of the features; `PASSES * rows` are told in all.
      advance: told how many more.

    Example:
      >>> told = []
      >>> passes = Passes(10, told.append)
      >>> passes.advance(4); passes.advance(8); passes.finish(); passes.finish()
      >>> told
      [4, 6, 0, 10]
    """

    def __init__(self, rows: int, advance: Advance) -> None:
        self._rows, self._advance = rows, advance
        self._finished = self._done = 0

    def advance(self, rows: int) -> None:
        """Some rows were read; no pass counts for more than it is worth."""
        self._to(min(self._done + rows, self._rows * (self._finished + 1)))

    def finish(self) -> None:
        """A pass is over."""
        self._finished += 1
        self._to(self._rows * self._finished)

    def _to(self, done: int) -> None:
        self._advance(done - self._done)
        self._done = done
