"""An orthonormal basis that grows: the span of the picks (and labelled rows) so far."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

BLOCK = 64  # basis rows per product; also the room kept free for an append

# Below this share of its own length, a labelled row adds no direction that float32
# can tell from rounding.
DEPENDENT = 1e-5


class Basis(NamedTuple):
    """Orthonormal rows, and zeros after them.

    Attributes:
      rows: float32 `[capacity + room, d]`; row i is 0 for i >= size.
      size: int32 scalar.
    """

    rows: jax.Array
    size: jax.Array


def empty(capacity: int, room: int, d: int) -> Basis:
    """A basis of size 0 for up to `capacity` rows, appended to `room` at a time."""
    held = -(-(capacity + room) // BLOCK) * BLOCK
    return Basis(jnp.zeros((held, d), jnp.float32), jnp.int32(0))


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
    d = basis.rows.shape[1]

    def one_block(i, x):
        q = jax.lax.dynamic_slice(basis.rows, (i * BLOCK, 0), (BLOCK, d))
        return x - product(product(x, q.T), q)

    return jax.lax.fori_loop(0, -(-basis.size // BLOCK), one_block, x)


def append(basis: Basis, rows: jax.Array, count: jax.Array) -> Basis:
    """Adds the first `count` of `rows`; the others must be zero."""
    return Basis(
        jax.lax.dynamic_update_slice(basis.rows, rows, (basis.size, 0)),
        basis.size + count,
    )


def absorb(basis: Basis, features: jax.Array, wanted: jax.Array, block: int) -> Basis:
    """Extends the basis to the span of the wanted rows, `block` of them at a time.

    Args:
      basis: capacity at least min(n, d), with room for `block` rows.
      features: float32 `[n, d]`.
      wanted: bool `[n]`.
      block: rows orthogonalised together.
    """
    n, d = features.shape
    full = min(n, d)
    place = jnp.where(wanted, jnp.cumsum(wanted) - 1, n)
    members = (
        jnp.zeros(n, jnp.int32)
        .at[place]
        .set(jnp.arange(n, dtype=jnp.int32), mode="drop")
    )
    count = jnp.sum(wanted, dtype=jnp.int32)

    def more(carry):
        start, basis = carry
        return (start < count) & (basis.size < full)

    def one_chunk(carry):
        start, basis = carry
        at = start + jnp.arange(block, dtype=jnp.int32)
        valid = at < count
        rows = features[members[jnp.minimum(at, n - 1)]] * valid[:, None]
        lengths = jnp.sqrt(jnp.sum(jnp.square(rows), axis=1))
        rest = project_out(basis, project_out(basis, rows))

        def one_row(t, carry):
            rest, new, added = carry
            # Twice is enough: the second pass removes what rounding left.
            q = rest[t] - (new.T @ (new @ rest[t]))
            length = jnp.sqrt(jnp.sum(jnp.square(q)))
            keep = (length > DEPENDENT * lengths[t]) & (basis.size + added < full)
            q = jnp.where(keep, q / jnp.where(length > 0, length, 1.0), 0.0)
            rest = rest - jnp.outer(product(rest, q), q)
            new = jax.lax.dynamic_update_slice(new, q[None], (added, 0))
            return rest, new, added + keep.astype(jnp.int32)

        new = jnp.zeros((block, d), jnp.float32)
        _, new, added = jax.lax.fori_loop(0, block, one_row, (rest, new, jnp.int32(0)))
        return start + block, append(basis, new, added)

    return jax.lax.while_loop(more, one_chunk, (jnp.int32(0), basis))[1]
