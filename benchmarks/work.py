"""A piece of work made ready to be timed: compiled, its data in place."""

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.worker import Call, timed

# Beyond so many seconds of warm calls there are no more.
LONG_SECONDS = 45.0


class Work(NamedTuple):
    """What is measured, whoever does it.

    Attributes:
      call: does all of it once and returns when it is done.
      units: how much one call does: `images`, `runs`, `iterations`, `flops`.
      compile_seconds: that tracing and compiling took; 0 where nothing is compiled.
      notes: what a reader should know of how it was set up.
      scores: of what a call returned, its quality, as JSON can hold it.
    """

    call: Callable[[], Any]
    units: dict[str, float]
    compile_seconds: float
    notes: dict[str, Any]
    scores: Callable[[Any], dict[str, Any]]


def measure(work: Work, repeats: int) -> dict[str, Any]:
    """Times warm calls; the one before them counts only if it was long already.

    Args:
      work: what to call.
      repeats: most calls that are timed.

    Returns:
      `seconds` of every call, `first_seconds`, `cpu_seconds` and `peak_mib` of the
      last call, and the work's units, notes and scores.
    """
    first = timed(work.call)
    calls: list[Call] = [first] if first.seconds > LONG_SECONDS else []
    while not calls or (
        len(calls) < repeats and sum(call.seconds for call in calls) < LONG_SECONDS
    ):
        calls.append(timed(work.call))
    return {
        "compile_seconds": work.compile_seconds,
        "first_seconds": first.seconds,
        "seconds": [call.seconds for call in calls],
        "cpu_seconds": calls[-1].cpu_seconds,
        "peak_mib": max(first.peak_mib, *(call.peak_mib for call in calls)),
        "units": work.units,
        "notes": work.notes,
        "scores": work.scores(calls[-1].result),
    }
