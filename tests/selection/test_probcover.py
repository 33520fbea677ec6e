"""ProbCover against its definition in float64, and every promise about its pairs."""

import functools
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.selection import tiles
from jaxsel.selection.probcover import cover, select_probcover
from jaxsel.selection.tiles import ball_of, counts_within, degrees
from jaxsel.selection.two_float import squared_distance

KEY = jax.random.key(0)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def clustered(n: int, d: int, seed: int = 0, noise: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = unit(rng.normal(size=(12, d)))
    return unit(centres[rng.integers(0, 12, n)] + noise * rng.normal(size=(n, d)))


def within(rows: np.ndarray, delta: float) -> np.ndarray:
    """The relation from its definition, in float64; zero rows cover themselves."""
    exact = rows.astype(np.float64)
    square = np.zeros((len(rows), len(rows)))
    for column in exact.T:
        square += np.subtract.outer(column, column) ** 2
    relation = square < float(np.float32(delta)) ** 2
    zero = ~rows.any(axis=1)
    relation[zero] = relation[:, zero] = False
    return relation | np.eye(len(rows), dtype=bool)


def oracle(relation: np.ndarray, budget: int, labelled: np.ndarray):
    """Greedy coverage as written: picks, gains, rounds."""
    covered = relation[labelled].any(axis=0)
    free = ~labelled
    picks, gains, rounds = [], [], 1
    for _ in range(budget):
        gain = np.where(free, (relation & ~covered).sum(axis=1), -1)
        if gain.max() == 0:
            covered[:] = False
            rounds += 1
            gain = np.where(free, relation.sum(axis=1), -1)
        pick = int(gain.argmax())
        picks.append(pick)
        gains.append(int(gain[pick]))
        free[pick] = False
        covered |= relation[pick]
    return picks, gains, rounds


run = functools.partial(select_probcover, KEY)


@pytest.mark.parametrize("delta", [0.5, 0.9, 1.3])
def test_picks_gains_and_rounds_follow_the_definition(delta):
    rows = clustered(200, 16)
    rows[[7, 20]] = 0
    rows[50:60] = rows[40]
    for labelled in (np.zeros(200, bool), np.arange(200) % 9 == 0):
        picks = run(jnp.asarray(rows), jnp.asarray(labelled), budget=100, delta=delta)
        want, gains, rounds = oracle(within(rows, delta), 100, labelled)
        assert picks.indices.tolist() == want
        assert picks.gains.tolist() == gains
        assert int(picks.rounds) == rounds


def test_radii_beyond_a_right_angle_leave_zero_rows_alone():
    rows = clustered(50, 4)
    rows[[3, 30]] = 0
    for delta in (2**0.5, 1.6):
        counts = degrees(jnp.pad(rows, ((0, 6), (0, 0))), ball_of(rows, delta), tile=8)
        assert counts[:50].tolist() == within(rows, delta).sum(axis=1).tolist()


def test_the_whole_pool_can_be_picked_once_each():
    rows = clustered(200, 16)[:60]
    picks = run(jnp.asarray(rows), jnp.zeros(60, bool), budget=60, delta=0.6)
    assert sorted(picks.indices.tolist()) == list(range(60))
    assert int(picks.rounds) > 1
    assert float(picks.info["coverage"]) == 1
    assert (
        run(jnp.asarray(rows), jnp.zeros(60, bool), budget=0, delta=0.6).indices.size
        == 0
    )


def boundary_pool(n: int, delta: float) -> np.ndarray:
    """Rows on a circle in steps of the angle of `delta`: neighbours are on the edge."""
    step = 2 * np.arcsin(float(np.float32(delta)) / 2)
    angle = step * np.repeat(np.arange(n // 8), 8)
    return np.c_[np.cos(angle), np.sin(angle), np.zeros((n, 6))].astype(np.float32)


@pytest.mark.parametrize("tile", [24, 64])
def test_boundary_pairs_are_decided_as_the_real_numbers_are(tile):
    delta = 0.3
    rows = boundary_pool(128, delta)
    exact = [[Fraction(float(v)) for v in row] for row in rows]
    square = Fraction(float(np.float32(delta))) ** 2
    want = [
        sum(
            sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) < square for y in exact
        )
        for x in exact
    ]
    padded = jnp.pad(rows, ((0, -len(rows) % tile), (0, 0)))
    counts = degrees(padded, ball_of(rows, delta), tile=tile)[: len(rows)]
    assert counts.tolist() == want
    # The same pairs one at a time, as the pass after a pick sees them.
    rows, ball = jnp.asarray(rows), ball_of(rows, delta)
    count = jax.jit(lambda row: counts_within(row[None], rows, ball)[0][0])
    alone = [int(count(row)) for row in rows[::8]]
    assert alone == want[::8]


def test_squared_distances_hold_twice_the_digits():
    rng = np.random.default_rng(1)
    x, y = unit(rng.normal(size=(50, 37))), unit(rng.normal(size=(50, 37)))
    y[:25] = x[:25] + np.float32(1e-6) * y[:25]
    hi, lo = map(np.float64, jax.jit(squared_distance)(x, y))
    for i in range(50):
        exact = sum(
            (Fraction(float(a)) - Fraction(float(b))) ** 2
            for a, b in zip(x[i], y[i], strict=True)
        )
        got = Fraction(float(hi[i])) + Fraction(float(lo[i]))
        assert abs(got - exact) <= exact / 2**40
    swapped = jax.jit(squared_distance)(y, x)
    np.testing.assert_array_equal(swapped[0], np.float32(hi))


def test_a_wide_margin_of_near_pairs_is_still_exact():
    """Rows off unit length loosen the bound: most pairs are decided one by one."""
    rows = clustered(200, 16) * np.linspace(0.9, 1.1, 200, dtype=np.float32)[:, None]
    picks = run(jnp.asarray(rows), jnp.zeros(200, bool), budget=20, delta=0.6)
    want, gains, _ = oracle(within(rows, 0.6), 20, np.zeros(200, bool))
    assert picks.indices.tolist() == want
    assert picks.gains.tolist() == gains


def offset_pool() -> np.ndarray:
    """Unit rows with all cosines near 1, as an untrained network's features have."""
    return unit(clustered(300, 64) + 20 * np.ones(64, np.float32) / 8)


def test_a_common_offset_is_taken_out_before_rounding_can_hide_the_distances():
    rows = offset_pool()
    delta = float(np.quantile(np.linalg.norm(rows[:, None] - rows, axis=2), 0.02))
    picks = run(jnp.asarray(rows), jnp.zeros(300, bool), budget=20, delta=delta)
    want, gains, _ = oracle(within(rows, delta), 20, np.zeros(300, bool))
    assert picks.indices.tolist() == want
    assert picks.gains.tolist() == gains


def test_centring_leaves_few_pairs_to_be_decided_one_by_one():
    rows = jnp.asarray(offset_pool())
    ball = ball_of(rows, 0.05)
    near = {}
    for name, centre in (("mean", ball.centre), ("origin", 0 * ball.centre)):
        sides = tiles._sides(rows, rows, ball._replace(centre=centre))
        near[name] = int((sides.maybe & ~sides.within).sum())
    assert 20 * near["mean"] < near["origin"], near


def test_a_pool_of_a_tile_that_strips_do_not_divide():
    rows = clustered(600, 16)
    picks = run(jnp.asarray(rows), jnp.zeros(600, bool), budget=10, delta=0.6)
    want, gains, _ = oracle(within(rows, 0.6), 10, np.zeros(600, bool))
    assert picks.indices.tolist() == want
    assert picks.gains.tolist() == gains


def test_tile_sizes_and_row_order_change_nothing():
    rows = clustered(300, 16, noise=0.02)
    none, delta = jnp.zeros(300, bool), jnp.float32(0.1)
    want = cover(KEY, rows, none, delta, budget=30)
    got = cover(KEY, rows, none, delta, budget=30, tile=40, block=16)
    assert got.indices.tolist() == want.indices.tolist()
    assert got.gains.tolist() == want.gains.tolist()
    order = np.random.default_rng(0).permutation(300)
    shuffled = cover(KEY, rows[order], none, delta, budget=30)
    # Ties go by position, so the gains, not the rows, are what cannot change.
    assert shuffled.gains.tolist()[0] == want.gains.tolist()[0]
    degree = within(rows, 0.1).sum(axis=1)
    assert degree[order[int(shuffled.indices[0])]] == degree.max()


def test_random_ties_are_exact_maxima_and_vary():
    rows = np.eye(8, dtype=np.float32).repeat(3, axis=0)
    chosen = set()
    for seed in range(8):
        picks = select_probcover(
            jax.random.key(seed),
            rows,
            jnp.zeros(24, bool),
            budget=8,
            delta=0.5,
            tie="random",
        )
        assert picks.gains.tolist() == [3] * 8
        chosen.add(tuple(picks.indices.tolist()))
    assert len(chosen) > 4


def test_random_coverage_is_the_mean_over_draws():
    rows, delta = clustered(200, 16), 0.6
    relation = within(rows, delta)
    labelled = np.arange(200) < 3
    picks = run(jnp.asarray(rows), jnp.asarray(labelled), budget=10, delta=delta)
    rng = np.random.default_rng(0)
    draws = [
        relation[np.r_[:3, rng.choice(np.arange(3, 200), 10, replace=False)]]
        .any(axis=0)
        .mean()
        for _ in range(2000)
    ]
    spread = np.std(draws) / len(draws) ** 0.5
    assert (
        abs(float(picks.info["random_coverage"]) - np.mean(draws)) < 4 * spread + 2e-3
    )
    covered = relation[np.r_[:3, np.asarray(picks.indices)]].any(axis=0)
    assert float(picks.info["coverage"]) == pytest.approx(covered.mean())
    assert int(picks.info["uncovered"]) == (~covered).sum()


def test_jit_vmap_and_another_radius_do_not_change_or_recompile():
    rows, none = jnp.asarray(clustered(200, 16)), jnp.zeros(200, bool)
    traces = []

    @jax.jit
    def program(key, delta):
        traces.append(1)
        return select_probcover(key, rows, none, budget=5, delta=delta).indices

    program(KEY, jnp.float32(0.5))
    program(KEY, jnp.float32(0.6))
    assert len(traces) == 1
    solo = run(rows, none, budget=5, delta=0.6).indices.tolist()
    batch = jax.vmap(program, (0, None))(jax.random.split(KEY, 2), jnp.float32(0.6))
    assert batch.tolist() == [solo, solo]


def test_mistakes_are_named():
    rows, none = jnp.eye(4), jnp.zeros(4, bool)
    with pytest.raises(UserError, match="auto"):
        run(rows, none, budget=1, delta="wide")
    with pytest.raises(UserError, match="n_classes"):
        run(rows, none, budget=1, delta="purity")


@pytest.mark.shared
@pytest.mark.parametrize(
    "pool",
    [
        pytest.param("cifar_pca", marks=pytest.mark.slow),
        "digits",
        pytest.param("mixture", marks=pytest.mark.slow),
    ],
)
def test_the_public_codes_picks_are_reproduced(shared, pool):
    for start in ("cold", "warm", "wrap"):
        case = np.load(shared / "golden" / f"{pool}_{start}.npz")
        labelled = np.zeros(len(case["features"]), bool)
        labelled[case["labelled"]] = True
        picks = run(
            jnp.asarray(unit(case["features"])),
            jnp.asarray(labelled),
            budget=int(case["budget"]),
            delta=float(case["delta"]),
        )
        assert picks.indices.tolist() == case["probcover"].tolist(), start
