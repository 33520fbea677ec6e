"""What this machine can do: memory left, and two rates measured in half a second."""

import os
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.planning.free import free_bytes

_SIDE = 1024
# Beyond the caches of a processor; a reading of it takes some ten milliseconds.
_NUMBERS = 1 << 24
_TIMES = 4


class Machine(NamedTuple):
    """A machine as forecasts see it.

    Attributes:
      free_bytes: memory that is left, of the device.
      flops: float32 operations a second, of a matrix product.
      bytes_per_second: of a pass over a large array.
      cores: processors that this process may use.
      device: "cpu", "gpu", …
    """

    free_bytes: int
    flops: float
    bytes_per_second: float
    cores: int
    device: str


def machine() -> Machine:
    """This machine, measured: the better of a few products, the best of a few passes.

    Other programs at work make the rates lower, as they would the selection.

    Returns:
      The machine.
    """
    square = jnp.full((_SIDE, _SIDE), 0.5, jnp.float32)
    many = jnp.ones(_NUMBERS, jnp.float32)
    product = jax.jit(lambda a: jnp.matmul(a, a, precision="highest"))
    total = jax.jit(lambda a: jnp.max(jnp.abs(a)))
    return Machine(
        free_bytes(),
        2 * _SIDE**3 / _least(lambda: product(square)),
        many.nbytes / _least(lambda: total(many)),
        cores(),
        jax.default_backend(),
    )


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _least(call: Callable[[], jax.Array]) -> float:
    """Seconds of the fastest of a few calls, after one to compile."""
    jax.block_until_ready(call())
    seconds = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        jax.block_until_ready(call())
        seconds.append(time.perf_counter() - began)
    return float(np.maximum(min(seconds), 1e-9))
