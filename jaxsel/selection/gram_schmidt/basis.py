"""An orthonormal basis that grows: the span of the picks (and labelled rows) so far."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

BLOCK = 64  # basis rows per product; also the room kept free for an append


class Basis(NamedTuple):
    """Orthonormal rows, and zeros after them.

    Attributes:
      rows: float32 `[capacity + room, d]`; row i is 0 for i >= size.
      size: int32 scalar.
    """

    rows: jax.Array
    size: jax.Array


def empty(capacity: int, room: int, d: int, dtype: Any = jnp.float32) -> Basis:
    """A basis of size 0 for up to `capacity` rows, appended to `room` at a time."""
    held = -(-(capacity + room) // BLOCK) * BLOCK
    return Basis(jnp.zeros((held, d), dtype), jnp.int32(0))


def product(a: jax.Array, b: jax.Array) -> jax.Array:
    """`a @ b` in full float32: TF32 or bfloat16 passes break orthogonality."""
    return jnp.matmul(a, b, precision="highest")


def project_out(basis: Basis, x: jax.Array) -> jax.Array:
    """`x - x Q^T Q` for the basis Q, BLOCK of its rows at a time.

    Only the filled part of the basis is read, so the result and its cost depend
    on the size, not on the capacity.

    Args:
      basis: orthonormal rows.
      x: float32 `[m, d]`.
    """

    def one_block(i, x):
        q = jax.lax.dynamic_slice_in_dim(basis.rows, i * BLOCK, BLOCK)
        return x - product(product(x, q.T), q)

    return jax.lax.fori_loop(0, -(-basis.size // BLOCK), one_block, x)


def append(basis: Basis, rows: jax.Array, count: jax.Array) -> Basis:
    """Adds the first `count` of `rows`; the others must be zero."""
    return Basis(
        jax.lax.dynamic_update_slice_in_dim(basis.rows, rows, basis.size, 0),
        basis.size + count,
    )
