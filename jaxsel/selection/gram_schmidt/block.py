"""A block of gathered rows, from which picks are taken one by one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.norm import row_norms

# A residual that shrank below this share within the block has lost that much of its
# orthogonality to the basis, and is projected once more.
SHRUNK = 0.05

# Below this share of its own length, a labelled row adds no direction that float32
# can tell from rounding.
DEPENDENT = 1e-5


class Block(NamedTuple):
    """Rows with everything picked so far projected out, explicitly.

    Attributes:
      rows: int32 `[b]`, which rows of the pool.
      rest: float32 `[b, d]`, their residuals.
      at_start: float32 `[b]`, the residuals' lengths before any pick of this block.
      new: float32 `[b, d]`, unit directions of the picks, zero rows after them.
      taken: bool `[b]`.
      order: int32 `[b]`, places of the picks in the order taken.
      gains: float32 `[b]`, the residual lengths they were taken with.
      added: int32 scalar, picks taken.
    """

    rows: jax.Array
    rest: jax.Array
    at_start: jax.Array
    new: jax.Array
    taken: jax.Array
    order: jax.Array
    gains: jax.Array
    added: jax.Array


def gather(features: jax.Array, rows: jax.Array, basis: bases.Basis) -> Block:
    """Opens a block on rows `[b]` of the pool."""
    # Twice from the original rows: the second pass removes what rounding left.
    rest = bases.project_out(basis, bases.project_out(basis, features[rows]))
    zeros = jnp.zeros(rows.shape, features.dtype)
    return Block(
        rows,
        rest,
        row_norms(rest),
        jnp.zeros_like(rest),
        jnp.zeros(rows.shape, bool),
        jnp.zeros_like(rows),
        zeros,
        jnp.int32(0),
    )


def take(block: Block, place: jax.Array, basis: bases.Basis) -> Block:
    """Picks the row at `place`: its direction leaves every residual of the block."""
    row = block.rest[place]
    length = jnp.sqrt(jnp.sum(jnp.square(row)))
    q = row / jnp.where(length > 0, length, 1.0)
    q = q - bases.product(bases.product(block.new, q), block.new)
    q = jax.lax.cond(
        length < SHRUNK * block.at_start[place],
        lambda q: bases.project_out(basis, q[None])[0],
        lambda q: q,
        q,
    )
    size = jnp.sqrt(jnp.sum(jnp.square(q)))
    q = q / jnp.where(size > 0, size, 1.0)
    return block._replace(
        rest=block.rest - jnp.outer(bases.product(block.rest, q), q),
        new=jax.lax.dynamic_update_slice_in_dim(block.new, q[None], block.added, 0),
        taken=block.taken.at[place].set(True),
        order=block.order.at[block.added].set(place),
        gains=block.gains.at[block.added].set(length),
        added=block.added + 1,
    )


def span(features: jax.Array, wanted: jax.Array, room: int) -> bases.Basis:
    """An orthonormal basis of the wanted rows, for up to min(n, d) directions.

    Args:
      features: float32 `[n, d]`.
      wanted: bool `[n]`, possibly none.
      room: rows that later appends may add at a time.
    """
    n, d = features.shape
    size = bases.BLOCK
    nothing = bases.empty(min(n, d), max(room, size), d, features.dtype)

    def extend(basis: bases.Basis) -> bases.Basis:
        count = jnp.sum(wanted, dtype=jnp.int32)
        place = jnp.where(wanted, jnp.cumsum(wanted) - 1, n)
        members = (
            jnp.zeros(n, jnp.int32)
            .at[place]
            .set(jnp.arange(n, dtype=jnp.int32), mode="drop")
        )

        def one_block(carry):
            start, basis = carry
            at = start + jnp.arange(size, dtype=jnp.int32)
            rows = members[jnp.minimum(at, n - 1)]
            block = gather(features, rows, basis)
            enough = DEPENDENT * row_norms(features[rows])

            def one_row(t, block: Block) -> Block:
                length = jnp.sqrt(jnp.sum(jnp.square(block.rest[t])))
                new = (at[t] < count) & (length > enough[t])
                return jax.lax.cond(
                    new & (basis.size + block.added < min(n, d)),
                    lambda block: take(block, t, basis),
                    lambda block: block,
                    block,
                )

            block = jax.lax.fori_loop(0, size, one_row, block)
            return start + size, bases.append(basis, block.new, block.added)

        def unfinished(carry):
            start, basis = carry
            return (start < count) & (basis.size < min(n, d))

        return jax.lax.while_loop(unfinished, one_block, (jnp.int32(0), basis))[1]

    return jax.lax.cond(jnp.any(wanted), extend, lambda basis: basis, nothing)
