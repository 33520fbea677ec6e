"""Samples of positions, and keys of choices that go on from others."""

import jax
import numpy as np
import pytest

from jaxsel.selection.sampling import key_of, spread


@pytest.mark.parametrize(("n", "size"), [(5, 9), (9, 9), (10, 9), (19, 9), (4096, 512)])
def test_positions_are_distinct_and_one_a_part(n: int, size: int) -> None:
    places = spread(n, size)
    count = min(n, size)
    assert len(np.unique(places)) == len(places) == count
    parts = np.arange(count + 1) * n / count
    assert ((places > parts[:-1] - 1) & (places < parts[1:])).all()


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_pool_that_repeats_itself_is_seen_whole(period: int) -> None:
    """Every eighth row, or frames of four cameras in turn: none is left out."""
    seen = np.bincount(spread(4096, 512) % period, minlength=period)
    np.testing.assert_allclose(seen, 512 / period, rtol=0.1)


def test_a_choice_that_goes_on_has_a_key_of_its_own() -> None:
    keys = [jax.random.key_data(key_of(3, count)).tolist() for count in (0, 1, 2)]
    assert keys[0] == jax.random.key_data(jax.random.key(3)).tolist()
    assert len({tuple(key) for key in keys}) == 3
