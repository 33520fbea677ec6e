"""Rows that are not finite, left out where that is asked for."""

import numpy as np
import pytest

import jaxsel
from jaxsel.selection.dropping import DroppedRowsWarning

POOL = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
BAD = [7, 30, 59]
FINE = np.delete(np.arange(60), BAD)


def spoilt() -> np.ndarray:
    rows = POOL.copy()
    rows[BAD, [0, 3, 1]] = [np.nan, np.inf, -np.inf]
    return rows


@pytest.mark.parametrize("method", ["norm", "k_center"])
def test_the_rest_is_picked_from_and_keeps_its_numbers(method):
    with pytest.warns(DroppedRowsWarning, match="3 of 60 rows .*: 7, 30, 59"):
        found = jaxsel.select(spoilt(), 6, method, labelled=[7, 8, 40], drop_bad=True)
    known = np.searchsorted(FINE, [8, 40])
    want = jaxsel.select(POOL[FINE], 6, method, labelled=known)
    assert found.indices.tolist() == FINE[want.indices].tolist()
    assert found.info["dropped"].tolist() == BAD


def test_what_speaks_of_rows_speaks_of_the_given_ones():
    groups = np.arange(60) % 5
    limits = jaxsel.Constraints(groups=groups, per_group=2, include=[50])
    with pytest.warns(DroppedRowsWarning):
        found = jaxsel.select(
            spoilt(),
            6,
            "norm",
            ids=[f"{i:02d}" for i in range(60)][::-1],
            input_norms=np.arange(60) + 1,
            deterministic=True,
            constraints=limits,
            drop_bad=True,
        ).indices
    assert found[0] == 50 and not set(found) & set(BAD)
    assert np.bincount(groups[found]).max() <= 2
    bad = jaxsel.Constraints(include=[30])
    with (
        pytest.warns(DroppedRowsWarning),
        pytest.raises(jaxsel.UserError, match="include names row 30"),
    ):
        jaxsel.select(spoilt(), 6, "norm", constraints=bad, drop_bad=True)


def test_nothing_is_dropped_unasked_and_nothing_that_is_finite():
    with pytest.raises(jaxsel.UserError, match="drop_bad=True"):
        jaxsel.select(spoilt(), 6, "norm")
    found = jaxsel.select(POOL, 6, "norm", drop_bad=True)
    assert found.info["dropped"].tolist() == []
    assert found.indices.tolist() == jaxsel.select(POOL, 6, "norm").indices.tolist()
    with pytest.raises(jaxsel.UserError, match="in all 60"):
        jaxsel.select(np.full((60, 4), np.nan), 6, "norm", drop_bad=True)
