"""What every selection method promises, one table of methods for all promises.

A new method joins by being in `METHODS`. All pools have one shape and two budgets, so
that a method compiles a handful of programs and no more.
"""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsel
from jaxsel.selection.contract import Picks
from jaxsel.selection.coverage import CoverageWarning
from jaxsel.selection.methods import METHODS
from jaxsel.selection.rows import unit_rows

N, D, BUDGET = 24, 4, 6

# The other pairs take minutes of compilation, and are two methods that are tested here.
QUICK_PAIRS = ("probcover+norm",)

pytestmark = [
    pytest.mark.parametrize(
        "method",
        [
            method
            if "+" not in method or method in QUICK_PAIRS
            else pytest.param(method, marks=pytest.mark.slow)
            for method in METHODS
        ],
    ),
    # Random draws cover tiny and degenerate pools as well as anything.
    pytest.mark.filterwarnings(f"ignore::{CoverageWarning.__module__}.CoverageWarning"),
]


@functools.cache
def _pool():
    rng = np.random.default_rng(0)
    lengths = rng.uniform(0.5, 2.0, size=(N, 1))
    return (rng.normal(size=(N, D)) * lengths).astype(np.float32)


def _degenerate():
    base = _pool()
    flat = base.copy()
    flat[:, 2:] = 0
    zeros = base.copy()
    zeros[[0, 5, 6]] = 0
    return {
        "zero rows": zeros,
        "only zero rows": np.zeros_like(base),
        "duplicate rows": np.repeat(base[:3], N // 3, axis=0),
        "equal rows": np.ones_like(base),
        "rank-deficient": flat,
        "one long row": base * np.where(np.arange(N) == 7, 1e5, 1)[:, None],
    }


def _check(selection, budget, labelled=()):
    rows = selection.indices
    assert rows.dtype == np.int64 and rows.shape == (budget,)
    assert selection.gains.shape == (budget,)
    assert not np.isnan(selection.gains).any()
    assert len(set(rows.tolist())) == budget
    assert ((rows >= 0) & (rows < N)).all()
    assert not set(rows.tolist()) & set(labelled)
    np.testing.assert_array_equal(np.asarray(selection), rows)


def _function(method):
    """The pure function on the rows it wants, with its default options."""
    entry = METHODS[method]
    rows = unit_rows(jnp.asarray(_pool())) if entry.rows == "unit" else _pool()
    return functools.partial(entry.function, budget=BUDGET), jnp.asarray(rows)


def test_signature(method):
    parameters = inspect.signature(METHODS[method].function).parameters
    assert list(parameters)[:4] == ["key", "features", "labelled", "budget"]
    for name, parameter in list(parameters.items())[3:]:
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert name == "budget" or parameter.default is not parameter.empty


def test_picks_are_distinct_in_range_and_repeatable(method):
    first = jaxsel.select(_pool(), BUDGET, method, seed=3)
    again = jaxsel.select(_pool().astype(np.float64), BUDGET, method, seed=3)
    _check(first, BUDGET)
    np.testing.assert_array_equal(first.indices, again.indices)
    assert first.info["rounds"] >= 1 and first.info["method"] == method


def test_labelled_rows_are_never_picked(method):
    some = np.array([3, 1, 20])
    _check(jaxsel.select(_pool(), BUDGET, method, labelled=some), BUDGET, some)


def test_every_free_row_can_be_asked_for_and_no_more(method):
    labelled = np.arange(BUDGET, N)
    selection = jaxsel.select(_pool(), BUDGET, method, labelled=labelled)
    assert sorted(selection.indices) == list(range(BUDGET))
    with pytest.raises(jaxsel.UserError, match=f"{BUDGET + 1}.* {BUDGET} unlabelled"):
        jaxsel.select(_pool(), BUDGET + 1, method, labelled=labelled)
    assert len(jaxsel.select(_pool(), 0, method)) == 0


@pytest.mark.parametrize("pool", list(_degenerate()))
def test_degenerate_pools(method, pool):
    _check(jaxsel.select(_degenerate()[pool], BUDGET, method), BUDGET)


def test_the_whole_pool_and_its_prefix(method):
    pool = _degenerate()["zero rows"]
    whole = jaxsel.select(pool, N, method, seed=1)
    _check(whole, N)
    assert whole.info["zero_rows"] == 3
    if METHODS[method].prefix:
        part = jaxsel.select(pool, BUDGET, method, seed=1)
        np.testing.assert_array_equal(part.indices, whole.indices[:BUDGET])


def test_a_budget_of_one(method):
    selection = jaxsel.select(_pool(), 1, method, seed=1)
    _check(selection, 1)
    if METHODS[method].prefix:
        more = jaxsel.select(_pool(), BUDGET, method, seed=1)
        assert selection.indices[0] == more.indices[0]


def test_one_row(method):
    selection = jaxsel.select(_pool()[:1], 1, method)
    assert selection.indices.tolist() == [0]


def test_under_a_users_jit_and_vmap_as_alone(method):
    function, rows = _function(method)
    keys = jax.random.split(jax.random.key(0), 3)
    free = jnp.zeros(N, bool)
    together = jax.jit(jax.vmap(lambda key, free: function(key, rows, free), (0, None)))
    picks = together(keys, free)
    assert isinstance(picks, Picks) and picks.indices.dtype == jnp.int32
    solo = function
    if method.startswith("typiclust+"):
        # With a mask known beforehand k-means is compiled for exactly k centres, and
        # its near-ties (this pool has many) may round to another clustering.
        solo = jax.jit(lambda key, rows, free: function(key, rows, free))
    for i in range(len(keys)):
        alone = solo(keys[i], rows, free)
        np.testing.assert_array_equal(picks.indices[i], alone.indices)


def test_a_second_call_compiles_nothing(method, caplog):
    def compiled(pool, **options):
        caplog.clear()
        with jax.log_compiles(True), caplog.at_level("WARNING"):
            jaxsel.select(pool, BUDGET, method, **options)
        return [r.message for r in caplog.records if "Compiling" in r.message]

    compiled(_pool(), labelled=[2])
    assert compiled(_pool()[::-1].copy(), labelled=[4], seed=9) == []
    if method == "random":  # the log does tell
        assert compiled(np.ones((N + 1, D)))


def test_the_same_ids_whatever_the_row_order(method):
    ids = np.array([f"img{i:02d}" for i in range(N)])
    order = np.random.default_rng(1).permutation(N)
    one = jaxsel.select(_pool(), BUDGET, method, ids=ids, labelled=[1, 2])
    places = np.flatnonzero(np.isin(order, [1, 2]))
    other = jaxsel.select(
        _pool()[order], BUDGET, method, ids=ids[order], labelled=places
    )
    np.testing.assert_array_equal(ids[one.indices], ids[order][other.indices])


def test_double_precision_mode_changes_nothing(method):
    if method not in ("random", "norm", "k_center"):
        pytest.skip("in test_double_precision_of_the_others")
    _double_precision(method)


@pytest.mark.slow
def test_double_precision_of_the_others(method):
    if "+" in method:
        pytest.skip("two methods that are tested on their own")
    _double_precision(method)


def _double_precision(method):
    expected = jaxsel.select(_pool(), BUDGET, method, seed=5)
    with jax.enable_x64(True):
        found = jaxsel.select(_pool(), BUDGET, method, seed=5)
    np.testing.assert_array_equal(found.indices, expected.indices)


def test_unknown_option_lists_the_known(method):
    known = next(iter(METHODS[method].options), "none")
    with pytest.raises(jaxsel.UserError, match=known):
        jaxsel.select(_pool(), 1, method, colour=3)
