"""Picks that cannot be right are an error of ours, whatever made them."""

import numpy as np
import pytest

import jaxsel
from jaxsel.selection import methods
from jaxsel.selection.contract import Picks

POOL = np.random.default_rng(0).normal(size=(12, 3))


def broken(indices: list[int], gains: list[float] | None = None):
    """A method that returns these picks whatever it is given."""

    def function(key, features, labelled, *, budget, tie="lowest", rules=None) -> Picks:
        told = np.ones(len(indices)) if gains is None else np.array(gains)
        return Picks(np.array(indices), told, np.int32(1), {})

    return function


@pytest.mark.parametrize(
    ("indices", "gains", "message"),
    [
        ([0, 0, 2], None, "row 0 more than once"),
        ([0, 2, 12], None, "row 12 of a pool of 12"),
        ([0, 5, 2], None, "row 5, which may not be picked"),
        ([0, 2], None, "2 rows for a budget of 3"),
        ([0, 1, 2], [1, np.nan, 1], "gain that is no number"),
    ],
)
@pytest.mark.parametrize("ids", [None, np.arange(12)[::-1]])
def test_what_cannot_be_right_is_not_returned(
    monkeypatch, indices, gains, message, ids
):
    entry = methods.METHODS["k_center"]._replace(function=broken(indices, gains))
    monkeypatch.setitem(methods.METHODS, "k_center", entry)
    labelled = [5] if ids is None else [6]  # row 5 of the rows by id
    with pytest.raises(jaxsel.InternalError, match=message) as raised:
        jaxsel.select(POOL, 3, "k_center", labelled=labelled, ids=ids)
    assert not isinstance(raised.value, jaxsel.UserError)
    assert "fault of jaxsel" in str(raised.value)


def test_picks_beyond_the_constraints_are_not_returned(monkeypatch):
    entry = methods.METHODS["k_center"]._replace(function=broken([0, 1, 2]))
    monkeypatch.setitem(methods.METHODS, "k_center", entry)
    groups, strata = np.repeat([0, 1, 2], 4), np.repeat([0, 1], 6)
    for wanted, message in (
        ({"exclude": [1]}, "row 1, which may not be picked"),
        ({"groups": groups, "per_group": 1}, "more picks of a group"),
        ({"strata": strata, "quotas": {1: 2}}, "fewer picks of a stratum"),
        ({"costs": np.ones(12), "funds": 2.0}, "cost more than the funds"),
    ):
        with pytest.raises(jaxsel.InternalError, match=message):
            jaxsel.select(POOL, 3, "k_center", constraints=jaxsel.Constraints(**wanted))
