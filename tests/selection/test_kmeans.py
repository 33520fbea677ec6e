"""k-means against scikit-learn and against its own definition in float64."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import datasets
from sklearn.cluster import KMeans as Reference
from threadpoolctl import threadpool_limits

from jaxsel.selection import kmeans as module
from jaxsel.selection.kmeans import kmeans
from jaxsel.selection.seeding import Start, greedy_start, make_pool
from tests import rounding

# One shape for all data sets, so that k-means is compiled once.
N, D, K = 1500, 64, 20
SEEDS = 16
STRICT = {"k": K, "n_init": 6, "tol": 0.0}
run_many = jax.jit(jax.vmap(lambda key, x: kmeans(key, x, k=K), in_axes=(0, None)))


def clustered_pool(n: int, d: int) -> np.ndarray:
    """Unit rows around 100 unit centres, the r-th of weight r^-1/2."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(100, d))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    weight = np.arange(1, 101) ** -0.5
    label = rng.choice(100, n, p=weight / weight.sum())
    rows = centres[label] + 0.5 / np.sqrt(d) * rng.normal(size=(n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def data_set(name: str) -> np.ndarray:
    rng = np.random.default_rng(1)
    if name == "digits":
        return datasets.load_digits().data[:N]
    if name == "blobs":
        return datasets.make_blobs(N, D, centers=30, random_state=0)[0]
    if name == "clustered":
        return clustered_pool(N, D)
    if name == "heavy-tailed":
        return rng.standard_t(3, size=(N, D))
    if name == "low-rank":
        return rng.normal(size=(N, 4)) @ rng.normal(size=(4, D)) + 100.0
    raise ValueError(name)


def inertia_of(x: np.ndarray, assignments: np.ndarray, centres: np.ndarray) -> float:
    x, centres = np.asarray(x, np.float64), np.asarray(centres, np.float64)
    return float(((x - centres[assignments]) ** 2).sum())


def centred(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, np.float64)
    return x - x.mean(axis=0)


def inertia_error(x: np.ndarray) -> float:
    """How far the sum of n distances in the dot-product form may be from the exact one.

    A distance errs by gamma(d + 2) (|x| + |c|)², and (|x| + |c|)² <= 2 |x|² + 2 |c|²;
    means are no longer than their rows are on average. The sum errs by gamma(n) more.
    """
    total = np.square(centred(x)).sum()
    return (4 * rounding.gamma(x.shape[1] + 2) + rounding.gamma(len(x))) * total


def against_scikit_learn(x: np.ndarray) -> float:
    """Mean inertia over the seeds, ours over scikit-learn's."""
    x = np.asarray(x, np.float32)
    ours = run_many(jax.random.split(jax.random.key(0), SEEDS), jnp.asarray(x))
    with threadpool_limits(1):  # small problems are slower on more threads
        theirs = [
            Reference(K, n_init=1, random_state=seed).fit(x).inertia_
            for seed in range(SEEDS)
        ]
    return float(np.mean(np.asarray(ours.inertia, np.float64)) / np.mean(theirs))


@pytest.mark.parametrize(
    "name", ["digits", "blobs", "clustered", "heavy-tailed", "low-rank"]
)
def test_mean_inertia_is_within_one_percent_of_scikit_learn(name):
    assert against_scikit_learn(data_set(name)) < 1.01


@pytest.mark.shared
def test_mean_inertia_on_real_features(shared):
    x = np.load(shared / "golden" / "cifar_pca_cold.npz")["features"][:N, :D]
    assert against_scikit_learn(x / np.linalg.norm(x, axis=1, keepdims=True)) < 1.01


@pytest.fixture(scope="module")
def digits() -> jax.Array:
    return jnp.asarray(data_set("digits"), jnp.float32)


def test_result_is_a_fixed_point_of_the_definition(digits):
    found = kmeans(jax.random.key(0), digits, **STRICT)
    x = np.asarray(digits, np.float64)
    centres = np.asarray(found.centres, np.float64)
    distances = ((x[:, None] - centres) ** 2).sum(axis=2)
    labels = np.asarray(found.assignments)
    mean = x.mean(axis=0)
    error = 2 * rounding.squared_distances(x - mean, centres - mean).max(axis=1)
    assert np.all(distances[np.arange(N), labels] <= distances.min(axis=1) + error)
    for j in range(K):
        rows = x[labels == j]
        error = rounding.gamma(len(rows) + 3) * np.abs(x).max()
        np.testing.assert_allclose(centres[j], rows.mean(axis=0), rtol=0, atol=error)
    np.testing.assert_allclose(
        found.inertia, inertia_of(x, labels, centres), rtol=rounding.gamma(N + D + 3)
    )


@pytest.mark.parametrize("name", ["digits", "heavy-tailed", "low-rank"])
def test_inertia_never_rises(name):
    x = jnp.asarray(data_set(name), jnp.float32)
    found = run_many(jax.random.split(jax.random.key(1), SEEDS), x)
    history = np.asarray(found.history, np.float64)
    assert np.all(np.diff(history, axis=1) <= 2 * inertia_error(x))
    assert np.all(np.asarray(found.iterations) > 1)
    np.testing.assert_array_equal(history[:, -1], np.asarray(found.inertia))


def test_more_restarts_are_never_worse(digits):
    key = jax.random.key(3)
    alone = kmeans(key, digits, k=K)
    several = kmeans(key, digits, **STRICT)
    assert several.inertia < alone.inertia


def test_greedy_start_beats_the_plain_one(digits):
    pool = make_pool(digits, jnp.ones(len(digits), bool))
    x = np.asarray(digits, np.float64)

    def mean_potential(centres: list[np.ndarray]) -> float:
        distance = [
            ((x[:, None] - np.asarray(c, np.float64)) ** 2).sum(2).min(1).sum()
            for c in centres
        ]
        return float(np.mean(distance))

    start = jax.jit(partial(greedy_start, k=10))
    ours = [
        start(jax.random.key(s), pool, jnp.int32(10)).centres + pool.mean
        for s in range(8)
    ]
    plain = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        chosen = [x[rng.integers(len(x))]]
        for _ in range(9):
            near = ((x[:, None] - np.array(chosen)) ** 2).sum(2).min(1)
            chosen.append(x[rng.choice(len(x), p=near / near.sum())])
        plain.append(np.array(chosen))
    assert mean_potential(ours) < 0.97 * mean_potential(plain)


@pytest.mark.parametrize("distinct", [1, 3, 12])
def test_never_more_clusters_than_distinct_rows(distinct):
    rng = np.random.default_rng(distinct)
    rows = rng.normal(size=(distinct, D)) + 7.0
    copies = N // distinct
    x = jnp.asarray(np.tile(rows, (copies, 1)), jnp.float32)
    found = kmeans(jax.random.key(0), x, k=K)
    assert int(found.used.sum()) == distinct
    labels = np.asarray(found.assignments).reshape(copies, distinct)
    assert np.array_equal(labels, np.tile(labels[:1], (copies, 1)))
    assert len(np.unique(labels)) == distinct
    assert np.all(np.asarray(found.used)[labels])
    # A centre is the mean of its copies, whose entries err by gamma(copies) of theirs.
    # The rows that it is the mean of are centred: gamma(n) of their length is left.
    sizes = np.abs(centred(x)) + rounding.gamma(N + 1) * np.abs(np.asarray(x))
    assert found.inertia <= rounding.gamma(copies + 2) ** 2 * np.square(sizes).sum()


def test_an_empty_cluster_moves_to_the_farthest_row():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2)) * 0.1
    x[100:] += [10.0, 0.0]
    x[150:] += [0.0, 10.0]
    pool = make_pool(jnp.asarray(x, jnp.float32), jnp.ones(200, bool))
    # Two of the three centres are farther from every row than the first.
    centres = jnp.array([[0.0, 0.0], [500.0, 500.0], [-700.0, 0.0]])
    start = Start(centres, jnp.ones(3, bool))
    found = module._lloyd(pool, start, jnp.float32(0), 100, 64)
    assert np.bincount(np.asarray(found.assignments), minlength=3).min() == 50
    # The first distances are those to centres 700 away, and so is their rounding.
    far = 700 * np.ones_like(x)
    error = 2 * rounding.gamma(len(x)) * np.square(far).sum()
    assert np.all(np.diff(np.asarray(found.history)) <= error)


