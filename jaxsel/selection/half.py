"""float16 as float32, exactly, on processors that cannot convert it.

XLA compiles the conversion to an instruction (F16C) or, where there is none, to a call
of a function that its runtime lacks: the program fails. The bits need neither.
"""

import jax
import jax.numpy as jnp
from jax import lax


def widened(rows: jax.Array) -> jax.Array:
    """The same numbers in float32.

    A float16 of sign s, exponent e (5 bits) and significand m (10 bits) is
    (-1)^s 2^(e - 15) (1 + m / 1024), or (-1)^s 2^-24 m where e = 0; e = 31 is infinite
    or NaN. float32 has the same fields of 8 and 23 bits, its exponent less 127.

    Args:
      rows: of any real type, any shape.

    Returns:
      float32 of the same shape, equal to every float16 and bfloat16.

    Example:
      >>> import jax.numpy as jnp
      >>> widened(jnp.array([1.5, -2**-24, jnp.inf], jnp.float16)).tolist()
      [1.5, -5.960464477539063e-08, inf]
    """
    if rows.dtype != jnp.float16:
        return rows.astype(jnp.float32)
    return _from_bits(rows)


@jax.jit
def _from_bits(rows: jax.Array) -> jax.Array:
    bits = lax.bitcast_convert_type(rows, jnp.uint16).astype(jnp.uint32)
    exponent, significand = (bits >> 10) & 31, bits & 1023
    field = jnp.where(exponent == 31, 255, exponent + 112)
    size = lax.bitcast_convert_type((field << 23) | (significand << 13), jnp.float32)
    small = significand.astype(jnp.float32) * jnp.float32(2.0**-24)
    size = jnp.where(exponent == 0, small, size)
    return jnp.where(bits >> 15 == 1, -size, size)
