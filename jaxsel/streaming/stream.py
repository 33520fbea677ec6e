"""A pool as the methods see it: float32 blocks and rows, and what reading them took."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.pools.contents import Contents
from jaxsel.pools.pool import Pool
from jaxsel.pools.reading import blocks
from jaxsel.selection import magnitudes, seeing
from jaxsel.selection.half import widened
from jaxsel.selection.magnitudes import Form
from jaxsel.selection.methods import Method
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
      checking: whether the pool is being compared with that of a checkpoint, before
        anything is picked.
    """

    picked: int
    budget: int
    passes: float
    bytes_read: int
    bytes_per_second: float
    checking: bool = False

    def line(self) -> str:
        """One line for people.

        Example:
          >>> Reading(3, 9, 1.5, 4_000_000_000, 8e8).line()
          '3 of 9 picks, 1.5 passes, 4.00 GB read, 800 MB/s'
        """
        doing = f"{self.picked} of {self.budget} picks"
        if self.checking:
            doing = "comparing the pool with the checkpoint's"
        return (
            f"{doing}, {self.passes:g} passes, "
            f"{self.bytes_read / 1e9:.2f} GB read, "
            f"{self.bytes_per_second / 1e6:.0f} MB/s"
        )


class Stream:
    """Passes over a pool, in float32, raw or over their lengths.

    Attributes:
      pool: the rows.
      plan: the block's size.
      picked: rows picked so far; methods set it, for the progress line.
      contents: what the rows are, as far as passes have seen; they are compared at
        every pass.
      compares: what the method compares, see `jaxsel.selection.magnitudes`.
      form: in which unit and precision.
      wide: how rows become float64, where float32 does not do; else None.
    """

    def __init__(
        self,
        pool: Pool,
        plan: Plan,
        *,
        unit: bool,
        entry: Method | None = None,
        options: dict[str, Any] | None = None,
        budget: int = 0,
        progress: Callable[[Reading], None] | None = None,
    ) -> None:
        """Opens a stream; nothing is read.

        Args:
          pool: the rows.
          plan: see `jaxsel.streaming.plan`.
          unit: whether every row is divided by its length.
          entry: the method in memory; without it nothing is asked of magnitudes.
          options: of the method.
          budget: for the progress line.
          progress: called after every block.
        """
        self.pool, self.plan, self.picked = pool, plan, 0
        self.contents, self._checking = Contents(pool), False
        self._unit, self._budget, self._progress = unit, budget, progress
        self.entry, self.options = entry, options or {}
        self.form = Form(1.0, False)
        self.wide: seeing.Widening | None = None
        self._own = False
        self._entries = np.zeros(0)
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
        if self.wide is not None and self.wide.width is not None:
            return self.wide.width
        return self.pool.d

    @property
    def dtype(self) -> Any:
        """Of the rows, and of what is computed from them."""
        return np.float32 if self.wide is None else np.float64

    def precision(self) -> AbstractContextManager:
        """The context in which the rows are computed with."""
        return seeing.precision(self.wide is not None)

    def take_form(self, form: Form, entries: np.ndarray) -> None:
        """From now on rows come in this form.

        Args:
          form: for the extent of the rows.
          entries: float64 `[n]`, their largest entries.
        """
        self.form, self._entries, pool = form, entries, self.pool.exact()
        if pool is not self.pool:  # hashes are of the rows in the pool's own type
            self.pool, self.contents = pool, Contents(pool)
        self._own = form != Form(1.0, False)
        self.wide = None
        entry = self.entry
        if entry and form.wide and entry.compares not in ("nothing", "directions"):
            extent = magnitudes.extent_of(entries)
            self.wide = seeing.widen(
                entry, entries, extent, form, self.options, self.pool.d
            )

    def entries(self) -> np.ndarray:
        """float64 `[n]`: the largest absolute number of each row, by a pass."""
        found = np.empty(self.n)
        for block in blocks(self.pool.exact(), self.plan.block):
            rows = np.abs(np.asarray(block.rows[: block.valid], np.float64))
            found[block.start : block.start + block.valid] = rows.max(axis=1)
        return found * self.pool.scale

    @property
    def zero_rows(self) -> int:
        """How many rows are zero, once a form was taken."""
        return int(np.sum(self._entries == 0))

    def form_state(self) -> dict[str, Any]:
        """The form as a state keeps it; empty where it is that of most pools."""
        if self.form == Form(1.0, False):
            return {}
        return {
            "form_scale": np.float64(self.form.scale),
            "form_wide": np.bool_(self.form.wide),
            "form_entries": self._entries,
        }

    def scan(self, start: int = 0) -> Iterator[tuple[slice, jax.Array]]:
        """One pass: the places of a block in the pool, and its rows.

        Yields:
          `(where, rows)`: a slice of the pool's rows, and `[block, d]`, zero rows from
          the slice's length on.
        """
        for where, rows, _ in self.measured(start, bits=False):
            yield where, rows

    def measured(
        self, start: int = 0, *, bits: bool = True
    ) -> Iterator[tuple[slice, jax.Array, np.ndarray | None]]:
        """As `scan`, with the bits of the rows on disk (`magnitudes.row_bits`)."""
        began = time.perf_counter()
        for block in blocks(self.pool, self.plan.block, start, self.contents.check):
            stop = block.start + block.valid
            where = slice(block.start, stop)
            found = None
            if self._own:
                rows = self._computed(block.rows, where).block_until_ready()
            else:
                raw = jax.device_put(block.rows, may_alias=True)
                if bits:
                    found = np.asarray(_bits(raw))[: block.valid]
                # The block's memory is filled anew once the next one is asked for.
                rows = self._widen(raw).block_until_ready()
                del raw
            yield where, rows, found
            began = self._passed(block.valid, began)

    def resume(self, hashes: np.ndarray) -> None:
        """Reads the whole pool and compares it with the one of a checkpoint.

        A selection that goes on gathers single rows and may make no pass any more, so
        nothing else would tell that rows have changed.

        Args:
          hashes: of its rows, see `jaxsel.pools.contents.Contents`.

        Raises:
          UserError: rows have changed.
        """
        self.contents, self._checking = Contents(self.pool, hashes), True
        began = time.perf_counter()
        for block in blocks(self.pool, self.plan.block, 0, self.contents.check):
            began = self._passed(block.valid, began)
        self._checking = False

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
        if self._own:
            return self._computed(found, wanted, raw)
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

    def _passed(self, rows: int, began: float) -> float:
        """Counts rows of a pass, and says so; returns the time."""
        now = time.perf_counter()
        self._seconds += now - began
        self._scanned += rows
        if self._progress is not None:
            self._progress(self._reading())
        return now

    def _widen(self, rows: jax.Array, raw: bool = False) -> jax.Array:
        scale = jnp.float32(self.pool.scale)
        return _widened(rows, scale, unit=self._unit and not raw)

    def _computed(
        self, rows: np.ndarray, where: slice | np.ndarray, raw: bool = False
    ) -> jax.Array:
        """Rows in another form than that of most pools, by the host."""
        unit = self._unit and not raw
        if not self.form.wide or self.wide is None or unit:
            if self.form.wide:
                own = jnp.asarray(magnitudes.by_own_powers(rows))
            else:
                scale = self.pool.scale * self.form.scale
                own = magnitudes.scaled(np.asarray(rows), scale)
            return unit_rows(own) if unit else own
        count = len(self._entries[where])
        found = np.zeros((len(rows), self.d))
        some = np.asarray(rows[:count], np.float64) * self.pool.scale
        found[:count] = self.wide.rows_of(some, where)
        with self.precision():
            return jnp.asarray(found)

    def _reading(self) -> Reading:
        done = self.pool.bytes_read - self._before
        return Reading(
            self.picked,
            self._budget,
            round(self._scanned / self.n, 2),
            done,
            done / self._seconds if self._seconds > 0 else 0.0,
            self._checking,
        )


@jax.jit
def _bits(raw: jax.Array) -> jax.Array:
    return magnitudes.row_bits(widened(raw))


@partial(jax.jit, static_argnames="unit")
def _widened(raw: jax.Array, scale: jax.Array, *, unit: bool) -> jax.Array:
    rows = widened(raw) * scale
    return unit_rows(rows) if unit else rows