def test_one_row():
    alone = kmeans(jax.random.key(0), jnp.ones((1, 3)), k=1)
    assert alone.assignments.tolist() == [0] and alone.inertia == 0


def test_rows_that_do_not_take_part_change_nothing(digits):
    taken = np.arange(N) % 3 != 1
    x = jnp.where(taken[:, None], digits, 1e4)
    found = kmeans(jax.random.key(5), x, k=K, valid=jnp.asarray(taken))
    assert np.all(np.asarray(found.assignments)[~taken] == -1)
    np.testing.assert_allclose(
        inertia_of(digits[taken], found.assignments[taken], found.centres),
        found.inertia,
        rtol=rounding.gamma(N + D + 3),
    )
    theirs = Reference(K, n_init=1, random_state=0).fit(np.asarray(digits)[taken])
    assert found.inertia < 1.05 * theirs.inertia_


@pytest.mark.parametrize("tile", [1, 400, N])
def test_the_tile_size_changes_no_assignment(digits, tile):
    pool = make_pool(digits, jnp.arange(N) != 7)
    rows = np.asarray(pool.x, np.float64)
    centres = rows[11 : 11 + K] + np.linspace(0, 1, D)
    start = Start(jnp.asarray(centres, jnp.float32), jnp.ones(K, bool))
    found = jax.jit(module._assign, static_argnums=2)(pool, start, tile)
    distances = ((rows[:, None] - centres) ** 2).sum(axis=2)
    labels = np.asarray(found.labels)
    assert labels[7] == -1 and np.all(np.delete(labels, 7) >= 0)
    # The nearest, or one that float32 cannot tell from it.
    near = np.arange(N) != 7
    error = 2 * rounding.squared_distances(rows, centres).max(axis=1)
    assert np.all((distances[np.arange(N), labels] <= distances.min(1) + error)[near])
    sums = [rows[labels == j].sum(axis=0) for j in range(K)]
    error = rounding.gamma(N) * np.abs(rows).sum(axis=0).max()
    np.testing.assert_allclose(found.sums, sums, rtol=0, atol=error)
    np.testing.assert_array_equal(found.counts, [np.sum(labels == j) for j in range(K)])


