"""About how long a selection takes: its operations and its readings, at measured rates.

A rough figure. How often k-means moves its centres, how many stale gains MaxHerding
refreshes, and how fast ProbCover covers the pool depend on the data; what is typical
is written below, and the rest is in one fitted factor a method. It was fitted to the
processor's seconds on a busy machine; expect it within a factor of about three on one
that nothing else uses, and more than that on a busy one.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from jaxsel.planning.fitted import COMPILER_SECONDS, EFFICIENCY
from jaxsel.planning.machine import Machine
from jaxsel.planning.memory import MOST_CLUSTERS
from jaxsel.planning.shape import Call

# Lloyd's iterations to the end, and picks between two readings of k-center.
_ITERATIONS, _BETWEEN = 30, 8
# Proposals to a pass of Gram-Schmidt, and the share of them that is picked.
_BLOCK, _TAKEN = 128, 0.75
# Stale gains that MaxHerding brings up to date for a pick, in blocks.
_REFRESHED, _BLOCKS = 128, 1.5
# An exponential costs as much as so many operations of a product.
_EXPONENTIAL = 30


class Work(NamedTuple):
    """Float32 operations of matrix products, and bytes read in passes."""

    flops: float
    bytes: float


def seconds(method: str, call: Call, machine: Machine) -> float:
    """Of one call of `jaxsel.select`, its first in a process: compiling is counted in.

    Args:
      method: of `jaxsel.METHODS`.
      call: of it.
      machine: with its rates.

    Returns:
      Seconds. More rows or features never take less.
    """
    first, _, second = method.partition("+")
    busy = ideal_seconds(first, call.first_of_two() if second else call, machine)
    return COMPILER_SECONDS[method] + busy / EFFICIENCY[first]


def ideal_seconds(method: str, call: Call, machine: Machine) -> float:
    """Without compiling, if all went at the measured rates; of one stage."""
    work = _WORK[method](call)
    once = call.shape.stored + call.shape.floats
    return work.flops / machine.flops + (once + work.bytes) / machine.bytes_per_second


def _random(call: Call) -> Work:
    return Work(0, 64 * call.shape.n)


def _norm(call: Call) -> Work:
    return Work(0, call.shape.floats + 64 * call.shape.n)


def _gram_schmidt(call: Call) -> Work:
    """A product with a block of proposals a pass; three passes a pick for l1, linf."""
    n, d = call.shape.n, call.shape.d
    options = call.options
    if options.get("algorithm") == "sequential" or options.get("norm_ord", 2) != 2:
        return Work(0, 3 * (call.budget + call.labelled) * call.shape.floats)
    passes = math.ceil(call.budget / (_BLOCK * _TAKEN))
    measures = call.budget // max(1, min(n, d)) + bool(call.labelled)
    # Of a round after the first all rows are residuals again, and only copied.
    projected = 4 * n * d * min(d, call.labelled)
    flops = 2 * n * d * _BLOCK * passes + projected
    return Work(flops, (passes + 4 * measures) * call.shape.floats)


def _k_center(call: Call) -> Work:
    n, d = call.shape.n, call.shape.d
    readings = math.ceil(call.budget / _BETWEEN) + call.labelled
    return Work(2 * n * d * (call.budget + 16), readings * call.shape.floats)


def _typiclust(call: Call) -> Work:
    """Seeds, one reading each; Lloyd's iterations; pairs within clusters."""
    n, d = call.shape.n, call.shape.d
    most = call.options.get("max_clusters") or MOST_CLUSTERS
    k = max(1, min(call.budget + call.labelled, most, n))
    trials = 2 + int(math.log(k))
    restarts = call.options.get("n_init") or 1
    clustering = 2 * n * d * k * (trials + _ITERATIONS) * restarts
    # All pairs of the clusters that are picked from, those of each pick anew.
    typical = n * (n / k) * min(k, call.budget) / k * max(1.0, call.budget / k)
    return Work(
        clustering + 2 * typical * d, restarts * (k + _ITERATIONS) * call.shape.floats
    )


def _probcover(call: Call) -> Work:
    """The degrees, over half of the pairs, and at most twice that to settle them."""
    n, d = call.shape.n, call.shape.d
    return Work(3 * n * n * d, call.budget * call.shape.floats)


def _max_herding(call: Call) -> Work:
    """The first gains, over half of the pairs, and the refreshed ones."""
    n, d = call.shape.n, call.shape.d
    again = 2 * _REFRESHED * _BLOCKS * call.budget * n * d
    flops = n * n * d + _EXPONENTIAL * n * n / 2 + again
    return Work(flops, call.budget * call.shape.floats)


_WORK: dict[str, Callable[[Call], Work]] = {
    "random": _random,
    "norm": _norm,
    "gram_schmidt": _gram_schmidt,
    "k_center": _k_center,
    "typiclust": _typiclust,
    "probcover": _probcover,
    "max_herding": _max_herding,
}
