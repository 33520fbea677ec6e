"""Twice the budget is proposed, or all rows that are free, and half of it kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.selection.norm import select_norm
from jaxsel.selection.two_stage import two_stage
from jaxsel.selection.uniform import select_random

SELECT = two_stage(select_random, select_norm)


@pytest.mark.parametrize(("known", "proposed"), [(0, 6), (5, 6), (8, 4)])
def test_the_longest_of_twice_the_budget_are_kept(known: int, proposed: int) -> None:
    rows = np.random.default_rng(0).permutation(12).astype(np.float32)[:, None] + 1
    labelled = jnp.arange(12) < known
    picks = SELECT(
        jax.random.key(1), jnp.asarray(rows), labelled, budget=3, deterministic=True
    )
    candidates = picks.info["candidates"].tolist()
    assert len(set(candidates)) == len(candidates) == proposed
    assert min(candidates) >= known
    longest = sorted(candidates, key=lambda row: -rows[row, 0])[:3]
    assert picks.indices.tolist() == longest
