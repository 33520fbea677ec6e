"""How many rows a block may have for the whole process to stay below a bound."""

import re
from typing import Any, NamedTuple

from jaxsel.errors import UserError
from jaxsel.pools.pool import Pool

# Python, JAX, its threads and its compiled programs. On 10,000 rows the whole process
# had 261 to 485 MiB at its peak, by method (benchmarks/results/scale).
RUNTIME = 640 << 20
# Blocks have a multiple of so many rows, and no fewer.
GRAIN = 256
# A block in float32 has so many bytes at most. Larger ones are slower on a CPU: their
# memory is mapped anew for every block, where that of smaller ones is used again.
LARGEST = 8 << 20
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


class Plan(NamedTuple):
    """What memory is for.

    Attributes:
      memory: the bound, in bytes.
      block: rows a block.
      planned: bytes at the peak, `RUNTIME` included; at most `memory`.
    """

    memory: int
    block: int
    planned: int


def as_bytes(memory: Any) -> int:
    """A number of bytes from a number or a text.

    Raises:
      UserError: neither.

    Example:
      >>> as_bytes("2GiB"), as_bytes("512 MB"), as_bytes(1 << 30)
      (2147483648, 512000000, 1073741824)
    """
    if isinstance(memory, int) and not isinstance(memory, bool) and memory > 0:
        return memory
    form = r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*"
    found = isinstance(memory, str) and re.fullmatch(form, memory.lower())
    if not found or float(found[1]) == 0:
        raise UserError(
            f"expected memory in bytes, such as 2GiB or 2147483648, found {memory!r}"
        )
    power = _UNITS[found[2]]
    size = 1 << power if found[3] or not found[2] else 10 ** (3 * power // 10)
    return int(float(found[1]) * size)


def plan(
    memory: int,
    pool: Pool,
    *,
    per_row: int,
    fixed: int,
    per_block: int,
    itemsize: int = 4,
) -> Plan:
    """Divides the memory between state and blocks.

    Args:
      memory: bytes, for the process.
      pool: the pool.
      per_row: bytes of state a row of the pool, what is computed from it included.
      fixed: bytes whatever the pool's length.
      per_block: bytes a row of a block, beside the row itself.
      itemsize: bytes of a number that is computed with: 8 where float32 does not do.

    Returns:
      Plan.

    Raises:
      UserError: the smallest block does not fit; the message says what would.
    """
    # Two blocks as they are read, one on the device, and copies of it to compute with.
    wider = itemsize // 4
    a_row = 3 * pool.row_bytes + 3 * itemsize * pool.d + wider * per_block
    held = RUNTIME + wider * (per_row * pool.n + fixed) + pool.held
    least = held + a_row * GRAIN
    if memory < least:
        raise UserError(
            f"expected memory of at least {least} bytes ({least / 2**30:.2f} GiB) for "
            f"{pool.n} rows of {pool.d}: {RUNTIME >> 20} MiB for Python and JAX, "
            f"{wider * per_row} bytes a row of the pool, and {GRAIN} rows at a time; "
            f"found {memory} ({memory / 2**30:.2f} GiB)"
        )
    useful = -(-pool.n // GRAIN) * GRAIN
    block = min((memory - held) // a_row, LARGEST // (4 * pool.d), useful)
    block = max(GRAIN, block // GRAIN * GRAIN)
    return Plan(memory, block, held + a_row * block)
