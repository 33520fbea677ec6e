"""The share of a pool that picks cover, by definition, beside what was labelled."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.selection.coverage import DRAWS, report

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
