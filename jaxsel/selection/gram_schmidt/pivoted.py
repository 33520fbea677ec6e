"""Deterministic Gram-Schmidt, many picks to a pass: a lazy column-pivoted QR.

Stale residual lengths are upper bounds. A pass computes the true residuals of the
rows with the highest bounds only, and takes the longest for as long as it is above
every bound outside the block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection import rules as rule
from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import ledger as ledgers
from jaxsel.selection.gram_schmidt import residuals as res
from jaxsel.selection.gram_schmidt.block import Block, gather, take
from jaxsel.selection.gram_schmidt.ledger import Ledger
from jaxsel.selection.norm import row_norms
from jaxsel.selection.rules import Rules, Standing
from jaxsel.selection.sharded import mesh

# Where the padding of an outside bound is no more than this share, and alone keeps
# it above the longest residual of the block, the two are tied to rounding.
PADDED = 1e-4


class Passes(NamedTuple):
    """What the passes over one measurement of the residuals carry.

    Attributes:
      ledger: the picks so far.
      left: float32 `[n]`, the measurement's `left`, downdated.
      stuck: bool, the last pass took nothing.
    """

    ledger: Ledger
    left: jax.Array
    stuck: jax.Array


def select(
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    block_size: int,
    rules: Rules | None = None,
) -> Picks:
    """Always the largest residual; see `select_gram_schmidt`."""
    n = features.shape[0]
    own = row_norms(features)

    def one_measurement(ledger: Ledger) -> Ledger:
        residuals = res.measure(features, own, ledger.basis)
        return jax.lax.cond(
            res.exhausted(residuals, own, ledgers.open_rows(ledger, rules)),
            ledgers.next_round,
            lambda ledger: _take_until_stuck(
                features, own, ledger, residuals, min(block_size, n), rules
            ),
            ledger._replace(measures=ledger.measures + 1),
        )

    ledger = jax.lax.while_loop(
        lambda ledger: ledgers.wants_more(ledger, own, rules),
        one_measurement,
        ledgers.open_ledger(features, labelled, budget, block_size, rules),
    )
    return ledgers.finish(ledger, -jnp.arange(n, dtype=jnp.float32), rules)


def _take_until_stuck(
    features: jax.Array,
    own: jax.Array,
    ledger: Ledger,
    residuals: res.Residuals,
    block_size: int,
    rules: Rules | None,
) -> Ledger:
    """Passes over one measurement, until done or no pick is certain."""
    measured_at = ledger.basis.size
    capacity = min(features.shape)

    def usable(state: Passes) -> jax.Array:
        full = state.ledger.basis.size >= capacity
        return ledgers.wants_more(state.ledger, own, rules) & ~state.stuck & ~full

    def one_pass(state: Passes) -> Passes:
        now = residuals._replace(left=state.left)
        free = ledgers.open_rows(state.ledger, rules)
        # On a fresh measurement the longest row is known without any bound.
        fresh = state.ledger.basis.size == measured_at
        sure = jnp.where(fresh, res.heaviest(res.lengths(now), free), -1)
        rows, outside = highest(now, free, sure, block_size)
        block = gather(features, rows, state.ledger.basis)
        block, standing = take_certain(
            state.ledger, block, own, outside, sure, capacity, rules
        )
        ledger = ledgers.record(state.ledger, block)._replace(standing=standing)
        left = jax.lax.cond(
            ledgers.wants_more(ledger, own, rules),
            lambda: res.downdate(now, block.new).left,
            lambda: state.left,  # the last pass needs no downdate
        )
        return Passes(ledger, left, block.added == 0)

    start = Passes(ledger, residuals.left, jnp.bool_(False))
    return jax.lax.while_loop(usable, one_pass, start).ledger


class Outside(NamedTuple):
    """What is known of the rows outside a block, float32 scalars, -1 for none.

    Attributes:
      bound: above every residual length outside.
      length: the largest residual length outside, as far as it is known.
    """

    bound: jax.Array
    length: jax.Array


def highest(
    residuals: res.Residuals, free: jax.Array, sure: jax.Array, size: int
) -> tuple[jax.Array, Outside]:
    """The rows with the highest bounds, ascending, and what the others can reach.

    Args:
      residuals: of all rows.
      free: bool `[n]`.
      sure: a row that must be among them, or -1.
      size: how many, at most n.
    """
    bound = jnp.where(free, res.bounds(residuals), -1.0)
    # Apart, or `rows[-1]` would be merged into the search, which then sorts.
    _, rows = mesh.top_k(bound, size)
    missing = (sure >= 0) & ~jnp.any(rows == sure)
    rows = jnp.sort(rows.at[-1].set(jnp.where(missing, sure, rows[-1])))
    beyond = free.at[rows].set(False)
    outside = Outside(
        jnp.max(jnp.where(beyond, bound, -1.0)),
        jnp.max(jnp.where(beyond, res.lengths(residuals), -1.0)),
    )
    return rows.astype(jnp.int32), outside


def take_certain(
    ledger: Ledger,
    block: Block,
    own: jax.Array,
    outside: Outside,
    sure: jax.Array,
    capacity: int,
    rules: Rules | None,
) -> tuple[Block, Standing | None]:
    """Takes the longest residual of the block while nothing outside can be longer."""
    wanted = jnp.minimum(
        ledger.rows.shape[0] - ledger.picked, capacity - ledger.basis.size
    )
    enough = res.EXHAUSTED * own[block.rows]

    def one_row(state: tuple[Block, Standing | None, jax.Array]):
        block, standing, _ = state
        free = ledger.free[block.rows]
        if rules is not None and standing is not None:
            free = free & rule.allowed(rules, standing, block.rows)
        left = res.beyond_rounding(row_norms(block.rest), own[block.rows])
        given = (block.added == 0) & (sure >= 0)
        place = jnp.where(
            given,
            jnp.argmax(block.rows == sure),
            res.heaviest(left, free & ~block.taken),
        ).astype(jnp.int32)
        length = left[place]
        tied = (length >= outside.length * (1.0 - res.tie(length))) & (
            outside.bound <= length * (1.0 + PADDED)
        )
        longest = ((length > outside.bound) | tied) & (length > enough[place])
        go = (given | (longest & free[place] & ~block.taken[place])) & (
            block.added < wanted
        )
        block = jax.lax.cond(
            go,
            lambda block: take(block, place, ledger.basis),
            lambda block: block,
            block,
        )
        if rules is not None and standing is not None:
            row = jnp.where(go, block.rows[place], -1)
            standing = rule.after(rules, standing, row)
            # Rows outside the block may have been opened, which has to be looked at.
            go = go & ~standing.grew
        return block, standing, go

    start = (block, ledger.standing, wanted > 0)
    return jax.lax.while_loop(lambda state: state[2], one_row, start)[:2]
