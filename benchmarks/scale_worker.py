"""One streamed selection in a process of its own: time, memory, what was read.

`python -m benchmarks.scale_worker REQUEST.json RESPONSE.json`. A request has pool,
method, budget, options and memory as `jaxsel.streaming.api.select_from_disk` takes
them, and perhaps repeat_below, marks and limit.
"""

import resource
import time
from typing import Any

import numpy as np

from benchmarks.process import answer
from benchmarks.worker import _resident, scalars

# A first call of more seconds is not repeated.
LONG_SECONDS = 120.0


class Watch:
    """Called with every reading: when so many rows were picked, and whether to stop.

    Attributes:
      reached: seconds after which a pass found so many rows picked, by number.
    """

    def __init__(self, marks: list[int], limit: float) -> None:
        """The numbers of picks to note, and the seconds after which it raises."""
        self.reached: dict[int, float] = {}
        self._marks, self._limit = marks, limit
        self._began = time.perf_counter()

    def __call__(self, reading: Any) -> None:
        """Notes the marks.

        Raises:
          TimeoutError: the limit is over.
        """
        now = time.perf_counter() - self._began
        for mark in self._marks:
            if reading.picked >= mark:
                self.reached.setdefault(mark, now)
        if now > self._limit:
            raise TimeoutError(
                f"stopped after {now:.0f} s at {reading.picked} picks and "
                f"{reading.passes:g} passes"
            )


def measure(request: dict) -> dict:
    """Runs the request once with compilation, and once more without if it is short."""
    from jaxsel.streaming.api import select_from_disk

    seconds: list[float] = []
    marks, limit = request.get("marks", []), request.get("limit", float("inf"))
    while len(seconds) < 2 and sum(seconds) < request.get("repeat_below", LONG_SECONDS):
        watch = Watch(marks, limit)
        began = time.perf_counter()
        try:
            found = select_from_disk(
                request["pool"],
                request["budget"],
                request["method"],
                memory=request["memory"],
                progress=watch,
                **request["options"],
            )
        except TimeoutError as error:
            return {"error": str(error), "reached": watch.reached, **_peak()}
        seconds.append(time.perf_counter() - began)
    return {
        "first_seconds": seconds[0],
        "seconds": seconds[-1],
        "warm": len(seconds) > 1,
        "reached": watch.reached,
        **_peak(),
        "info": scalars(found.info),
        "first_picks": np.asarray(found.indices)[:5].tolist(),
    }


def _peak() -> dict[str, float]:
    """Of the whole process from its start, Python and compilation included.

    The second is inherited from the parent where that one was larger.
    """
    return {
        "peak_mib": _resident("VmHWM") / 1024,
        "maxrss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    answer(measure)
