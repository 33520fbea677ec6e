"""Squared distances to twice float32's precision, without float64.

A number is carried as an unevaluated sum `hi + lo` of two float32 values. Sums use
Knuth's TwoSum, whose error term is exact; products split each factor into two halves
of 12 bits by masking the significand, so that every partial product is exact in
float32. Because the products are exact, a compiler that fuses them with an addition
changes nothing. The order of all operations is fixed by the length of a row alone:
the value depends on the two rows, never on what they were batched with.

Sources: Knuth, TAOCP vol. 2, section 4.2.2; Dekker, Numer. Math. 18 (1971).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax


class TwoFloat(NamedTuple):
    """The real number `hi + lo`; both float32 of one shape, `|lo| <= ulp(hi)`."""

    hi: jax.Array
    lo: jax.Array


def two_sum(a: jax.Array, b: jax.Array) -> TwoFloat:
    """`a + b` exactly, as the rounded sum and its rounding error (Knuth)."""
    total = a + b
    b_seen = total - a
    return TwoFloat(total, (a - (total - b_seen)) + (b - b_seen))


def two_product(a: jax.Array, b: jax.Array) -> TwoFloat:
    """`a * b` exactly (barring underflow), from products of 12-bit halves."""
    a_head, a_tail = _halves(a)
    b_head, b_tail = _halves(b)
    cross = two_sum(a_head * b_tail, a_tail * b_head)
    first = two_sum(a_head * b_head, cross.hi)
    return _normalise(first.hi, first.lo + (a_tail * b_tail + cross.lo))


def add(a: TwoFloat, b: TwoFloat) -> TwoFloat:
    """`a + b`, to a relative 2^-45 when both are non-negative."""
    head = two_sum(a.hi, b.hi)
    return _normalise(head.hi, head.lo + (a.lo + b.lo))


def less(a: TwoFloat, b: TwoFloat) -> jax.Array:
    """Whether `a < b`; exact, by the exact difference of the leading parts."""
    head = two_sum(a.hi, -b.hi)
    tail = two_sum(a.lo, -b.lo)
    return head.hi + (head.lo + (tail.hi + tail.lo)) < 0


def squared_distance(x: jax.Array, y: jax.Array) -> TwoFloat:
    """`||x - y||^2` of float32 rows, to a relative 2^-40, symmetric in x and y.

    Args:
      x, y: float32 `[..., d]`.

    Returns:
      TwoFloat of shape `[...]`. It is exactly 0 for equal rows.
    """
    difference = two_sum(x, -y)
    square = two_product(difference.hi, difference.hi)
    # (hi + lo)^2 = hi^2 + 2 hi lo + lo^2; the last term is below 2^-48 hi^2.
    low = square.lo + 2 * difference.hi * difference.lo
    return _tree_sum(_normalise(square.hi, low))


def tree_sum(values: jax.Array) -> jax.Array:
    """float32 sum over the last axis by halving: relative error <= log2(d) 2^-24."""
    while values.shape[-1] > 1:
        values = _padded(values, 2)
        half = values.shape[-1] // 2
        values = values[..., :half] + values[..., half:]
    return values[..., 0]


def _tree_sum(values: TwoFloat) -> TwoFloat:
    hi, lo = values
    while hi.shape[-1] > 1:
        hi, lo = _padded(hi, 4), _padded(lo, 4)
        parts = zip(jnp.split(hi, 4, axis=-1), jnp.split(lo, 4, axis=-1), strict=True)
        a, b, c, d = (TwoFloat(*part) for part in parts)
        # Without the barrier all levels are fused into one expression with a term a
        # column, which takes the compiler much time and memory.
        hi, lo = lax.optimization_barrier(tuple(add(add(a, c), add(b, d))))
    return TwoFloat(hi[..., 0], lo[..., 0])


def _padded(values: jax.Array, multiple: int) -> jax.Array:
    pad = [(0, 0)] * (values.ndim - 1) + [(0, -values.shape[-1] % multiple)]
    return jnp.pad(values, pad)


def _halves(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    bits = lax.bitcast_convert_type(a, jnp.uint32) & jnp.uint32(0xFFFFF000)
    head = lax.bitcast_convert_type(bits, jnp.float32)
    return head, a - head


def _normalise(hi: jax.Array, lo: jax.Array) -> TwoFloat:
    total = hi + lo
    return TwoFloat(total, lo - (total - hi))
