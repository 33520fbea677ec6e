"""Gram-Schmidt draws by exact rejection, many picks to a pass over the pool.

A pass draws a block of rows i.i.d. in proportion to upper bounds w of the residual
lengths, then walks them in order: a row whose residual r, explicit and against
everything accepted so far, passes a coin of probability |r| / w is the next pick.
Residuals only shrink, so w stays a bound within the pass, and a draw from w thinned
by |r| / w is a draw from the residual lengths themselves: the law of Algorithm 1, with
one matrix product over the pool to a pass instead of three passes to a pick.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection import sampling
from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import ledger as ledgers
from jaxsel.selection.gram_schmidt import residuals as res
from jaxsel.selection.gram_schmidt.block import Block, gather, take
from jaxsel.selection.gram_schmidt.ledger import Ledger
from jaxsel.selection.norm import row_norms

# The residuals are measured afresh when the padding of the bounds wastes more than
# this share of the proposals.
WASTED = 0.5

# So many proposals are taken for their mean; fewer move the running mean only a part.
TELLING = 8


# From so many numbers on, a copy of the pool costs more than a longer program.
LARGE = 1 << 22


class Passes(NamedTuple):
    """What the passes over one measurement of the residuals carry.

    Attributes:
      ledger: the picks so far.
      left: float32 `[n]`, the measurement's `left`, downdated.
      share: float32, running mean of |r| / w at the start of a pass: 1 but for
        the padding of the bounds.
    """

    ledger: Ledger
    left: jax.Array
    share: jax.Array


def select(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    block_size: int,
) -> Picks:
    """Draws by blocks; `block_size=1` is plain downdating, one product to a pick.

    The block never depends on the budget, so smaller budgets are prefixes. See
    `select_gram_schmidt` for the other arguments and the law.
    """
    own = row_norms(features)
    key_draws, key_rest = jax.random.split(key)

    def one_measurement(ledger: Ledger) -> Ledger:
        residuals = res.measure(features, own, ledger.basis)
        return jax.lax.cond(
            res.exhausted(residuals, own, ledger.free),
            ledgers.next_round,
            lambda ledger: _draw_until_loose(
                key_draws, features, own, ledger, residuals, block_size
            ),
            ledger._replace(measures=ledger.measures + 1),
        )

    ledger = ledgers.open_ledger(features, labelled, budget, block_size)
    if features.size >= LARGE:
        # The first measurement is of the rows themselves; a conditional copies them.
        ledger = jax.lax.cond(
            ledger.basis.size == 0,
            lambda ledger: _draw_until_loose(
                key_draws,
                features,
                own,
                ledger._replace(measures=ledger.measures + 1),
                res.unprojected(features, own),
                block_size,
            ),
            lambda ledger: ledger,
            ledger,
        )
    ledger = jax.lax.while_loop(
        lambda ledger: ledgers.wants_more(ledger, own), one_measurement, ledger
    )
    return ledgers.finish(ledger, sampling.gumbel(key_rest, own.shape))


def _draw_until_loose(
    key: jax.Array,
    features: jax.Array,
    own: jax.Array,
    ledger: Ledger,
    residuals: res.Residuals,
    block_size: int,
) -> Ledger:
    """Passes over one measurement, until done or until its bounds are too loose."""
    measured_at = ledger.basis.size
    capacity = min(features.shape)

    def usable(state: Passes) -> jax.Array:
        size = state.ledger.basis.size
        loose = (state.share < WASTED) & (size > measured_at)
        full = size >= capacity
        return ledgers.wants_more(state.ledger, own) & ~loose & ~full

    def one_pass(state: Passes) -> Passes:
        now = residuals._replace(left=state.left)
        bound = jnp.where(state.ledger.free, res.bounds(now), 0.0)
        key_pass = jax.random.fold_in(key, state.ledger.passes)
        uniforms = jax.random.uniform(key_pass, (3, block_size), jnp.float32)
        rows = sampling.proportional(uniforms[:2], bound)
        block = gather(features, rows, state.ledger.basis)
        ratio = block.at_start / jnp.where(bound[rows] > 0, bound[rows], jnp.inf)
        block = _thin(state.ledger, block, bound[rows], uniforms[2], capacity)
        ledger = ledgers.record(state.ledger, block)
        ledger = ledger._replace(ratio=jnp.maximum(ledger.ratio, jnp.max(ratio)))
        left = jax.lax.cond(
            ledgers.wants_more(ledger, own) & (block.added > 0),
            lambda: res.downdate(now, block.new).left,
            lambda: state.left,  # after the last pass, or one without a pick
        )
        weight = min(1.0, block_size / TELLING)
        share = state.share + weight * (jnp.mean(ratio) - state.share)
        return Passes(ledger, left, share)

    start = Passes(ledger, residuals.left, jnp.float32(1.0))
    return jax.lax.while_loop(usable, one_pass, start).ledger


def _thin(
    ledger: Ledger, block: Block, bound: jax.Array, coins: jax.Array, capacity: int
) -> Block:
    """Walks the proposals in order and takes those whose coin says so.

    Args:
      ledger: the picks before this pass.
      block: the proposals.
      bound: float32 `[b]`, the weights they were drawn with.
      coins: float32 `[b]`, uniform.
      capacity: the largest size of the basis.
    """
    size = ledger.basis.size
    wanted = jnp.minimum(ledger.rows.shape[0] - ledger.picked, capacity - size)

    def one_proposal(t, block: Block) -> Block:
        length = jnp.sqrt(jnp.sum(jnp.square(block.rest[t])))
        again = jnp.any(block.taken & (block.rows == block.rows[t]))
        # A bound of 0 marks a row that is not free.
        accept = (coins[t] * bound[t] < length) & (bound[t] > 0) & ~again
        return jax.lax.cond(
            accept & (block.added < wanted),
            lambda block: take(block, t, ledger.basis),
            lambda block: block,
            block,
        )

    return jax.lax.fori_loop(0, block.rows.shape[0], one_proposal, block)
