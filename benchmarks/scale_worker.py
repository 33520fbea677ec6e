"""One streamed selection in a process of its own: time, memory, what was read.

`python -m benchmarks.scale_worker REQUEST.json RESPONSE.json`.
"""

import resource
import time

import numpy as np

from benchmarks.process import answer
from benchmarks.worker import _resident, scalars

# A first call of more seconds is not repeated.
LONG_SECONDS = 120.0


def measure(request: dict) -> dict:
    """Runs the request once with compilation, and once more without."""
    from jaxsel.streaming.api import select_from_disk

    seconds: list[float] = []
    while len(seconds) < 2 and sum(seconds) < LONG_SECONDS:
        began = time.perf_counter()
        found = select_from_disk(
            request["pool"],
            request["budget"],
            request["method"],
            memory=request["memory"],
            **request["options"],
        )
        seconds.append(time.perf_counter() - began)
    return {
        "first_seconds": seconds[0],
        "seconds": seconds[-1],
        "warm": len(seconds) > 1,
        # Of the whole process from its start, Python and compilation included. The
        # second is inherited from the parent where that one was larger.
        "peak_mib": _resident("VmHWM") / 1024,
        "maxrss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "info": scalars(found.info),
        "first_picks": np.asarray(found.indices)[:5].tolist(),
    }


if __name__ == "__main__":
    answer(measure)
