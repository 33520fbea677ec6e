"""Writes to slots of a memory where a slot may be named twice: the last one wins."""

import jax.numpy as jnp
from jax import Array


def last_writer(slots: Array, writes: Array, count: int) -> Array:
    """For each slot, which element of a batch writes to it.

    A scatter with repeated indices leaves the winner open, and on an accelerator it
    changes from run to run; here the last element of the batch wins.

    Args:
      slots: int32 `[b]`, the slot that each element names, 0 … count − 1.
      writes: bool `[b]`, whether the element writes at all.
      count: number of slots.

    Returns:
      int32 `[count]`: the element, or −1 for a slot that nothing is written to.

    Example:
      >>> last_writer(jnp.array([1, 3, 1]), jnp.array([True, True, True]), 4).tolist()
      [-1, 2, -1, 1]
    """
    element = jnp.where(writes, jnp.arange(slots.shape[0]), -1)
    return jnp.full(count, -1).at[slots].max(element)


def write(memory: Array, values: Array, writer: Array) -> Array:
    """The memory after the writes.

    Args:
      memory: `[count, ...]`.
      values: `[b, ...]`, what each element of the batch writes.
      writer: int32 `[count]`, as from `last_writer`.

    Returns:
      `[count, ...]`.
    """
    chosen = values[jnp.maximum(writer, 0)].astype(memory.dtype)
    written = (writer >= 0).reshape(-1, *[1] * (memory.ndim - 1))
    return jnp.where(written, chosen, memory)
