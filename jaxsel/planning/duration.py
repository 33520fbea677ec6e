"""About how long a selection takes: its operations and its readings, at measured rates.

A rough figure. How often k-means moves its centres, how many stale gains MaxHerding
refreshes, and how fast ProbCover covers the pool depend on the data; what is typical
is written below, and the rest is in one fitted factor a method. Expect it within a
factor of two or three, on a machine that nothing else uses.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxsel.planning.fitted import COMPILER_SECONDS, EFFICIENCY
from jaxsel.planning.machine import Machine
from jaxsel.planning.shape import Shape

# Lloyd's iterations to the end, and picks between two readings of k-center.
_ITERATIONS, _BETWEEN = 30, 8
# Proposals to a pass of Gram-Schmidt, and the share of them that is picked.
_BLOCK, _TAKEN = 128, 0.75
# Stale gains that MaxHerding brings up to date for a pick, in blocks.
_REFRESHED, _BLOCKS = 128, 1.5


class Work(NamedTuple):
    """Float32 operations of matrix products, and bytes read in passes."""

    flops: float
    bytes: float


def seconds(
    method: str,
    shape: Shape,
    budget: int,
    machine: Machine,
    *,
    labelled: int = 0,
    options: dict[str, Any] | None = None,
) -> float:
    """Of one call of `jaxsel.select`, its first in a process: compiling is counted in.

    Args:
      method: of `jaxsel.METHODS`.
      shape: of the pool.
      budget: rows to pick.
      machine: with its rates.
      labelled: how many rows have labels.
      options: the method's own.

    Returns:
      Seconds. More rows or features never take less.
    """
    first, _, second = method.partition("+")
    proposals = min(2 * budget, shape.n) if second else budget
    work = _WORK[first](shape, proposals, labelled, options or {})
    once = (shape.stored + shape.floats) / machine.bytes_per_second
    busy = work.flops / machine.flops + work.bytes / machine.bytes_per_second
    return COMPILER_SECONDS[method] + (once + busy) / EFFICIENCY[first]


def _random(shape, budget, labelled, options) -> Work:
    return Work(0, 64 * shape.n)


def _norm(shape, budget, labelled, options) -> Work:
    return Work(0, shape.floats + 64 * shape.n)


def _gram_schmidt(shape, budget, labelled, options) -> Work:
    """A product with a block of proposals a pass; three passes a pick for l1, linf."""
    if options.get("algorithm") == "sequential" or options.get("norm_ord", 2) != 2:
        return Work(0, 3 * (budget + labelled) * shape.floats)
    passes = math.ceil(budget / (_BLOCK * _TAKEN))
    measures = budget // max(1, min(shape.n, shape.d)) + bool(labelled)
    rank = min(shape.d, budget + labelled)
    projected = 4 * shape.n * shape.d * rank * measures
    flops = 2 * shape.n * shape.d * _BLOCK * passes + projected
    return Work(flops, (passes + 4 * measures) * shape.floats)


def _k_center(shape, budget, labelled, options) -> Work:
    readings = math.ceil(budget / _BETWEEN) + labelled
    return Work(2 * shape.n * shape.d * (budget + 16), readings * shape.floats)


def _typiclust(shape, budget, labelled, options) -> Work:
    """Seeds, one reading each; Lloyd's iterations; pairs within clusters."""
    most = options.get("max_clusters") or 500
    k = max(1, min(budget + labelled, most, shape.n))
    trials = 2 + int(math.log(k))
    pairs = shape.n * max(1, shape.n // k) * min(1.0, budget / k)
    flops = 2 * shape.n * shape.d * k * (trials + _ITERATIONS) + 2 * pairs * shape.d
    restarts = options.get("n_init") or 1
    return Work(restarts * flops, restarts * (k + _ITERATIONS) * shape.floats)


def _probcover(shape, budget, labelled, options) -> Work:
    """The degrees, over half of the pairs, and at most twice that to settle them."""
    return Work(3 * shape.n * shape.n * shape.d, budget * shape.floats)


def _max_herding(shape, budget, labelled, options) -> Work:
    """The first gains, over half of the pairs, and the refreshed ones."""
    first = shape.n * shape.n * shape.d
    # An exponential costs as much as some thirty operations of a product.
    exponentials = 30 * shape.n * shape.n / 2
    again = 2 * _REFRESHED * _BLOCKS * budget * shape.n * shape.d
    return Work(first + exponentials + again, budget * shape.floats)


_WORK: dict[str, Callable[..., Work]] = {
    "random": _random,
    "norm": _norm,
    "gram_schmidt": _gram_schmidt,
    "k_center": _k_center,
    "typiclust": _typiclust,
    "probcover": _probcover,
    "max_herding": _max_herding,
}
