"""A pool as the methods see it: float32 blocks and rows, and what reading them took."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.pools.pool import Pool
from jaxsel.pools.reading import blocks
from jaxsel.selection.half import widened
from jaxsel.selection.rows import unit_rows
from jaxsel.streaming.plan import Plan


class Reading(NamedTuple):
    """Where a selection stands, for a progress line.

    Attributes:
      picked: rows picked so far.
      budget: rows wanted.
      passes: readings of the whole pool, parts of it counted as such.
      bytes_read: from disk, in this call.
      bytes_per_second: of the passes, reading and computing, and of gathered rows.
    """

    picked: int
    budget: int
    passes: float
    bytes_read: int
    bytes_per_second: float

    def line(self) -> str:
        """One line for people.

        Example:
          >>> Reading(3, 9, 1.5, 4_000_000_000, 8e8).line()
          '3 of 9 picks, 1.5 passes, 4.00 GB read, 800 MB/s'
        """
        return (
            f"{self.picked} of {self.budget} picks, {self.passes:g} passes, "
            f"{self.bytes_read / 1e9:.2f} GB read, "
            f"{self.bytes_per_second / 1e6:.0f} MB/s"
        )


class Stream:
    """Passes over a pool, in float32, raw or over their lengths.

    Attributes:
      pool: the rows.
      plan: the block's size.
      picked: rows picked so far; methods set it, for the progress line.
    """

    def __init__(
        self,
        pool: Pool,
        plan: Plan,
        *,
        unit: bool,
        budget: int = 0,
        progress: Callable[[Reading], None] | None = None,
    ) -> None:
        """Opens a stream; nothing is read.

        Args:
          pool: the rows.
          plan: see `jaxsel.streaming.plan`.
          unit: whether every row is divided by its length.
          budget: for the progress line.
          progress: called after every block.
        """
        self.pool, self.plan, self.picked = pool, plan, 0
        self._unit, self._budget, self._progress = unit, budget, progress
        self._scanned, self._seconds = 0, 0.0
        self._kept: dict[str, Any] = {}
        self._before = pool.bytes_read

    @property
    def n(self) -> int:
        """Rows of the pool."""
        return self.pool.n

    @property
    def d(self) -> int:
        """Numbers a row."""
        return self.pool.d

    def scan(self, start: int = 0) -> Iterator[tuple[slice, jax.Array]]:
        """One pass: the places of a block in the pool, and its rows.

        Yields:
          `(where, rows)`: a slice of the pool's rows, and float32 `[block, d]`, zero
          rows from the slice's length on.
        """
        began = time.perf_counter()
        for block in blocks(self.pool, self.plan.block, start):
            raw = jax.device_put(block.rows, may_alias=True)
            # The block's memory is filled anew once the next one is asked for.
            rows = self._widen(raw).block_until_ready()
            del raw
            stop = block.start + block.valid
            yield slice(block.start, stop), rows
            now = time.perf_counter()
            self._seconds, began = self._seconds + now - began, now
            self._scanned += block.valid
            if self._progress is not None:
                self._progress(self._reading())

    def gather(
        self, rows: Any, size: int | None = None, *, raw: bool = False
    ) -> jax.Array:
        """The given rows: float32 `[size, d]`, zero rows after them.

        Args:
          rows: places in the pool.
          size: how many with the padding; none without it.
          raw: not over their lengths, where the stream's other rows are.
        """
        wanted = np.asarray(rows, np.int64)
        found = np.zeros((size or len(wanted), self.d), self.pool.dtype)
        if len(wanted):
            began = time.perf_counter()
            found[: len(wanted)] = self.pool.take(wanted)
            self._seconds += time.perf_counter() - began
        return self._widen(jnp.asarray(found), raw)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` returned when it was first called under this name."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def info(self) -> dict[str, Any]:
        """What this stream took: passes, bytes, rate, planned memory."""
        reading = self._reading()
        return {
            "passes": reading.passes,
            "bytes_read": reading.bytes_read,
            "bytes_per_second": reading.bytes_per_second,
            "block_rows": self.plan.block,
            "planned_bytes": self.plan.planned,
        }

    def _widen(self, rows: jax.Array, raw: bool = False) -> jax.Array:
        scale = jnp.float32(self.pool.scale)
        return _widened(rows, scale, unit=self._unit and not raw)

    def _reading(self) -> Reading:
        done = self.pool.bytes_read - self._before
        return Reading(
            self.picked,
            self._budget,
            round(self._scanned / self.n, 2),
            done,
            done / self._seconds if self._seconds > 0 else 0.0,
        )


@partial(jax.jit, static_argnames="unit")
def _widened(raw: jax.Array, scale: jax.Array, *, unit: bool) -> jax.Array:
    rows = widened(raw) * scale
    return unit_rows(rows) if unit else rows