@pytest.fixture(scope="module")
def apart() -> jax.Array:
    """K clusters so far apart that no last bit decides where a row belongs.

    Two programs for the same clustering need not round alike, and where clusters touch
    one row that changes sides moves every centre in the end.
    """
    rng = np.random.default_rng(2)
    rows = 100 * rng.normal(size=(K, D))[np.arange(N) % K] + rng.normal(size=(N, D))
    return jnp.asarray(rows, jnp.float32)


def test_room_for_more_centres_changes_nothing(digits, apart):
    key = jax.random.key(4)
    exact = kmeans(key, apart, k=K)
    roomy = kmeans(key, apart, k=60, count=K)
    assert len(np.unique(exact.assignments)) == K
    np.testing.assert_array_equal(exact.assignments, roomy.assignments)
    assert int(roomy.used.sum()) == K
    before = kmeans._cache_size()
    assert int(kmeans(key, digits, k=60, count=13).used.sum()) == 13
    assert kmeans._cache_size() == before


def test_a_large_common_offset_is_harmless(digits):
    moved = digits + 3e4  # digits are whole numbers: nothing is rounded here
    found = kmeans(jax.random.key(0), moved, k=K)
    labels = np.asarray(found.assignments)
    x = np.asarray(moved, np.float64)
    best = kmeans(jax.random.key(0), digits, k=K).inertia
    assert inertia_of(x, labels, np.asarray(found.centres)) < 1.05 * best


def test_vmap_row_equals_solo_and_same_key_same_result(digits, apart):
    keys = jax.random.split(jax.random.key(7), SEEDS)
    many = run_many(keys, apart)
    alone = kmeans(keys[1], apart, k=K)
    np.testing.assert_array_equal(many.assignments[1], alone.assignments)
    solo = kmeans(keys[1], digits, k=K)
    again = kmeans(keys[1], digits, k=K)
    np.testing.assert_array_equal(solo.centres, again.centres)


def test_memory_stays_linear():
    n, d, k = 40_000, 16, 8
    x = jax.ShapeDtypeStruct((n, d), jnp.float32)
    key = jax.random.key(0)
    compiled = kmeans.lower(key, x, k=k, tile=1024).compile()
    extra = compiled.memory_analysis().temp_size_in_bytes
    candidates = 2 + int(np.log(k))
    assert extra < 4 * (n * (2 * candidates + 12) + 40 * 1024 * (k + d))
    assert extra < 4 * n * n / 100
