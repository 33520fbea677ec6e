"""The radius from the data: the closed form against a scan; what auto must reach."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.selection.delta import auto_delta, purity_delta
from jaxsel.selection.max_herding import select_max_herding
from jaxsel.selection.probcover import select_probcover
from jaxsel.selection.rows import unit_rows

KEY = jax.random.key(0)
RADIUS = 0.65


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def hundred_clusters(n: int, d: int) -> np.ndarray:
    """Clusters of sizes proportional to rank^-1/2 around random directions."""
    rng = np.random.default_rng(0)
    centres = unit(rng.normal(size=(100, d)))
    share = np.arange(1, 101) ** -0.5
    which = rng.choice(100, n, p=share / share.sum())
    return unit(centres[which] + 0.5 * rng.normal(size=(n, d)) / d**0.5)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(2 - 2 * a.astype(np.float64) @ b.astype(np.float64).T, 0))


def coverage(rows: np.ndarray, picks: jax.Array, radius: float) -> float:
    return (distances(rows, rows[np.asarray(picks)]).min(axis=1) < radius).mean()


def pure_share(distance: np.ndarray, clusters: np.ndarray, delta: float) -> float:
    impure = (distance < delta) & (clusters[:, None] != clusters)
    return 1 - impure.any(axis=1).mean()


@pytest.mark.parametrize("tile", [64, 1024])
def test_purity_is_the_largest_radius_with_enough_pure_balls(tile):
    rng = np.random.default_rng(0)
    rows = unit(rng.normal(size=(150, 6)))
    clusters = np.argmax(rows[:, :4], axis=1)
    delta = float(purity_delta(jnp.asarray(rows), jnp.asarray(clusters), tile=tile))
    distance = distances(rows, rows)
    assert pure_share(distance, clusters, delta - 1e-5) >= 0.95
    assert pure_share(distance, clusters, delta + 1e-5) < 0.95


def test_purity_is_the_largest_float32_with_enough_pure_balls():
    # To the last bit, for copies, lattices of many equal distances, and few clusters.
    rng = np.random.default_rng(1)
    for trial in range(24):
        rows = rng.normal(size=(40, 5))
        if trial % 4:
            rows = np.rint(rows * trial % 4)[rng.integers(0, 40 // (trial % 4), 40)]
        rows = np.array(unit_rows(jnp.asarray(rows, jnp.float32)))
        clusters = rng.integers(0, 1 + trial % 5, 40)
        delta = np.float32(purity_delta(jnp.asarray(rows), jnp.asarray(clusters)))
        wide = rows.astype(np.longdouble)
        apart = np.sqrt(((wide[:, None] - wide) ** 2).sum(axis=-1))
        other = clusters[:, None] != clusters
        least = np.where(other, apart, np.inf).min(axis=1)
        assert (delta <= least).sum() >= 38  # of 40: 95 %
        if delta < 2:
            assert (np.nextafter(delta, np.float32(3)) <= least).sum() < 38


def test_purity_of_one_cluster_is_the_whole_sphere():
    assert float(purity_delta(jnp.eye(5), jnp.zeros(5, int))) == 2.0


@pytest.mark.slow
def test_purity_by_name_finds_the_clusters_itself():
    rows = np.eye(4, dtype=np.float32).repeat(10, axis=0)
    rows = unit(rows + 0.01 * np.random.default_rng(0).normal(size=rows.shape))
    picks = select_probcover(
        KEY, rows, jnp.zeros(40, bool), budget=4, delta="purity", n_classes=4
    )
    assert 1.3 < float(picks.info["delta"]) < 1.5
    assert {i // 10 for i in picks.indices.tolist()} == {0, 1, 2, 3}


def defaults_hold_up(n: int, d: int) -> None:
    rows, none = hundred_clusters(n, d), jnp.zeros(n, bool)
    told = select_probcover(KEY, rows, none, budget=50, delta=RADIUS).indices
    bar = 0.9 * coverage(rows, told, RADIUS)
    for select in (select_probcover, select_max_herding):
        picks = select(KEY, rows, none, budget=50).indices
        assert coverage(rows, picks, RADIUS) >= bar, select.__name__


def test_defaults_reach_the_coverage_of_the_radius_that_is_right():
    defaults_hold_up(5000, 128)


@pytest.mark.slow
@pytest.mark.parametrize("d", [128, 512])
@pytest.mark.parametrize("n", [5000, 10_000, 20_000])
def test_defaults_hold_up_on_every_clustered_pool(n, d):
    defaults_hold_up(n, d)


def anisotropic(rng):
    return rng.normal(size=(1200, 48)) * np.arange(1, 49) ** -0.7


def cone(rng):
    return 1 + 0.1 * rng.normal(size=(1200, 48)) * np.arange(1, 49) ** -0.5


def copies(rng):
    return rng.normal(size=(60, 48)).repeat(20, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("pool", [anisotropic, cone, copies])
def test_other_geometries_beat_random_at_fixed_radii(pool):
    rng = np.random.default_rng(1)
    rows = unit(pool(rng))
    delta = float(auto_delta(jnp.asarray(rows)))
    picks = select_probcover(KEY, rows, jnp.zeros(1200, bool), budget=30, delta=delta)
    distance = distances(rows[:300], rows)
    for share in (0.01, 0.03):
        radius = max(np.quantile(distance, share), 1e-3)
        draws = [
            coverage(rows, rng.choice(1200, 30, replace=False), radius)
            for _ in range(20)
        ]
        assert coverage(rows, picks.indices, radius) > np.mean(draws) + 2 * np.std(
            draws
        )


def radius_by_definition(rows: np.ndarray, share: int = 16) -> float:
    """`auto_delta` in float64, ball by ball, from what its docstring says."""
    rows = rows.astype(np.float64) - rows.mean(axis=0)
    candidates, targets = rows[::2], rows[1::2]

    def apart(a, b):
        return np.sqrt(((a[:, None] - b) ** 2).sum(axis=2))

    among, across = apart(candidates, candidates), apart(candidates, targets)
    balls = max(1, len(candidates) // share)
    quantiles = np.quantile(across, np.geomspace(0.08 / balls, 0.5, 16))
    quantiles = np.maximum(quantiles, 1e-3)
    radii = np.sort([*quantiles, *np.geomspace(quantiles[0], quantiles[-1], 16)])
    advantages = []
    for radius in radii:
        open_rows, covered = np.ones(len(among), bool), np.zeros(len(targets), bool)
        for _ in range(balls):
            chosen = np.argmax((among < radius)[:, open_rows].sum(axis=1))
            open_rows &= ~(among[chosen] < radius)
            covered |= across[chosen] < radius
        drawn = 1 - (1 - (across < radius).mean(axis=0)) ** balls
        advantages.append(covered.mean() - drawn.mean())
    gain = np.array(advantages)
    begins = radii[np.argmax(gain >= gain.max() / 2)]
    hill = (radii >= begins) & (radii <= 1.3 * begins)
    height = gain[hill].max()
    return radii[np.argmax(hill & (gain >= 0.9 * height))]


@pytest.mark.parametrize("seed", range(3))
def test_auto_is_the_radius_of_its_definition(seed):
    rng = np.random.default_rng(seed)
    spread = np.array([0.5, 0.1, 0.02])[rng.integers(0, 3, 12)]
    centres = unit(rng.normal(size=(12, 6)))
    which = rng.integers(0, 12, 192)
    rows = unit(centres[which] + spread[which, None] * rng.normal(size=(192, 6)))
    expected = radius_by_definition(rows)
    found = float(auto_delta(jnp.asarray(rows)))
    assert found == pytest.approx(expected, rel=1e-4)
    # It is the share of the candidates that balls may have which decides here.
    others = [radius_by_definition(rows, share) for share in (8, 32)]
    assert all(abs(other / expected - 1) > 0.01 for other in others)


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_equal_rows_have_a_positive_radius(n):
    assert 0 < float(auto_delta(jnp.full((n, 4), 0.5))) < 0.01
