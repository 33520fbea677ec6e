"""A block of gathered rows, from which picks are taken one by one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.norm import row_norms

# A residual that shrank below this share within the block has lost that much of its
# orthogonality to the basis, and is projected once more.
SHRUNK = 0.05


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
    zeros = jnp.zeros(rows.shape, jnp.float32)
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
        new=jax.lax.dynamic_update_slice(block.new, q[None], (block.added, 0)),
        taken=block.taken.at[place].set(True),
        order=block.order.at[block.added].set(place),
        gains=block.gains.at[block.added].set(length),
        added=block.added + 1,
    )
