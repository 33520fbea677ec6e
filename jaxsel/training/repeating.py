"""Batches from one permutation after another, at any step without a history."""

import jax
import jax.numpy as jnp
from jax import Array, lax


def repeated_permutations(key: Array, size: int, start: Array, count: int) -> Array:
    """Elements `start … start + count − 1` of an endless row of random permutations.

    Each permutation of 0 … size − 1 is a fresh one, so every `size` elements (from a
    multiple of `size` on) hold each number once, and a batch larger than `size` holds
    each of them equally often but for one.

    Args:
      key: of the row.
      size: number of elements.
      start: int32 scalar, from 0.
      count: how many.

    Returns:
      int32 `[count]`; the same numbers wherever the row is entered.

    Example:
      >>> row = repeated_permutations(jax.random.key(0), 3, jnp.int32(3), 6)
      >>> sorted(row[:3].tolist()), sorted(row[3:].tolist())
      ([0, 1, 2], [0, 1, 2])
    """

    def permutation(number: Array) -> Array:
        return jnp.argsort(jax.random.uniform(jax.random.fold_in(key, number), (size,)))

    numbers = start // size + jnp.arange(count // size + 2)
    row = jax.vmap(permutation)(numbers).reshape(-1).astype(jnp.int32)
    return lax.dynamic_slice_in_dim(row, start % size, count)
