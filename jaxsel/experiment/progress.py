"""Progress lines: redrawn on a terminal, rare lines elsewhere."""

import sys
import threading
import time
from collections.abc import Callable

from tqdm import tqdm

QUIET_SECONDS = 30.0


class Progress:
    """Counts work done towards a total; used as a context manager.

    On a terminal it is one line that is redrawn. Elsewhere (a log file, a pipe) it
    says where it is every 30 seconds, so that logs stay short.

    Example:
      >>> with Progress("training", total=2, unit="run") as progress:
      ...     progress.advance(2)
    """

    def __init__(self, title: str, total: int, unit: str) -> None:
        self._title, self._total, self._unit = title, total, unit
        self._done = self._before = 0
        self._start = self._spoke = time.monotonic()
        self._bar = tqdm(
            total=total,
            desc=title,
            unit=unit,
            unit_scale=total > 9999,
            disable=not sys.stderr.isatty(),
            leave=False,
            dynamic_ncols=True,
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def start_at(self, amount: int) -> None:
        """Counts `amount` that an earlier start did; the time left is not by them."""
        self._done += amount
        self._before += amount
        if not self._bar.disable:
            self._bar.initial = self._bar.n = self._done
            self._bar.refresh()

    def advance(self, amount: int, note: str = "") -> None:
        """Counts `amount` more; `note` says what is being worked on."""
        self._done += amount
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(amount)
        now = time.monotonic()
        fresh = self._done - self._before
        if self._bar.disable and fresh and now - self._spoke > QUIET_SECONDS:
            self._spoke = now
            left = (now - self._start) / fresh * (self._total - self._done)
            print(
                f"{self._title}: {self._done} of {self._total} {self._unit}s, "
                f"{left:.0f} s left {note}".rstrip(),
                file=sys.stderr,
                flush=True,
            )


class Foretold:
    """Progress that first says how long what is not known from before may take.

    Example:
      >>> with Progress("features", total=2, unit="image") as progress:
      ...     foretold = Foretold(progress, 2, lambda missing: "")
      ...     foretold.start_at(1)
      ...     foretold.advance(1)
    """

    def __init__(
        self, progress: Progress, total: int, said_before: Callable[[int], str]
    ) -> None:
        self._progress, self._total, self._said = progress, total, said_before

    def start_at(self, amount: int) -> None:
        """Says a line about the rest, if there is one, above the bar."""
        if line := self._said(self._total - amount):
            tqdm.write(line, file=sys.stderr)
        self._progress.start_at(amount)

    def advance(self, amount: int) -> None:
        """Counts `amount` more."""
        self._progress.advance(amount)


class Standing:
    """Shows what it is told: on a terminal in one line, elsewhere every 30 seconds.

    Example:
      >>> with Standing("reading") as standing:
      ...     standing.say("1.5 passes")
    """

    def __init__(self, title: str) -> None:
        self._title, self._spoke, self._width = title, time.monotonic(), 0

    def __enter__(self) -> "Standing":
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            print(" " * self._width, end="\r", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Where the work stands now."""
        drawn, now = sys.stderr.isatty(), time.monotonic()
        if now - self._spoke < (0.2 if drawn else QUIET_SECONDS):
            return
        self._spoke = now
        line = f"{self._title}: {text}"
        if not drawn:
            print(line, file=sys.stderr, flush=True)
            return
        print(line.ljust(self._width), end="\r", file=sys.stderr, flush=True)
        self._width = max(self._width, len(line))


class Waiting:
    """Says what one long call is at and for how long; used as a context manager.

    For calls that cannot say how far they are. On a terminal the line is redrawn every
    second, elsewhere it comes every 30 seconds.

    Example:
      >>> with Waiting("picking"):
      ...     pass
    """

    def __init__(self, title: str) -> None:
        self._title, self._ended = title, threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> "Waiting":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _tell(self) -> None:
        start, line = time.monotonic(), ""
        drawn = sys.stderr.isatty()
        while not self._ended.wait(1.0 if drawn else QUIET_SECONDS):
            line = f"{self._title}: {time.monotonic() - start:.0f} s"
            end = {"end": "\r"} if drawn else {}
            print(line, file=sys.stderr, flush=True, **end)
        if drawn and line:
            print(" " * len(line), end="\r", file=sys.stderr, flush=True)
