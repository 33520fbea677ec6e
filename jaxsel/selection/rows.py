"""Unit rows, for the methods that compare directions rather than lengths."""

import jax
import jax.numpy as jnp


@jax.jit
def unit_rows(features: jax.Array) -> jax.Array:
    """Every row over its Euclidean norm; a zero row stays zero.

    Divides by the largest entry first, so that squares neither overflow nor
    vanish. float64 rows are first divided by a power of two of their own, which brings
    them within float32's range and changes no direction.

    Args:
      features: float32 or float64 `[n, d]`.

    Returns:
      float32 `[n, d]`.

    Example:
      >>> import jax.numpy as jnp
      >>> unit_rows(jnp.array([[0.0, 2.0], [0.0, 0.0]])).tolist()
      [[0.0, 1.0], [0.0, 0.0]]
    """
    largest = jnp.max(jnp.abs(features), axis=1, keepdims=True)
    if features.dtype == jnp.float64:
        features = jnp.ldexp(features, -jnp.frexp(largest)[1]).astype(jnp.float32)
        largest = jnp.max(jnp.abs(features), axis=1, keepdims=True)
    scaled = features / jnp.where(largest > 0, largest, 1.0)
    length = jnp.sqrt(jnp.sum(jnp.square(scaled), axis=1, keepdims=True))
    return scaled / jnp.where(length > 0, length, 1.0)
