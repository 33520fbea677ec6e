"""Gram-Schmidt's proposals and bounds where only rounding is left of a row."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.gram_schmidt import residuals as res
from jaxsel.selection.gram_schmidt.block import gather, span
from jaxsel.selection.gram_schmidt.blocked import thin
from jaxsel.selection.gram_schmidt.ledger import open_ledger
from jaxsel.selection.norm import row_norms
from tests import oracles

ROWS = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def test_a_row_that_is_proposed_again_is_not_taken_again():
    """Not even by the lowest coin there is: what is left of it is rounding, not 0."""
    features, proposals = jnp.asarray(ROWS), jnp.array([2, 2, 0, 2, 0, 1, 3, 4])
    ledger = open_ledger(features, jnp.zeros(6, bool), 4, 8)
    block = gather(features, proposals, ledger.basis)
    bound = row_norms(features)[proposals]
    block, _ = thin(ledger, block, bound, bound, jnp.zeros(8), 3, None)
    # As many as the space has directions, which is fewer than the budget.
    assert proposals[np.flatnonzero(block.taken)].tolist() == [2, 0, 1]
    assert block.added == 3


def test_the_slack_holds_what_projecting_does_to_a_length():
    # Rows in the span of three, and of lengths from 1 to 1e6.
    rng = np.random.default_rng(1)
    within = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 32))
    features = (within * np.geomspace(1, 1e6, 200)[:, None]).astype(np.float32)
    labelled = np.isin(np.arange(200), [20, 90, 150])

    def measure(features, labelled):
        basis = span(features, labelled, bases.BLOCK)
        return res.measure(features, row_norms(features), basis)

    measured = jax.jit(measure)(jnp.asarray(features), jnp.asarray(labelled))
    exact = oracles.residuals(features, np.flatnonzero(labelled))
    found = np.sqrt(np.asarray(measured.exact, np.float64))
    off = np.abs(found - np.linalg.norm(exact, axis=1))
    assert 0 < off.max() and (off <= measured.slack).all()
