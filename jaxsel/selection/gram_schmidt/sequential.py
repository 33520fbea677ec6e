"""Algorithm 1 of the paper as written: one pick, one projection of the whole pool."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsel.selection import rules as rule
from jaxsel.selection import sampling
from jaxsel.selection.contract import Picks
from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.gram_schmidt.block import span
from jaxsel.selection.gram_schmidt.residuals import (
    EXHAUSTED,
    beyond_rounding,
    heaviest,
)
from jaxsel.selection.norm import row_norms
from jaxsel.selection.rules import Rules, Standing
from jaxsel.selection.sharded import mesh


class State(NamedTuple):
    """What the loop over picks carries.

    Attributes:
      residual: float32 `[n, d]`, every row with the picks of this round removed.
      free: bool `[n]`, rows that may still be picked.
      rounds: int32, rounds begun.
      uniform: bool, only zero rows were left and the last round has begun.
      standing: what the picks have left of the rules, where there are some.
    """

    residual: jax.Array
    free: jax.Array
    rounds: jax.Array
    uniform: jax.Array
    standing: Standing | None = None

    def open_rows(self, rules: Rules | None) -> jax.Array:
        """bool `[n]`: free, and allowed by the rules."""
        if rules is None or self.standing is None:
            return self.free
        return self.free & rule.allowed(rules, self.standing)


def select(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    norm_ord: float,
    deterministic: bool,
    rules: Rules | None = None,
) -> Picks:
    """Runs Algorithm 1 as a `fori_loop` of masked projections of the residual.

    Three passes over `[n, d]` a pick: the plain reading that the fast forms are
    tested and timed against, and the only one for l1 and linf probabilities.
    See `select_gram_schmidt` for the arguments and the law.
    """
    state, rows, gains = run(
        key,
        features,
        labelled,
        budget=budget,
        norm_ord=norm_ord,
        deterministic=deterministic,
        rules=rules,
    )
    return Picks(rows, gains, state.rounds, {})


def run(
    key: jax.Array,
    features: jax.Array,
    labelled: jax.Array,
    *,
    budget: int,
    norm_ord: float,
    deterministic: bool,
    rules: Rules | None = None,
) -> tuple[State, jax.Array, jax.Array]:
    """The last state of the loop, the picks, and their residual lengths."""
    own = row_norms(features)
    start = State(
        _without_span(features, labelled), ~labelled, jnp.int32(1), jnp.bool_(False)
    )
    if rules is not None:
        start = start._replace(standing=rule.begin(rules, budget))

    def one_pick(i, carry):
        state, rows, gains = carry
        free = state.open_rows(rules)
        alive = jnp.any(free & (row_norms(state.residual) > EXHAUSTED * own))
        state = jax.lax.cond(
            # Where no row may be picked, a new round would not help.
            alive | state.uniform | ~jnp.any(free),
            lambda state: state,
            lambda state: _next_round(state, features, own, free),
            state,
        )
        weights = row_norms(state.residual, norm_ord)
        if weights.dtype == jnp.float64:
            spanned = beyond_rounding(row_norms(state.residual), own) == 0
            weights = jnp.where(spanned, 0.0, weights)
        weights = jnp.where(state.uniform, 1.0, weights)
        weights = jnp.where(free, weights, 0.0)
        if deterministic:
            row = heaviest(weights, free)
        else:
            row = _draw(jax.random.fold_in(key, i), weights)
        picked = mesh.row(state.residual, row)
        if rules is not None:
            assert state.standing is not None
            row = jnp.where(free[row], row, -1)
            picked = jnp.where(row < 0, 0.0, picked)
            state = state._replace(standing=rule.after(rules, state.standing, row))
        length = jnp.sqrt(jnp.sum(jnp.square(picked)))
        q = picked / jnp.where(length > 0, length, 1.0)
        state = state._replace(
            residual=state.residual - jnp.outer(bases.product(state.residual, q), q),
            free=state.free.at[row].set((row < 0) & state.free[row]),
        )
        return state, rows.at[i].set(row), gains.at[i].set(length)

    blank = (jnp.zeros(budget, jnp.int32), jnp.zeros(budget, features.dtype))
    return jax.lax.fori_loop(0, budget, one_pick, (start, *blank))


def _without_span(features: jax.Array, labelled: jax.Array) -> jax.Array:
    """Projects the labelled rows' span out of every row, where there are any."""

    def project(features):
        basis = span(features, labelled, bases.BLOCK)
        return bases.project_out(basis, bases.project_out(basis, features))

    return jax.lax.cond(jnp.any(labelled), project, lambda x: x, features)


def _next_round(
    state: State, features: jax.Array, own: jax.Array, free: jax.Array
) -> State:
    return state._replace(
        residual=features,
        rounds=state.rounds + 1,
        uniform=~jnp.any(free & (own > 0)),
    )


def _draw(key: jax.Array, weights: jax.Array) -> jax.Array:
    """One row, proportional to its weight."""
    positive = weights > 0
    logs = jnp.where(positive, jnp.log(jnp.where(positive, weights, 1.0)), -jnp.inf)
    return jnp.argmax(logs + sampling.gumbel(key, weights.shape)).astype(jnp.int32)
