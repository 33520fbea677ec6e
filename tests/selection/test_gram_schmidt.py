"""Gram-Schmidt against float64: bounds, gains, the pivoted order, orthogonality."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsel
from jaxsel.selection.gram_schmidt import basis as bases
from jaxsel.selection.gram_schmidt import blocked, sequential
from jaxsel.selection.gram_schmidt import residuals as res
from jaxsel.selection.gram_schmidt.block import span
from jaxsel.selection.norm import row_norms
from tests import oracles, rounding

N, D = 600, 32


def _hard_pools():
    rng = np.random.default_rng(0)
    bulk = rng.normal(size=(N, 5)) @ rng.normal(size=(5, D))
    bulk[::100] += rng.normal(size=(6, D))
    outlier = rng.normal(size=(N, D)) * 0.1
    outlier[17] *= 1e5
    offset = rng.normal(size=(N, D)) + 300 * np.eye(D)[0]
    plain = rng.normal(size=(N, D)) * rng.uniform(0.2, 3, size=(N, 1))
    pools = {"rare": bulk, "outlier": outlier, "offset": offset, "plain": plain}
    return {name: pool.astype(np.float32) for name, pool in pools.items()}


POOLS = _hard_pools()


def slack(features, picks):
    """How far a residual may be from the exact one, as a share of the row's length.

    To first order. The direction of a pick is what earlier picks leave of it, divided
    by its length: the rounding of the whole row, gamma(D), weighs by as much more as
    less is left. A row is projected on every direction.
    """
    left = [
        np.linalg.norm(oracles.residuals(features, picks[:i])[row])
        for i, row in enumerate(picks)
    ]
    own = np.linalg.norm(features[list(picks)].astype(np.float64), axis=1)
    return rounding.gamma(D + 4) * (1 + 2 * np.sum(own / left))


@jax.jit
def _bounds_after(features, earlier, later):
    """Bounds measured after `earlier` picks and downdated by `later` ones."""
    own = row_norms(features)
    before = span(features, earlier, bases.BLOCK)
    after = span(features, earlier | later, bases.BLOCK)
    measured = res.measure(features, own, before)
    # The directions added since: the later basis without the earlier one.
    fresh = bases.project_out(before, bases.project_out(before, after.rows))
    _, sizes, directions = jnp.linalg.svd(fresh, full_matrices=False)
    new = jnp.where(sizes[:, None] > 0.5, directions, 0.0)
    return res.bounds(res.downdate(measured, new)), res.bounds(measured)


@pytest.mark.parametrize("pool", POOLS)
def test_proposal_weights_bound_the_float64_residuals(pool):
    features = POOLS[pool]
    picks = jaxsel.select(
        features, 10, "gram_schmidt", algorithm="blocked", block_size=16
    ).indices
    masks = np.zeros((2, N), bool)
    for split in (0, 5, 9):
        masks[:] = False
        masks[0, picks[:split]] = True
        masks[1, picks[split:]] = True
        bound, at_measure = _bounds_after(features, masks[0], masks[1])
        true = np.linalg.norm(oracles.residuals(features, picks), axis=1)
        before = np.linalg.norm(oracles.residuals(features, picks[:split]), axis=1)
        assert (np.asarray(bound) >= true).all()
        assert (np.asarray(at_measure) >= before).all()
    # Tight enough to be of use where nothing was lost to subtraction.
    if pool == "plain":
        assert np.median(np.asarray(bound) / true) < 1.01


@pytest.mark.parametrize("algorithm", ["sequential", "downdate", "blocked"])
@pytest.mark.parametrize("pool", POOLS)
def test_gains_are_float64_residual_lengths(pool, algorithm):
    features = POOLS[pool]
    selection = jaxsel.select(features, 10, "gram_schmidt", algorithm=algorithm, seed=4)
    assert selection.info["algorithm"] == algorithm
    if algorithm != "sequential":
        assert selection.info["bound_ratio"] <= 1
    for i, row in enumerate(selection.indices):
        left = oracles.residuals(features, selection.indices[:i])[row]
        own = np.linalg.norm(features[row].astype(np.float64))
        error = slack(features, selection.indices[:i]) * own
        assert abs(selection.gains[i] - np.linalg.norm(left)) <= error


@pytest.mark.parametrize("algorithm", ["sequential", "downdate", "blocked"])
@pytest.mark.parametrize("labelled", [0, 5])
def test_deterministic_is_the_pivoted_qr_order(algorithm, labelled):
    features = POOLS["plain"]
    known = list(range(labelled))
    found = jaxsel.select(
        features,
        D - 5,
        "gram_schmidt",
        algorithm=algorithm,
        block_size=16,
        deterministic=True,
        labelled=known,
    )
    # The column that pivoting takes, or one that ties with it to within rounding.
    own, taken = np.linalg.norm(features, axis=1).max(), known
    for pick in found.indices.tolist():
        left = np.linalg.norm(oracles.residuals(features, taken), axis=1)
        left[taken] = -1
        assert left[pick] >= left.max() - 2 * own * slack(features, taken)
        taken = [*taken, pick]


@pytest.mark.parametrize("algorithm", ["sequential", "downdate", "blocked"])
def test_deterministic_ties_go_to_the_lowest_row(algorithm):
    features = np.eye(4, dtype=np.float32)[np.arange(N) % 4]
    found = jaxsel.select(
        features,
        10,
        "gram_schmidt",
        algorithm=algorithm,
        block_size=16,
        deterministic=True,
    )
    np.testing.assert_array_equal(found.indices, np.arange(10))
    assert found.info["rounds"] == 3


def test_random_ties_are_exact_maxima_in_another_order():
    features = np.eye(4, dtype=np.float32)[np.arange(N) % 4]
    picks = [
        jaxsel.select(
            features, 4, "gram_schmidt", deterministic=True, tie="random", seed=seed
        ).indices
        for seed in range(3)
    ]
    assert all(sorted(rows % 4) == [0, 1, 2, 3] for rows in picks)
    assert len({tuple(rows) for rows in picks}) == 3


def _own_residuals(algorithm, features, monkeypatch):
    """Picks, and the residuals that the algorithm itself holds after the last one."""
    key, none = jax.random.key(2), jnp.zeros(N, bool)
    if algorithm == "sequential":
        state, rows, _ = sequential.run(
            key, features, none, budget=10, norm_ord=2.0, deterministic=False
        )
        return rows, state.residual
    finish = blocked.ledgers.finish

    def with_basis(ledger, rest, rules):
        return finish(ledger, rest, rules)._replace(info={"basis": ledger.basis})

    monkeypatch.setattr(blocked.ledgers, "finish", with_basis)
    size = 1 if algorithm == "downdate" else 16
    picks = blocked.select(key, features, none, budget=10, block_size=size)
    return picks.indices, bases.project_out(picks.info["basis"], features)


@pytest.mark.parametrize("algorithm", ["sequential", "downdate", "blocked"])
@pytest.mark.parametrize("pool", ["plain", "rare", "offset"])
def test_residuals_are_orthogonal_to_every_pick(pool, algorithm, monkeypatch):
    features = POOLS[pool]
    picks, left = _own_residuals(algorithm, jnp.asarray(features), monkeypatch)
    rows = features.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    products = np.asarray(left, np.float64) @ rows[picks].T
    apart = np.abs(products / np.outer(lengths, lengths[picks])).max()
    assert apart <= slack(features, picks)


@pytest.mark.parametrize("algorithm", ["sequential", "downdate", "blocked"])
def test_beyond_the_rank_picks_stay_distinct_and_rounds_are_counted(algorithm):
    features = POOLS["plain"].copy()
    features[:, 3:] = 0
    selection = jaxsel.select(features, 10, "gram_schmidt", algorithm=algorithm)
    assert len(set(selection.indices)) == 10
    assert selection.info["rounds"] == 4


def test_a_spanning_labelled_set_is_projected_out_once():
    features = POOLS["plain"]
    selection = jaxsel.select(features, 20, "gram_schmidt", labelled=np.arange(2 * D))
    assert len(set(selection.indices)) == 20 and selection.indices.min() >= 2 * D
    assert selection.info["rounds"] == 2


def test_smaller_budgets_are_prefixes_of_blocked_draws():
    features = POOLS["rare"]
    whole = jaxsel.select(
        features, 60, "gram_schmidt", algorithm="blocked", block_size=16, seed=1
    )
    assert whole.info["measures"] > 1
    part = jaxsel.select(
        features, 33, "gram_schmidt", algorithm="blocked", block_size=16, seed=1
    )
    np.testing.assert_array_equal(part.indices, whole.indices[:33])


def test_the_fast_forms_refuse_other_norms():
    with pytest.raises(jaxsel.UserError, match="sequential"):
        jaxsel.select(
            POOLS["plain"], 3, "gram_schmidt", algorithm="blocked", norm_ord=1
        )
    routed = jaxsel.select(POOLS["plain"], 3, "gram_schmidt", norm_ord=1)
    assert routed.info["algorithm"] == "sequential"


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        *(pytest.param(n, marks=pytest.mark.slow) for n in POOLS if n != "plain"),
    ],
)
def test_a_large_pool_is_drawn_from_without_a_copy_and_alike(name, monkeypatch):
    whole = jaxsel.select(
        POOLS[name], 41, "gram_schmidt", algorithm="blocked", block_size=16
    )
    monkeypatch.setattr(blocked, "LARGE", 0)
    # Another budget is another program; smaller budgets are prefixes.
    large = jaxsel.select(
        POOLS[name], 40, "gram_schmidt", algorithm="blocked", block_size=16
    )
    np.testing.assert_array_equal(large.indices, whole.indices[:40])
