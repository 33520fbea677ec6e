"""Coverage curves and knees from the definition; unit rows, distances and the plane."""

import numpy as np
import pytest

from jaxsel.evaluation.coverage import knee, shares_by_rank
from jaxsel.evaluation.directions import (
    centres_of,
    evenly,
    first_within,
    squared,
    unit,
)
from jaxsel.evaluation.plane import plane_of


def test_shares_count_what_each_pick_is_first_to_cover() -> None:
    first = np.array([0, 3, 1, 1, 99, 2, 4])
    expected = [(first <= k).mean() for k in range(4)]
    assert shares_by_rank(first, 3).tolist() == expected


def test_the_knee_is_farthest_from_the_chord() -> None:
    values = np.array([0.1, 0.4, 0.75, 0.8, 0.84, 0.87, 0.9])
    # By geometry: the distance of every point to the line through both ends.
    points = np.stack([np.linspace(0, 1, 7), (values - 0.1) / 0.8], axis=1)
    distances = (points[:, 1] - points[:, 0]) / 2**0.5
    assert knee(values) == distances.argmax() == 2
    # The paper's own example, 1 - exp(-k): x = ln(b) maximises y - x for large b.
    assert knee(1 - np.exp(-np.linspace(0, 20, 201))) == round(10 * np.log(20))


@pytest.mark.parametrize(
    "values", [[0, 1], [0.5] * 9, [0, 0.1, 0.2, 0.3], [0, 0.01, 0.1, 0.5, 1.0]]
)
def test_no_knee_where_a_curve_has_none(values: list[float]) -> None:
    assert knee(np.array(values)) is None


@pytest.mark.parametrize(("above", "found"), [(0.09, None), (0.11, 1)])
def test_a_knee_stands_a_tenth_of_the_height_above_the_chord(above, found) -> None:
    # 2 to 5 in three steps: the chord passes 3 and 4.
    values = 2 + 3 * np.array([0, 1 / 3 + above, 2 / 3 + above / 2, 1])
    assert knee(values) == knee(values - 7) == knee(0.001 * values) == found


def test_of_two_knees_the_first_is_named() -> None:
    assert knee(np.array([0, 0.5, 0.75, 0.875, 1.0])) == 1


@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_distances_keep_their_precision_beside_a_common_offset(offset: float) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 16)) + offset
    exact = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    truth = np.linalg.norm(exact[:, None] - exact[None, :40], axis=2)
    turned, norms = unit(rows)
    np.testing.assert_allclose(norms, np.linalg.norm(rows, axis=1), rtol=1e-6)
    centres = centres_of(rows[:40])
    found = np.sqrt(squared(turned - centres.origin, centres).astype(np.float64))
    apart = truth > 0
    np.testing.assert_allclose(found[apart], truth[apart], rtol=2e-3)
    radius = float(np.quantile(truth, 0.03))
    expected = np.where(
        (truth < radius).any(axis=1), (truth < radius).argmax(axis=1) + 1, 41
    )
    sure = (np.abs(truth - radius) > 2e-3 * radius).all(axis=1)
    assert sure.sum() > 200 and len(set(expected[sure])) > 20
    none = np.zeros(300, bool)
    got = first_within(squared(turned - centres.origin, centres), radius, none, centres)
    np.testing.assert_array_equal(got[sure], expected[sure])


def test_lengths_beyond_the_squares_of_float32() -> None:
    rows, norms = unit(np.array([[3e30, 4e30], [3e-30, -4e-30], [0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.6, -0.8], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(norms, [5e30, 5e-30, 0], rtol=1e-6)


@pytest.mark.parametrize(("n", "size"), [(5, 9), (9, 9), (10, 9), (1000, 300)])
def test_rows_evenly_spread_are_distinct_and_one_a_part(n: int, size: int) -> None:
    rows = evenly(n, size)
    assert len(set(rows.tolist())) == min(n, size)
    parts = np.arange(len(rows) + 1) * n / len(rows)
    assert ((rows > parts[:-1] - 1) & (rows < parts[1:])).all()


def test_the_plane_holds_the_two_principal_components() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(500, 30)) * np.linspace(3, 0.5, 30) + 4
    exact = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    exact -= exact.mean(axis=0)
    _, values, axes = np.linalg.svd(exact, full_matrices=False)
    plane = plane_of(rows)
    np.testing.assert_allclose(np.abs(axes[:2] @ plane.axes), np.eye(2), atol=2e-3)
    share = (values[:2] ** 2).sum() / (values**2).sum()
    assert plane.share == pytest.approx(share, rel=1e-4)
    points = plane.points(rows)
    np.testing.assert_allclose(np.abs(points), np.abs(exact @ axes[:2].T), atol=2e-3)


@pytest.mark.parametrize("rows", [np.ones((1, 3)), np.ones((4, 1)), np.zeros((3, 2))])
def test_rows_without_variance_lie_in_one_point(rows: np.ndarray) -> None:
    plane = plane_of(rows)
    np.testing.assert_allclose(plane.points(rows), 0, atol=1e-6)
    assert plane.share == 0 and np.isfinite(plane.axes).all()
