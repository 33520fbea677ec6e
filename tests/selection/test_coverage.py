"""The share of a pool that picks cover, by definition, beside what was labelled."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsel.selection.coverage import DRAWS, report
from jaxsel.selection.probcover import random_coverage

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(240, 3)).astype(np.float32)
PICKED = np.array([5, 90, 200])


def covered_by(centres: np.ndarray, radius: float) -> float:
    away = ROWS.astype(np.float64)[:, None] - ROWS[centres]
    return float((np.sqrt((away**2).sum(axis=2)).min(axis=1) < radius).mean())


@pytest.mark.parametrize("known", [[], [17], [3, 40, 41, 77, 120, 180, 230]])
def test_labelled_rows_cover_as_well_as_picks(known) -> None:
    labelled = np.isin(np.arange(240), known)
    found = report(jnp.asarray(ROWS), PICKED, labelled, 3, 1.0)
    centres = np.concatenate([PICKED, np.array(known, int)])
    assert found["coverage_here"] == pytest.approx(covered_by(centres, 1.0))
    # So do they for the draws, which can do no worse than the labelled rows alone.
    alone = covered_by(np.array(known), 1.0) if known else 0.0
    assert len(found["coverage_random"]) == DRAWS
    assert (found["coverage_random"] >= alone).all()
    assert found["coverage_random"].min() > 0


def test_a_radius_is_found_at_which_chance_covers_half() -> None:
    labelled = np.isin(np.arange(240), [3, 40, 41])
    found = report(jnp.asarray(ROWS), PICKED, labelled, 3)
    assert found["coverage_random"].mean() == pytest.approx(0.5, abs=1 / 240)
    expected = covered_by(np.append(PICKED, [3, 40, 41]), found["coverage_radius"])
    assert found["coverage_here"] == pytest.approx(expected, abs=1.01 / 240)


def test_draws_are_made_of_rows_that_may_be_picked() -> None:
    # One far corner: who draws from it alone covers it alone.
    rows = ROWS.copy()
    rows[:6] += 100
    eligible = np.arange(240) < 6
    found = report(jnp.asarray(rows), PICKED, np.zeros(240, bool), 0, 20.0,
                   eligible=eligible)  # fmt: skip
    assert found["coverage_random"].tolist() == [6 / 240] * DRAWS


@pytest.mark.parametrize("budget", [1, 4, 10])
def test_draws_without_replacement_cover_what_the_hypergeometric_law_says(budget):
    """Of a small pool half may be drawn, which draws with replacement would not see."""
    degree, pool = np.array([0, 1, 3, 8, 12, 3]), 20
    open_rows = np.array([1, 1, 1, 1, 1, 0], bool)
    missed = stats.hypergeom.pmf(0, pool, degree, budget)
    found = random_coverage(
        jnp.asarray(degree), jnp.asarray(open_rows), jnp.int32(pool), budget
    )
    # A product of falling factors lies below the power of its middle one, by less than
    # a hundredth of a row here; that of the first factor, by four.
    expected = (1 - missed[open_rows]).sum()
    assert expected - 0.01 * open_rows.sum() <= found <= expected + 1e-5
