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

from jaxsel.selection import rules as rule
from jaxsel.selection import sampling
from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import ledger as ledgers
from jaxsel.selection.gram_schmidt import residuals as res
from jaxsel.selection.gram_schmidt.block import Block, gather, take
from jaxsel.selection.gram_schmidt.ledger import Ledger
from jaxsel.selection.norm import row_norms
from jaxsel.selection.rules import Rules, Standing

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
    rules: Rules | None = None,
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
            res.exhausted(residuals, own, ledgers.open_rows(ledger, rules)),
            ledgers.next_round,
            lambda ledger: _draw_until_loose(
                key_draws, features, own, ledger, residuals, block_size, rules
            ),
            ledger._replace(measures=ledger.measures + 1),
        )

    ledger = ledgers.open_ledger(features, labelled, budget, block_size, rules)
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
                rules,
            ),
            lambda ledger: ledger,
            ledger,
        )
    ledger = jax.lax.while_loop(
        lambda ledger: ledgers.wants_more(ledger, own, rules), one_measurement, ledger
    )
    return ledgers.finish(ledger, sampling.gumbel(key_rest, own.shape), rules)


def _draw_until_loose(
    key: jax.Array,
    features: jax.Array,
    own: jax.Array,
    ledger: Ledger,
    residuals: res.Residuals,
    block_size: int,
    rules: Rules | None,
) -> Ledger:
    """Passes over one measurement, until done or until its bounds are too loose."""
    measured_at = ledger.basis.size
    capacity = min(features.shape)

    def usable(state: Passes) -> jax.Array:
        size = state.ledger.basis.size
        loose = (state.share < WASTED) & (size > measured_at)
        full = size >= capacity
        return ledgers.wants_more(state.ledger, own, rules) & ~loose & ~full

    def one_pass(state: Passes) -> Passes:
        now = residuals._replace(left=state.left)
        free = ledgers.open_rows(state.ledger, rules)
        bound = jnp.where(free, res.bounds(now), 0.0)
        key_pass = jax.random.fold_in(key, state.ledger.passes)
        uniforms = jax.random.uniform(key_pass, (3, block_size), jnp.float32)
        rows = sampling.proportional(uniforms[:2], bound)
        block = gather(features, rows, state.ledger.basis)
        block = block._replace(at_start=res.beyond_rounding(block.at_start, own[rows]))
        ratio = block.at_start / jnp.where(bound[rows] > 0, bound[rows], jnp.inf)
        block, standing = thin(
            state.ledger, block, own[rows], bound[rows], uniforms[2], capacity, rules
        )
        ledger = ledgers.record(state.ledger, block)._replace(standing=standing)
        ledger = ledger._replace(ratio=jnp.maximum(ledger.ratio, jnp.max(ratio)))
        left = jax.lax.cond(
            ledgers.wants_more(ledger, own, rules) & (block.added > 0),
            lambda: res.downdate(now, block.new).left,
            lambda: state.left,  # after the last pass, or one without a pick
        )
        weight = min(1.0, block_size / TELLING)
        share = state.share + weight * (jnp.mean(ratio) - state.share)
        return Passes(ledger, left, share)

    start = Passes(ledger, residuals.left, jnp.ones((), residuals.left.dtype))
    return jax.lax.while_loop(usable, one_pass, start).ledger


def thin(
    ledger: Ledger,
    block: Block,
    own: jax.Array,
    bound: jax.Array,
    coins: jax.Array,
    capacity: int,
    rules: Rules | None,
) -> tuple[Block, Standing | None]:
    """Walks the proposals in order and takes those whose coin says so.

    Args:
      ledger: the picks before this pass.
      block: the proposals.
      own: float32 `[b]`, their own lengths.
      bound: float32 `[b]`, the weights they were drawn with.
      coins: float32 `[b]`, uniform.
      capacity: the largest size of the basis.
      rules: what the picks must heed; rows that they rule out meanwhile are passed
        over, which leaves the law of the draws restricted to the others.

    Returns:
      The block with its picks, and what they have left of the rules.
    """
    size = ledger.basis.size
    wanted = jnp.minimum(ledger.rows.shape[0] - ledger.picked, capacity - size)

    def one_proposal(t, walk: tuple[Block, Standing | None, jax.Array]):
        block, standing, grown = walk
        length = jnp.sqrt(jnp.sum(jnp.square(block.rest[t])))
        length = res.beyond_rounding(length, own[t])
        again = jnp.any(block.taken & (block.rows == block.rows[t]))
        # A bound of 0 marks a row that is not free.
        accept = (coins[t] * bound[t] < length) & (bound[t] > 0) & ~again
        accept = accept & (block.added < wanted)
        if rules is not None and standing is not None:
            # Rows that a pick has opened had no chance in these proposals.
            accept = accept & rule.allowed(rules, standing, block.rows[t]) & ~grown
            standing = rule.after(rules, standing, jnp.where(accept, block.rows[t], -1))
            grown = grown | standing.grew
        block = jax.lax.cond(
            accept,
            lambda block: take(block, t, ledger.basis),
            lambda block: block,
            block,
        )
        return block, standing, grown

    walk = (block, ledger.standing, jnp.bool_(False))
    return jax.lax.fori_loop(0, block.rows.shape[0], one_proposal, walk)[:2]
