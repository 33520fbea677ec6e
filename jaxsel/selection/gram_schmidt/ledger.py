"""The picks so far, their basis, and the rounds: shared by the fast forms."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.gram_schmidt.block import Block, span


class Ledger(NamedTuple):
    """What outlives a pass over the pool.

    Attributes:
      rows: int32 `[budget]`, the first `picked` are the picks.
      gains: float32 `[budget]`.
      picked: int32 scalar, how many.
      free: bool `[n]`, rows that may still be picked.
      basis: spans the picks of this round, and the labelled rows in the first.
      rounds: int32 scalar, rounds begun.
      passes: int32 scalar, blocks drawn.
      measures: int32 scalar, times the residuals were measured explicitly.
      ratio: float32 scalar, the largest residual over its bound; above 1 the
        bound did not hold.
    """

    rows: jax.Array
    gains: jax.Array
    picked: jax.Array
    free: jax.Array
    basis: bases.Basis
    rounds: jax.Array
    passes: jax.Array
    measures: jax.Array
    ratio: jax.Array


def open_ledger(
    features: jax.Array, labelled: jax.Array, budget: int, block: int
) -> Ledger:
    """No picks yet; a basis of the labelled rows, where there are any."""
    basis = span(features, labelled, block)
    zero = jnp.int32(0)
    return Ledger(
        jnp.zeros(budget, jnp.int32),
        jnp.zeros(budget, jnp.float32),
        zero,
        ~labelled,
        basis,
        jnp.int32(1),
        zero,
        zero,
        jnp.float32(0),
    )


def wants_more(ledger: Ledger, own: jax.Array) -> jax.Array:
    """Whether picks are missing and a row that is not zero is left."""
    budget = ledger.rows.shape[0]
    return (ledger.picked < budget) & jnp.any(ledger.free & (own > 0))


def next_round(ledger: Ledger) -> Ledger:
    """The remaining rows start over, with an empty basis."""
    blank = bases.Basis(jnp.zeros_like(ledger.basis.rows), jnp.int32(0))
    return ledger._replace(basis=blank, rounds=ledger.rounds + 1)


def record(ledger: Ledger, block: Block) -> Ledger:
    """Enters a block's picks; those beyond the budget must not have been taken."""
    budget = ledger.rows.shape[0]
    n = ledger.free.shape[0]
    slot = jnp.arange(block.rows.shape[0], dtype=jnp.int32)
    at = jnp.where(slot < block.added, ledger.picked + slot, budget)
    return ledger._replace(
        rows=ledger.rows.at[at].set(block.rows[block.order], mode="drop"),
        gains=ledger.gains.at[at].set(block.gains, mode="drop"),
        picked=ledger.picked + block.added,
        free=ledger.free.at[jnp.where(block.taken, block.rows, n)].set(
            False, mode="drop"
        ),
        basis=bases.append(ledger.basis, block.new, block.added),
        passes=ledger.passes + 1,
    )


def finish(ledger: Ledger, scores: jax.Array) -> Picks:
    """Fills what is missing from the zero rows, highest score first.

    Args:
      ledger: without a free row that is not zero, if it is short.
      scores: float32 `[n]`, finite.
    """
    budget = ledger.rows.shape[0]
    short = ledger.picked < budget

    def fill(ledger: Ledger) -> Ledger:
        _, rest = jax.lax.top_k(jnp.where(ledger.free, scores, -jnp.inf), budget)
        place = jnp.arange(budget, dtype=jnp.int32)
        moved = rest[jnp.clip(place - ledger.picked, 0)].astype(jnp.int32)
        return ledger._replace(
            rows=jnp.where(place < ledger.picked, ledger.rows, moved),
            rounds=ledger.rounds + 1,
        )

    ledger = jax.lax.cond(short, fill, lambda ledger: ledger, ledger)
    info = {
        "passes": ledger.passes,
        "measures": ledger.measures,
        "bound_ratio": ledger.ratio,
    }
    return Picks(ledger.rows, ledger.gains, ledger.rounds, info)
