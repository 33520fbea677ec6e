"""TypiClust against its definition in float64 and the authors' picks."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from jaxsel.selection.rows import unit_rows
from jaxsel.selection.typicality import BATCH, Cluster, most_typical
from jaxsel.selection.typiclust import select_typiclust
from tests import rounding

KEY = jax.random.key(0)
METRICS = ["sqeuclidean", "euclidean"]


def typicality(x: np.ndarray, metric: str, most: int = 20) -> np.ndarray:
    """One over the mean distance to the K nearest others, from the full matrix."""
    neighbours = min(most, len(x) // 2)
    if neighbours == 0:
        return np.full(len(x), np.inf)
    distances = cdist(x, x, metric)
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(distances, axis=1)[:, :neighbours]
    return 1 / (nearest.mean(axis=1) + 1e-5)


def error(x: np.ndarray, metric: str, value: np.ndarray) -> np.ndarray:
    """How far a typicality in float32 may be from the exact `value`.

    Neighbours are found by expanded squared distances, so that one within twice their
    rounding of the K-th may stand in for it; distances are measured entry by entry.
    """
    swapped = 2 * rounding.squared_distances(x - x.mean(0), x - x.mean(0)).max()
    mean = 1 / value
    if metric == "euclidean":
        swapped = rounding.root(mean**2, swapped)
    return value * (rounding.gamma(x.shape[1] + 25) + swapped / mean)


def by_definition(x, clusters, labelled, budget, metric="sqeuclidean", follow=()):
    """Picks and gains of TypiClust, written from its text.

    A pick to `follow` that ties with the best to within rounding is as good.
    """
    x = np.asarray(x, np.float64)
    open_rows = ~np.asarray(labelled)
    table = [
        (not np.sum(clusters == c) > 5, np.sum(labelled & (clusters == c)),
         -np.sum(clusters == c), c)
        for c in np.unique(clusters)
    ]  # fmt: skip
    order = [row[3] for row in sorted(table)]
    kept = [row[3] for row in sorted(table) if not row[0]] or order
    picks, gains, place = [], [], 0
    while len(picks) < budget:
        if not np.any(open_rows & np.isin(clusters, kept)):
            kept, place = order, 0
        members = np.flatnonzero(open_rows & (clusters == kept[place % len(kept)]))
        place += 1
        if len(members) == 0:
            continue
        value = typicality(x[members], metric)
        best = members[np.argmax(value > value.max() * (1 - 1e-9))]
        if len(picks) < len(follow) and follow[len(picks)] in members:
            other = int(follow[len(picks)])
            either = value[np.searchsorted(members, [best, other])]
            if (
                np.isfinite(either).all()
                and np.unique(x[[best, other]], axis=0)[1:].size
            ):
                within = error(x[members], metric, either).sum()
                best = other if either[0] - either[1] <= within else best
        picks.append(best)
        gains.append(value[np.searchsorted(members, best)])
        open_rows[best] = False
    return picks, gains


def unit_pool(seed: int, n: int = 300, d: int = 12) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(8, d))[rng.integers(0, 8, n)] + 0.3 * rng.normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.shared
@pytest.mark.parametrize("data", ["digits", "cifar_pca", "mixture"])
@pytest.mark.parametrize("kind", ["cold", "warm", "wrap"])
def test_golden_picks(shared, data, kind):
    case = np.load(shared / "golden" / f"{data}_{kind}.npz")
    x = unit_rows(jnp.asarray(case["features"]))
    labelled = np.zeros(len(x), bool)
    labelled[case["labelled"].astype(int)] = True
    picks = select_typiclust(
        KEY, x, jnp.asarray(labelled), budget=40, clusters=case["clusters"]
    )
    # The golden picks are those of float64; ours may differ where rounding hides which
    # of two rows is the more typical.
    given = (np.asarray(x), case["clusters"], labelled, 40)
    np.testing.assert_array_equal(by_definition(*given)[0], case["typiclust"])
    expected, _ = by_definition(*given, follow=np.asarray(picks.indices))
    np.testing.assert_array_equal(picks.indices, expected)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(4))
def test_picks_equal_the_definition(seed, metric):
    x = unit_pool(seed)
    rng = np.random.default_rng(seed + 100)
    # Clusters of every size: some below 6, one of them larger than a batch.
    clusters = np.minimum(rng.geometric(0.25, size=len(x)), 15) * 3 - 7
    labelled = rng.random(len(x)) < 0.1
    picks = select_typiclust(
        KEY, x, jnp.asarray(labelled), budget=60, clusters=clusters, distance=metric
    )
    expected, gains = by_definition(
        x, clusters, labelled, 60, metric, follow=np.asarray(picks.indices)
    )
    np.testing.assert_array_equal(picks.indices, expected)
    for found, exact in zip(np.asarray(picks.gains), gains, strict=True):
        assert found == exact or abs(found - exact) <= error(x, metric, exact)
    assert np.bincount(clusters - clusters.min()).max() > BATCH


def test_used_up_clusters_are_skipped_and_small_ones_come_last():
    x = unit_pool(9)
    clusters = np.full(300, 0)
    clusters[:6], clusters[6:9], clusters[9:13], clusters[13:20] = 1, 2, 3, 4
    labelled = np.arange(300) >= 30
    picks = select_typiclust(
        KEY, x, jnp.asarray(labelled), budget=30, clusters=jnp.asarray(clusters)
    )
    expected, _ = by_definition(x, clusters, labelled, 30)
    np.testing.assert_array_equal(picks.indices, expected)
    # 6 + 7 + 10 rows of the clusters above the limit, then the 7 of the others.
    assert set(np.asarray(picks.indices[-7:])) == set(range(6, 13))
    assert picks.info["n_kept"] == 3 and picks.info["n_clusters"] == 5
    assert picks.rounds == 10 + 4
    assert np.isinf(picks.gains[-1])


def test_the_size_rule_is_dropped_when_no_cluster_is_kept():
    x = unit_pool(3)
    clusters = np.arange(300) // 4
    labelled = np.zeros(300, bool)
    picks = select_typiclust(
        KEY, x, jnp.asarray(labelled), budget=30, clusters=jnp.asarray(clusters)
    )
    expected, _ = by_definition(x, clusters, labelled, 30)
    np.testing.assert_array_equal(picks.indices, expected)
    assert picks.rounds == 1 and picks.info["n_kept"] == 0


@pytest.fixture(scope="module")
def densest():
    return jax.jit(most_typical, static_argnames=("squared", "tile"))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["ball", "two densities", "duplicates", "far away"])
def test_bounds_never_lose_the_densest_row(densest, kind, metric):
    rng = np.random.default_rng(5)
    for _ in range(5):
        x = rng.normal(size=(230, 6)).astype(np.float32)
        if kind == "two densities":
            # The densest rows are far from the mean, where step 1 does not look.
            x[:60] = 0.05 * x[:60] + 9.0
        elif kind == "duplicates":
            x = x[rng.integers(0, 90, 230)]
        elif kind == "far away":
            x = 0.01 * x + 30.0
        is_open = rng.random(230) < 0.9
        start, size, tile = 17, 200, 64
        found = densest(
            Cluster(
                jnp.pad(jnp.asarray(x), ((0, tile), (0, 0)), constant_values=3.0),
                jnp.pad(jnp.asarray(is_open), (0, tile), constant_values=True),
                jnp.int32(start),
                jnp.int32(size),
            ),
            squared=metric == "sqeuclidean",
            tile=tile,
        )
        members = np.flatnonzero(is_open[start : start + size])
        rows = x[start : start + size][members]
        value = typicality(rows.astype(np.float64), metric)
        at = np.flatnonzero(members == int(found.place))[0]
        within = error(rows.astype(np.float64), metric, value.max())
        assert value[at] >= value.max() - 2 * within
        # Copies tie exactly, and a tie goes to the lowest place.
        same = np.all(rows == rows[at], axis=1)
        assert int(found.place) == members[same].min()
        assert abs(1 / (float(found.mean_distance) + 1e-5) - value[at]) <= within


def test_own_clusters_are_used_and_reported():
    x, none = jnp.asarray(unit_pool(0)), jnp.zeros(300, bool)
    picks = select_typiclust(KEY, x, none, budget=12)
    clusters = np.asarray(picks.info["assignments"])
    assert len(np.unique(clusters)) == 12
    expected, _ = by_definition(x, clusters, np.zeros(300, bool), 12)
    np.testing.assert_array_equal(picks.indices, expected)
    means = np.array([np.asarray(x)[clusters == c].mean(axis=0) for c in range(12)])
    inertia = np.square(np.asarray(x) - means[clusters]).sum()
    # Lloyd's iteration ends while centres may still move a little (`tol`).
    np.testing.assert_allclose(picks.info["inertia"], inertia, rtol=0.01)
    assert picks.info["iterations"] > 0


def test_k_counts_the_labelled_rows_up_to_the_limit():
    x = jnp.asarray(unit_pool(0))
    labelled = jnp.arange(300) < 8
    found = select_typiclust(KEY, x, labelled, budget=12, max_clusters=40)
    assert found.info["n_clusters"] == 20
    assert not np.any(np.asarray(found.indices) < 8)
    capped = select_typiclust(KEY, x, labelled, budget=12, max_clusters=9)
    assert capped.info["n_clusters"] == 9
    assert len(np.unique(capped.indices)) == 12


def test_a_traced_mask_and_a_batch_of_keys_change_no_pick():
    x = jnp.asarray(unit_pool(0))
    labelled = jnp.arange(300) < 8

    def run(key, mask):
        return select_typiclust(key, x, mask, budget=12, max_clusters=40).indices

    solo = run(KEY, labelled)
    keys = jnp.stack([jax.random.key(1), KEY])
    batch = jax.jit(jax.vmap(run, in_axes=(0, None)))(keys, labelled)
    np.testing.assert_array_equal(batch[1], solo)


def test_zero_rows_are_a_cluster_of_their_own():
    x = unit_pool(4)
    x[40:60] = 0.0
    picks = select_typiclust(KEY, jnp.asarray(x), jnp.zeros(300, bool), budget=12)
    clusters = np.asarray(picks.info["assignments"])
    assert len(np.unique(clusters[40:60])) == 1
    assert not np.isin(clusters[40:60], clusters[np.r_[:40, 60:300]]).any()
    zero = [i for i in np.asarray(picks.indices) if 40 <= i < 60]
    assert zero == [] or zero[0] == 40  # of rows that tie, the lowest


@pytest.mark.parametrize("budget", [12, 300])
def test_every_budget_gives_distinct_rows(budget):
    x = jnp.asarray(np.repeat(unit_pool(2)[:10], 30, axis=0))
    picks = select_typiclust(
        KEY, x, jnp.zeros(300, bool), budget=budget, max_clusters=20
    )
    assert len(np.unique(picks.indices)) == budget
    assert np.all(np.asarray(picks.gains) > 0)
    assert picks.info["n_clusters"] == min(budget, 10)
    assert int(picks.rounds) == math.ceil(budget / min(budget, 10))


def test_unknown_options_are_named():
    x, none = jnp.ones((3, 2)), jnp.zeros(3, bool)
    with pytest.raises(ValueError, match="sqeuclidean"):
        select_typiclust(KEY, x, none, budget=1, distance="cosine")
    with pytest.raises(ValueError, match="n_init"):
        select_typiclust(KEY, x, none, budget=1, n_init=0)
    with pytest.raises(ValueError, match="max_clusters"):
        select_typiclust(KEY, x, none, budget=1, max_clusters=0)
