"""Double-buffered reading: a thread fills a block while one is computed with."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from jaxsel.pools.pool import Pool

# XLA on a CPU takes an array at such an address as it is, without a copy.
ALIGNMENT = 64


class Block(NamedTuple):
    """A stretch of the pool.

    Attributes:
      start: its first row.
      valid: how many of `rows` are rows of the pool.
      rows: `[size, d]`, zero rows from `valid` on. To be read only until the next block
        is asked for: the memory is filled anew.
    """

    start: int
    valid: int
    rows: np.ndarray


def blocks(
    pool: Pool,
    size: int,
    start: int = 0,
    check: Callable[[int, int, np.ndarray], None] | None = None,
) -> Iterator[Block]:
    """Reads the pool from `start` to its end, `size` rows at a time.

    Two blocks exist: the one handed out, and the one that a thread reads meanwhile.

    Args:
      pool: the rows.
      size: rows a block; the last one is padded with zero rows.
      start: the first row.
      check: called with `start, valid, rows` of every block as it was read, in the
        thread that reads; see `jaxsel.pools.contents.Contents.check`.

    Yields:
      Block.

    Raises:
      UserError: of the pool or of `check`, when the block with the fault is due.

    Example:
      >>> import pathlib, tempfile
      >>> from jaxsel.pools.opening import open_pool
      >>> file = pathlib.Path(tempfile.mkdtemp()) / "rows.npy"
      >>> np.save(file, np.ones((5, 1), np.int8))
      >>> [(b.start, b.valid, int(b.rows.sum())) for b in blocks(open_pool(file), 2)]
      [(0, 2, 2), (2, 2, 2), (4, 1, 1)]
    """
    empty: queue.Queue[np.ndarray | None] = queue.Queue()
    full: queue.Queue[Block | BaseException | None] = queue.Queue()
    for _ in range(2):
        empty.put(aligned((size, pool.d), pool.dtype))
    thread = threading.Thread(
        target=_fill, args=(pool, size, start, check, empty, full), daemon=True
    )
    thread.start()
    try:
        while (block := full.get()) is not None:
            if isinstance(block, BaseException):
                raise block
            yield block
            empty.put(block.rows)
    finally:
        empty.put(None)
        thread.join()


def _fill(
    pool: Pool,
    size: int,
    start: int,
    check: Callable[[int, int, np.ndarray], None] | None,
    empty: queue.Queue,
    full: queue.Queue,
) -> None:
    """The thread: until the pool ends, a reading fails, or nobody wants more."""
    try:
        for at in range(start, pool.n, size):
            rows = empty.get()
            if rows is None:
                return
            valid = min(size, pool.n - at)
            pool.read(at, at + valid, rows[:valid])
            rows[valid:] = 0
            if check is not None:
                check(at, valid, rows)
            full.put(Block(at, valid, rows))
        full.put(None)
    except BaseException as error:
        full.put(error)


def aligned(shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """An array that begins at a multiple of ALIGNMENT, not filled."""
    size = shape[0] * shape[1] * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT
    return memory[begin : begin + size].view(dtype).reshape(shape)
