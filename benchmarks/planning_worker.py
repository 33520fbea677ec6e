"""One selection from a mapped file, in a process of its own: memory and time.

`python -m benchmarks.planning_worker REQUEST.json RESPONSE.json`. The first call in the
process is measured, as `jaxsel select` makes it: its programs are compiled in it, and
no cache of compiled programs is used.
"""

import jax
import numpy as np

import jaxsel
from benchmarks.process import answer
from benchmarks.worker import timed
from jaxsel.planning.machine import machine


def measure(request: dict) -> dict:
    """Selects once, then measures the machine's rates."""
    # JAX is imported and has compiled once before anything is measured.
    jax.block_until_ready(jax.jit(lambda a: a @ a + a)(np.ones((8, 8))))
    jaxsel.select(np.ones((2, 2)), 1, "random")
    x = np.load(request["array"], mmap_mode="r")
    method, budget = request["method"], request["budget"]
    labelled = np.arange(request["labelled"])
    call = timed(lambda: jaxsel.select(x, budget, method, labelled=labelled, seed=0))
    return {
        "measured_bytes": int(call.peak_mib * 2**20),
        "measured_seconds": call.seconds,
        "cpu_seconds": call.cpu_seconds,
        "machine": machine()._asdict(),
    }


if __name__ == "__main__":
    answer(measure)
