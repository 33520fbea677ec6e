"""How large a pool's rows are, and the arithmetic that their spread demands.

Methods square the numbers of a row. float32 holds squares from 2^-126 to 2^128, so one
row of 1e30 beside rows of 1 leaves no common unit in which all of them can be squared.
What has to hold depends on what a method compares:

- lengths: a square must not lose its last bits to underflow;
- residuals: besides, what rounding leaves of the longest row must be short beside the
  shortest;
- distances: only those that are reached matter, which is looked at afterwards;
- directions: every row has a unit of its own.

Most pools satisfy this, perhaps in another unit, a power of two, and are computed in
float32. Otherwise *rows are compared in float64*, whose exponent has eight times the
range: the same programs under `jax.enable_x64`. Where only directions are compared,
each row is divided by a power of two of its own, which changes no direction, and
float32 does.

The magnitudes come from one pass over the rows. It takes the largest of the numbers'
bits as integers: without the sign bit these have the order of the numbers they stand
for, and infinity and NaN are above all finite ones. A maximum of floats will not do: on
some processors XLA's drops NaN, and subnormal numbers count as zero.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.errors import UserError

# Largest numbers of a pool that is computed with as it is.
SMALL, LARGE = 1e-12, 1e12
# Rows at least so long keep all bits of their squares in float32.
SQUARED = 2.0**-50
# Longest over shortest row for which float32's rounding of a residual does not matter.
PROJECTED = 2.0**20
# Rows at least so long are divided by their length in float32 without loss.
DIVIDED = 2.0**-100
# A distance below this one may have lost squares of entries below the other.
NEAR, TINY = 2.0**-40, 2.0**-38
# In float64: the exponent of the longest row where the spread is large, and the largest
# spread whose squares fit.
_TOP, _SPREAD = 500, 1005
_EASY = 400
# Rows of two groups that are further apart than this, in powers of two, never meet in
# one sum: the gap between them may be narrowed to it.
_GAP = 100
_BYTES = 1 << 24
# Rows that are looked at together.
_LOOKED_AT = 4096
_INFINITY = np.int32(0x7F800000)


class Extent(NamedTuple):
    """The range of the rows' largest entries, absolute.

    Attributes:
      least: of the rows that are not zero; 0 where all are.
      largest: of all rows.
      zero_rows: how many rows are zero.
    """

    least: float
    largest: float
    zero_rows: int


class Form(NamedTuple):
    """In which unit and precision rows are compared.

    Attributes:
      scale: the power of two that they are multiplied by.
      wide: whether float32 does not suffice.
    """

    scale: float
    wide: bool


@jax.jit
def row_bits(rows: jax.Array) -> jax.Array:
    """The largest bits of a row's numbers, without signs: float32 `[n, d]` to int32.

    At or above those of infinity where a number is not finite; 0 for a zero row.
    """
    n, d = rows.shape
    size = min(n, _LOOKED_AT)

    def look(i: jax.Array, found: jax.Array) -> jax.Array:
        start = jnp.minimum(i * size, n - size)  # the last block reaches back
        part = jax.lax.dynamic_slice(rows, (start, 0), (size, d))
        return jax.lax.dynamic_update_slice(found, _largest_bits(part), (start,))

    blocks = -(-n // size)
    return jax.lax.fori_loop(0, blocks, look, jnp.zeros(n, jnp.int32))


def _largest_bits(rows: jax.Array) -> jax.Array:
    """By halving: a maximum of integers over an axis is not vectorised on a CPU.

    The barriers keep the steps apart, each of which is; 20 times as fast.
    """
    bits = jax.lax.bitcast_convert_type(rows, jnp.int32)
    largest = jax.lax.optimization_barrier(bits & np.int32(0x7FFFFFFF))
    while largest.shape[1] > 1:
        half = -(-largest.shape[1] // 2)
        largest = jnp.maximum(largest[:, :half], largest[:, -half:])
        largest = jax.lax.optimization_barrier(largest)
    return largest[:, 0]


def largest_entries(
    bits: np.ndarray, read: Callable[[np.ndarray], np.ndarray] | None = None
) -> np.ndarray:
    """The largest absolute entry of each row; NaN where one is not finite.

    Args:
      bits: int32 `[n]`, of `row_bits`.
      read: gives rows, by their numbers int `[m]`, in a type of more range than
        float32. Rows that float32 cannot tell from infinity or zero are read again.

    Returns:
      float64 `[n]`.
    """
    found = bits.view(np.float32).astype(np.float64)
    found[bits >= _INFINITY] = np.nan
    if read is None:
        return found
    doubtful = np.flatnonzero(~(found >= DIVIDED))
    for some in np.array_split(doubtful, max(1, len(doubtful) // 4096)):
        if len(some):
            found[some] = _largest_of(read(some))
    return found


def _largest_of(rows: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        exact = np.abs(np.asarray(rows, np.float64))
    return np.where(np.isfinite(exact).all(axis=1), exact.max(axis=1), np.nan)


def extent_of(entries: np.ndarray) -> Extent:
    """The range of finite largest entries `[n]`.

    Example:
      >>> extent_of(np.array([2.0, 0.0, 1e30]))
      Extent(least=2.0, largest=1e+30, zero_rows=1)
    """
    some = entries[entries > 0]
    least = float(some.min()) if some.size else 0.0
    return Extent(least, float(entries.max(initial=0.0)), len(entries) - some.size)


def form_of(compares: str, extent: Extent) -> Form:
    """The form in which rows of an extent can be compared.

    Args:
      compares: "nothing", "directions", "lengths", "residuals" or "distances".
      extent: of the pool.

    Example:
      >>> form_of("lengths", Extent(1.0, 1e30, 0)), form_of("nothing", Extent(1, 1, 0))
      (Form(scale=1.5777218104420236e-30, wide=True), Form(scale=1.0, wide=False))
    """
    scale = scale_of(extent.largest)
    least = extent.least * scale
    spread = extent.largest / extent.least if extent.least else 1.0
    enough = {
        "nothing": True,
        "distances": True,
        "directions": least >= DIVIDED,
        "lengths": least >= SQUARED,
        "residuals": least >= SQUARED and spread <= PROJECTED,
    }[compares]
    return Form(scale, extent.largest > 0 and not enough)


def scale_of(largest: float) -> float:
    """The power of two that moves a pool whose squares leave float32 near 1.

    Every law here is a law of ratios, so an exact common factor changes nothing
    but the unit of the gains.
    """
    if largest == 0 or SMALL < largest < LARGE:
        return 1.0
    # 2^1023 is the largest power of two.
    return float(np.ldexp(1.0, min(1 - int(np.frexp(largest)[1]), 1023)))


def scaled(rows: Any, scale: float) -> jax.Array:
    """float32 rows times a power of two, which may itself be beyond float32.

    Args:
      rows: a float32 `jax.Array` whose rows float32 holds in full; or a NumPy array of
        any real type, which is multiplied before it is rounded to float32.
      scale: a power of two.
    """
    if isinstance(rows, np.ndarray):
        return jnp.asarray(_by_parts(rows, lambda part: part * scale, np.float32))
    if 2.0**-126 <= scale <= 2.0**126:
        return rows * jnp.float32(scale)
    # XLA would take a factor below 2^-126 for zero.
    half = np.ldexp(1.0, (int(np.frexp(scale)[1]) - 1) // 2)
    return (rows * jnp.float32(half)) * jnp.float32(scale / half)


def by_own_powers(rows: Any) -> np.ndarray:
    """Every row over a power of two of its own, so that its largest entry is near 1.

    Args:
      rows: real `[n, d]`.

    Returns:
      float32 `[n, d]`; the rows' directions, zero rows as they are.

    Example:
      >>> by_own_powers(np.array([[3.0, 0.0], [0.0, 2.0**-900], [0.0, 0.0]])).tolist()
      [[0.75, 0.0], [0.0, 0.5], [0.0, 0.0]]
    """

    def part_of(part: np.ndarray) -> np.ndarray:
        return np.ldexp(part, -_exponents(part)[:, None])

    return _by_parts(rows, part_of, np.float32)


def shifts_for(entries: np.ndarray, extent: Extent, compares: str) -> np.ndarray:
    """Powers of two that bring rows to where float64 holds their squares.

    Args:
      entries: float64 `[n]`, the rows' largest entries.
      extent: of them.
      compares: what the method compares, see the module.

    Returns:
      int64, a scalar for all rows; or `[n]`, where their lengths are so far apart that
      no unit will do. Then gaps between them, across which no two rows are comparable
      anyway, are narrowed, which keeps the order of lengths and residuals.

    Raises:
      UserError: rows that not even float64 can compare.
    """
    top, bottom = (int(np.frexp(end)[1]) for end in (extent.largest, extent.least))
    if top - bottom <= _SPREAD:
        lift = 0 if top - bottom <= _EASY else _TOP
        return np.asarray(lift - top)
    if compares == "distances":
        raise UserError(
            "expected rows whose squared distances float64 holds, found rows from "
            f"{extent.least:.3g} to {extent.largest:.3g}: leave out those that are not "
            "features, or choose method norm or gram_schmidt"
        )
    exponents = np.frexp(entries)[1].astype(np.int64)
    exponents[entries == 0] = bottom
    levels, places = np.unique(exponents, return_inverse=True)
    steps = np.minimum(np.diff(levels), _GAP)
    if steps.sum() > _SPREAD:
        raise UserError(
            "expected rows whose lengths float64 can compare, found lengths all the "
            f"way from {extent.least:.3g} to {extent.largest:.3g}: leave out those "
            "that are not features"
        )
    below = np.concatenate([np.cumsum(steps[::-1])[::-1], [0]])
    return (_TOP - below)[places] - exponents


def shifted(rows: Any, shifts: np.ndarray) -> np.ndarray:
    """Rows times powers of two, exactly: float64 `[n, d]`.

    Args:
      rows: real `[n, d]`.
      shifts: int64, a scalar or `[n]`.
    """

    def part_of(part: np.ndarray, where: slice) -> np.ndarray:
        powers = shifts if shifts.ndim == 0 else shifts[where, None]
        # In two steps: the factor itself may be beyond float64.
        return np.ldexp(np.ldexp(part, powers // 2), powers - powers // 2)

    return _by_parts(rows, part_of, np.float64, where=True)


def powers_after(shifts: np.ndarray, scale: float) -> np.ndarray:
    """What brings lengths of shifted rows to the unit of the gains: powers of two."""
    return exponent_of(scale) - shifts


def exponent_of(power: float) -> int:
    """Of a power of two."""
    return int(np.frexp(power)[1]) - 1


def weights_of(
    mantissas: np.ndarray, powers: np.ndarray, divisors: np.ndarray | None, top: int
) -> np.ndarray:
    """Norms over divisors, times 2^(1000 - top): float64 `[n, 1]`.

    Args:
      mantissas, powers: of `lengths_of`.
      divisors: float64 `[n]`, finite and not negative; or None. A row whose divisor is
        0 weighs nothing.
      top: a power of two that no quotient exceeds, of `top_of`.
    """
    if divisors is not None:
        over, exponents = np.frexp(divisors)
        mantissas = np.where(over > 0, mantissas / np.where(over > 0, over, 1), 0.0)
        powers = powers - exponents
    # What is lost below is 2^2000 times shorter than the longest.
    shift = np.maximum(powers - top + 1000, -1200)
    return np.ldexp(mantissas, shift)[:, None]


def top_of(entries: np.ndarray, divisors: np.ndarray | None, d: int) -> int:
    """A power of two above every norm of rows of `d` numbers over its divisor."""
    some = entries > 0
    exponents = np.frexp(entries)[1]
    if divisors is not None:
        some = some & (divisors > 0)
        exponents = exponents - np.frexp(divisors)[1]
    return int(np.max(exponents, initial=-9999, where=some)) + d.bit_length() + 2


def lengths_of(rows: Any, order: float) -> tuple[np.ndarray, np.ndarray]:
    """Norms as `mantissa * 2^power`: float64 `[n]` and int64 `[n]`, 0 for zero rows."""
    norms, powers = [], []
    for part in _parts(rows):
        values = np.asarray(part, np.float64)
        exponents = _exponents(values)
        unit = np.ldexp(values, -exponents[:, None])
        norms.append(np.linalg.norm(unit, order, axis=1))
        powers.append(exponents)
    return np.concatenate(norms), np.concatenate(powers)


def gains_of(gains: Any, powers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """float32 gains of picks, from those of `in_float64`'s rows.

    Args:
      gains: float64 `[b]`.
      powers: of `Wide`.
      rows: int `[b]`, the picks; below 0 for none.
    """
    own = powers if powers.ndim == 0 else powers[np.maximum(rows, 0)]
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(np.asarray(gains, np.float64), own).astype(np.float32)


def lost_distances(gains: Any, scale: float, least: Callable[[], float]) -> bool:
    """Whether float32 may have taken rows for copies that are not.

    Args:
      gains: `[b]`, distances at which rows were picked.
      scale: of the form.
      least: gives the smallest entry of the pool that is not 0, absolute; asked only
        where a distance is so small that it matters.
    """
    return bool(np.any(np.asarray(gains) < NEAR)) and least() * scale < TINY


def least_entry(rows: Any) -> float:
    """The smallest absolute entry that is not 0; infinite where there is none."""
    least = np.inf
    for part in _parts(rows):
        values = np.abs(np.asarray(part, np.float64))
        least = min(least, float(np.min(values, where=values > 0, initial=np.inf)))
    return least


def _exponents(rows: np.ndarray) -> np.ndarray:
    """int64 `[n]`: 2^e is just above a row's largest entry; 0 for a zero row."""
    return np.frexp(np.abs(rows).max(axis=1))[1].astype(np.int64)


def _parts(rows: Any):
    """Some rows at a time, as NumPy arrays of the type that they have."""
    step = max(1, _BYTES // (8 * rows.shape[1]))
    for start in range(0, rows.shape[0], step):
        yield np.asarray(rows[start : start + step])


def _by_parts(rows: Any, part_of: Any, dtype: Any, where: bool = False) -> np.ndarray:
    """`part_of` float64 rows, some at a time, rounded to a type."""
    found = np.empty(rows.shape, dtype)
    done = 0
    for part in _parts(rows):
        here = slice(done, done + len(part))
        given = (np.asarray(part, np.float64), *((here,) if where else ()))
        with np.errstate(over="ignore", under="ignore"):
            found[here] = part_of(*given)
        done = here.stop
    return found
