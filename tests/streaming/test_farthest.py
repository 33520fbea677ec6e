"""k-center from disk: which picks are certain, and bounds that no rounding breaks."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.streaming.farthest import certain_picks
from jaxsel.streaming.k_center import _upper

# Squared distances of the second and third row to the first: 9 and 9 (1 + 2 share).
NEARLY, CLEARLY = 2e-6, 1e-4


def picks_of(share, outside=0.0):
    block = jnp.asarray([[0.0], [3.0], [-3.0 * (1 + share)]], jnp.float32)
    far = jnp.full(3, jnp.inf, jnp.float32)
    bounds = far.at[0].set(-jnp.inf)  # the centre itself is not free
    places, gains, added = certain_picks(
        block, bounds, far, block[:1], jnp.int32(1), jnp.float32(outside), jnp.int32(1)
    )
    return places[: int(added)].tolist(), gains[: int(added)].tolist()


def test_the_farthest_row_is_certain_where_no_order_of_summation_could_change_it():
    places, gains = picks_of(CLEARLY)
    assert places == [2] and gains == pytest.approx([9 * (1 + CLEARLY) ** 2])
    assert picks_of(NEARLY) == ([], [])


def test_a_bound_outside_the_block_is_as_good_as_a_row_in_it():
    assert picks_of(CLEARLY, outside=8.9)[0] == [2]
    assert picks_of(CLEARLY, outside=9 * (1 + 2 * CLEARLY - NEARLY))[0] == []


@pytest.mark.parametrize("offset", [1.0, 30.0])
def test_bounds_are_not_below_the_distances(offset):
    # Far from the origin the product form cancels; the margin has to make up for it.
    rng = np.random.default_rng(0)
    rows = (offset + 0.01 * rng.normal(size=(256, 12))).astype(np.float32)
    centres = rows[:64]
    away = rows[:, None].astype(np.float64) - centres
    exact = (away**2).sum(axis=2).min(axis=1)
    upper = np.asarray(_upper(jnp.asarray(rows), jnp.asarray(centres)), np.float64)
    assert (upper >= exact).all()
    # Nor far above: by the rounding of d + 8 terms of the squared lengths, twice.
    lengths = 2 * np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1).max())
    assert (upper - exact).max() <= 2.1 * (12 + 8) * 2.0**-24 * lengths**2
