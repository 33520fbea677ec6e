"""One contender on one array in a process of its own: time, memory, picks.

`python -m benchmarks.worker REQUEST.json RESPONSE.json`. A process of its own gives
every contender an empty memory to be measured against, and lets a rival live in
another environment (`--rival-python`), so only NumPy is imported here.
"""

import contextlib
import functools
import pathlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.process import answer

# A call that compiles nothing is repeated less beyond the one, never beyond the other.
MEDIUM_SECONDS, LONG_SECONDS = 4.0, 10.0


def repeats(first: float, compiles: bool) -> int:
    """How many warm calls to time after a first call of `first` seconds."""
    if first > LONG_SECONDS and not compiles:
        return 0
    return 5 if compiles or first < MEDIUM_SECONDS else 3


def contender(request: dict) -> Callable[[np.ndarray, int, int], Any]:
    """The function to measure: `(x, budget, seed) -> picks`."""
    kind, _, name = request["contender"].partition(":")
    options = request["options"]
    if kind == "jaxsel":
        # JAX is imported and has compiled once before anything is measured.
        import jax

        import jaxsel

        jax.block_until_ready(jax.jit(lambda a: a @ a + a)(np.ones((8, 8))))
        jaxsel.select(np.ones((2, 2)), 1, "random")

        method, _, setting = name.partition("/")
        if setting == "device":
            import jax.numpy as jnp

            # What people have who keep their features in JAX: nothing is copied.
            placed = functools.cache(lambda: jnp.asarray(np.load(request["array"])))
            return lambda x, budget, seed: jaxsel.select(
                placed(), budget, method, seed=seed, **options
            )
        return lambda x, budget, seed: jaxsel.select(
            x, budget, method, seed=seed, **options
        )
    if kind == "baseline":
        from benchmarks import baselines

        function = baselines.load(name)
    else:
        from benchmarks import rivals

        function = rivals.load(name, request["repository"])
    return lambda x, budget, seed: function(x, budget, seed, **options)


def begin_peak() -> int:
    """Forgets the largest resident size so far; returns the present one, in KiB.

    Linux lets a process reset its own high-water mark; elsewhere the mark of the
    whole life of the process is used, which can only be too large.
    """
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    return _resident("VmRSS")


def peak_mib(begin: int) -> float:
    """The largest resident size since `begin_peak`, above what it returned."""
    return (_resident("VmHWM") - begin) / 1024


def _resident(field: str) -> int:
    status = pathlib.Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Call(NamedTuple):
    """One timed call."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    result: Any


def timed(function: Callable[..., Any], *arguments: Any) -> Call:
    """Calls once; wall and processor seconds, and memory added at the peak."""
    before = begin_peak()
    began, cpu = time.perf_counter(), time.process_time()
    result = function(*arguments)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Call(seconds, cpu, peak_mib(before), result)


def measure(request: dict) -> dict:
    """Runs the request; the first call is kept apart from the warm ones."""
    x = np.load(request["array"])
    call = functools.partial(
        timed, contender(request), x, request["budget"], request["seed"]
    )
    first = last = call()
    seconds: list[float] = []
    # Baselines and scikit-activeml compile nothing: a long first call stands.
    compiles = not request["contender"].startswith(("baseline", "rival:scikit"))
    times = repeats(first.seconds, compiles)
    for _ in range(min(times, request["repeats"])):
        last = call()
        seconds.append(last.seconds)
        if sum(seconds) > 6 * LONG_SECONDS:
            break
    return {
        "first_seconds": first.seconds,
        "first_peak_mib": first.peak_mib,
        "seconds": seconds or [first.seconds],
        "cpu_seconds": last.cpu_seconds,
        "peak_mib": last.peak_mib,
        "indices": np.asarray(last.result.indices).tolist(),
        "info": scalars(last.result.info),
    }


def scalars(info: dict) -> dict:
    """The entries of `info` that JSON can hold."""
    kept = {}
    for name, value in info.items():
        if isinstance(value, str | bool | int | float) or value is None:
            kept[name] = value
        elif np.ndim(value) == 0:
            kept[name] = np.asarray(value).item()
    return kept


if __name__ == "__main__":
    answer(measure)
