"""What the rows of a pool are, as one number for every 256 of them.

A pool is the same pool only if all its rows are, in their order. The first pass leaves
a number of 64 bits for every 256 rows; later passes compare, and so does a selection
that goes on from its checkpoint. A group of rows depends on the pool alone and not on
how many are read at a time, so another bound on memory finds the same numbers.

With x_k the k-th word of 64 bits of a group, and fixed odd weights w_k, the number is

    sum_k w_k (x_k xor (x_k >> 33))   modulo 2^64.

Any change of a single word changes it, since an odd number has an inverse. Any other
change leaves it as it was with a chance of about 2^-64, and of 2^-32 where nothing but
the signs of numbers changed. (That is what the shift is for: a change of the highest
bit alone has one bit of the sum to show in, and two of them would cancel. It is 33 so
that the signs of two numbers of 8, 16 or 32 bits never meet in one bit.) It is a check
against files that changed, not against somebody who makes rows with a given sum.

This goes at 5 to 7 GB/s on one core, in the thread that reads, where SHA-256 and
BLAKE2b go at 0.6 to 0.9. The cheapest pass (lengths and sums of float32) takes about a
quarter more of the processor's time for it; passes that compute more, so much less.
"""

import hashlib

import numpy as np

from jaxsel.errors import UserError
from jaxsel.pools.pool import Pool

# Rows that share a number; blocks begin at multiples of it.
GROUP = 256
# Words that are summed up by one product, at least; and bytes mixed at a time, which
# stay in a core's own cache.
_WORDS, _PIECE = 512, 1 << 18
_SHIFT = np.uint64(33)


class Contents:
    """The numbers of a pool's rows, as far as they are known.

    Attributes:
      hashes: uint64 `[g]`, of 256 rows each, the last one filled with zero rows.
      known: bool `[g]`, which of them are known.
    """

    def __init__(self, pool: Pool, hashes: np.ndarray | None = None) -> None:
        """Begins with nothing, or with what an earlier call knew.

        Args:
          pool: the rows; nothing is read.
          hashes: all of them, from a checkpoint.
        """
        count = -(-pool.n // GROUP)
        self._pool = pool
        self._resumed = hashes is not None
        self.hashes = np.zeros(count, np.uint64) if hashes is None else hashes.copy()
        self.known = np.full(count, self._resumed)
        self._per_segment, self._weights, self._over = _weights(pool.row_bytes)

    def check(self, start: int, valid: int, rows: np.ndarray) -> None:
        """Notes what rows are, or compares them with what they were.

        Args:
          start: their place in the pool, a multiple of GROUP.
          valid: how many are rows of the pool.
          rows: `[size, d]`, in the pool's type; zero rows from `valid` on.

        Raises:
          UserError: they are not what they were; the message names the file.
        """
        groups = -(-valid // GROUP)
        found = self._hashed(rows[: groups * GROUP])
        here = slice(start // GROUP, start // GROUP + groups)
        other = self.known[here] & (self.hashes[here] != found)
        if np.any(other):
            self._refuse(start // GROUP + np.flatnonzero(other))
        self.hashes[here], self.known[here] = found, True

    def digest(self) -> str:
        """SHA-256 over all the numbers; known after a pass."""
        assert self.known.all(), "no pass has seen the whole pool"
        about = f"{self._pool.n} {self._pool.d} {self._pool.dtype} "
        return hashlib.sha256(about.encode() + self.hashes.tobytes()).hexdigest()

    def _hashed(self, rows: np.ndarray) -> np.ndarray:
        flat = rows.view(np.uint8).reshape(-1).view(np.uint64)
        words = flat.reshape(-1, len(self._weights))
        sums = np.empty(len(words), np.uint64)
        step = max(1, _PIECE // words[:1].nbytes)
        room = np.empty((min(step, len(words)), words.shape[1]), np.uint64)
        for at in range(0, len(words), step):
            part = words[at : at + step]
            mixed = room[: len(part)]
            np.right_shift(part, _SHIFT, out=mixed)
            np.bitwise_xor(mixed, part, out=mixed)
            np.dot(mixed, self._weights, out=sums[at : at + step])
        return sums.reshape(-1, self._per_segment) @ self._over

    def _refuse(self, groups: np.ndarray) -> None:
        first = int(groups[0]) * GROUP
        last = min(first + GROUP, self._pool.n) - 1
        (path, low), (end, high) = map(self._pool.file_of, (first, last))
        if path == end:
            where = f"rows {low} to {high} of {str(path)!r}"
        else:
            where = f"row {low} of {str(path)!r} to row {high} of {str(end)!r}"
        since, mend = (
            "since the checkpoint was written",
            "restore the pool, or give another folder for the checkpoint to start over",
        )
        if not self._resumed:
            since, mend = "while they are read", "start again once the pool is whole"
        raise UserError(
            f"expected the rows of the pool to stay as they were, found that some "
            f"changed {since}, between {where} (rows {first} to {last} of the pool): "
            f"{mend}"
        )


def _weights(row_bytes: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Segments a group, weights `[words]` of one, weights of the segments of a group.

    A segment is 8 rows, whose bytes are whole words, or twice that until it is long
    enough, so that the table of weights stays small where rows are wide.
    """
    rows = 8
    while rows < GROUP and rows * row_bytes // 8 < _WORDS:
        rows *= 2
    per_segment = GROUP // rows
    bits = np.random.Generator(np.random.PCG64(256))
    table = bits.integers(2**63, size=GROUP + rows * row_bytes // 8, dtype=np.uint64)
    odd = 2 * table + np.uint64(1)
    return per_segment, odd[GROUP:].copy(), odd[:per_segment].copy()
