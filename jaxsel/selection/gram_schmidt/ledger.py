"""The picks so far, their basis, and the rounds: shared by the fast forms."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection import rules as rule
from jaxsel.selection import sampling
from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.gram_schmidt.block import Block, span
from jaxsel.selection.rules import Rules, Standing


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
      standing: what the picks have left of the rules, where there are some.
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
    standing: Standing | None = None


def open_ledger(
    features: jax.Array,
    labelled: jax.Array,
    budget: int,
    block: int,
    rules: Rules | None = None,
) -> Ledger:
    """No picks yet; a basis of the labelled rows, where there are any."""
    basis = span(features, labelled, block)
    zero = jnp.int32(0)
    return Ledger(
        jnp.zeros(budget, jnp.int32),
        jnp.zeros(budget, features.dtype),
        zero,
        ~labelled,
        basis,
        jnp.int32(1),
        zero,
        zero,
        jnp.zeros((), features.dtype),
        None if rules is None else rule.begin(rules, budget),
    )


def open_rows(ledger: Ledger, rules: Rules | None) -> jax.Array:
    """bool `[n]`: free, and allowed by the rules."""
    if rules is None or ledger.standing is None:
        return ledger.free
    return ledger.free & rule.allowed(rules, ledger.standing)


def wants_more(ledger: Ledger, own: jax.Array, rules: Rules | None = None) -> jax.Array:
    """Whether picks are missing and a row that is not zero may be picked."""
    budget = ledger.rows.shape[0]
    return (ledger.picked < budget) & jnp.any(open_rows(ledger, rules) & (own > 0))


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


def finish(ledger: Ledger, scores: jax.Array, rules: Rules | None = None) -> Picks:
    """Fills what is missing from the zero rows, highest score first.

    Args:
      ledger: without an open row that is not zero, if it is short.
      scores: float32 `[n]`, finite.
      rules: what the picks must heed.
    """
    budget = ledger.rows.shape[0]
    short = ledger.picked < budget

    def fill(ledger: Ledger) -> Ledger:
        if rules is None or ledger.standing is None:
            _, rest = jax.lax.top_k(jnp.where(ledger.free, scores, -jnp.inf), budget)
        else:
            rest, _ = sampling.in_tiers_by_rules(
                scores, (ledger.free,), rules, ledger.standing, budget
            )
        place = jnp.arange(budget, dtype=jnp.int32)
        moved = rest[jnp.clip(place - ledger.picked, 0)].astype(jnp.int32)
        return ledger._replace(
            rows=jnp.where(place < ledger.picked, ledger.rows, moved),
            rounds=ledger.rounds + jnp.any(rest >= 0),
        )

    ledger = jax.lax.cond(short, fill, lambda ledger: ledger, ledger)
    info = {
        "passes": ledger.passes,
        "measures": ledger.measures,
        "bound_ratio": ledger.ratio,
    }
    return Picks(ledger.rows, ledger.gains, ledger.rounds, info)
