"""The Fréchet distance: SciPy's matrix root, golden numbers, and rows left out."""

import pathlib

import numpy as np
import pytest
import scipy.linalg

from jaxsel.errors import UserError
from jaxsel.evaluation.frechet import centred_pool, distance_to_rest, frechet_distance


def by_definition(a: np.ndarray, b: np.ndarray) -> float:
    """Means, covariances and the root of their product, as the definition has them."""
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    gap = a.mean(0) - b.mean(0)
    return gap @ gap + np.trace(first) + np.trace(second) - 2 * np.trace(root).real


def draw(seed: int, n: int, d: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


@pytest.mark.parametrize(("n", "m"), [(50, 40), (50, 9), (9, 50), (10, 10)])
def test_the_definition(n: int, m: int) -> None:
    a, b = draw(0, n, 8), draw(1, m, 8)
    found = frechet_distance(a, b)
    np.testing.assert_allclose(found, by_definition(a, b), rtol=1e-9)
    np.testing.assert_allclose(frechet_distance(b, a), found, rtol=1e-12)


def test_normal_laws_on_axes() -> None:
    """Diagonal covariances have the root of every entry, at any rank."""
    a = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 4, 0], [0, -4, 0]])
    b = np.array([[1, 5.0, 2], [1, -5, 2], [1, 0, 8], [1, 0, -4]])
    roots = [np.sqrt(x * y / 9) for x, y in ((18, 0), (32, 50), (0, 72))]
    expected = 5 + (18 + 32 + 50 + 72) / 3 - 2 * sum(roots)
    np.testing.assert_allclose(frechet_distance(a, b), expected, rtol=1e-13)


def test_what_it_does_not_depend_on() -> None:
    a, b = draw(2, 6, 12), draw(3, 30, 12)
    found = frechet_distance(a, b)
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(12, 12)))[0]
    np.testing.assert_allclose(frechet_distance(a @ turn, b @ turn), found, rtol=1e-11)
    far = 1e5
    np.testing.assert_allclose(frechet_distance(a + far, b + far), found, rtol=1e-8)
    assert 0 <= frechet_distance(a, a[::-1]) < 1e-11 * np.square(a).sum()


def test_a_small_sample_is_far_from_its_own_law() -> None:
    pool = draw(5, 2000, 16)
    few, more = (distance_to_rest(pool, np.arange(s)) for s in (10, 400))
    assert few > 5 * more


@pytest.mark.parametrize("s", [2, 7, 20, 58])
@pytest.mark.parametrize("d", [5, 30])
def test_rows_against_the_rest(s: int, d: int) -> None:
    features = draw(6, 60, d)
    rows = np.random.default_rng(7).permutation(60)[:s]
    others = np.delete(features, rows, axis=0)
    expected = frechet_distance(features[rows], others)
    np.testing.assert_allclose(distance_to_rest(features, rows), expected, rtol=1e-10)
    pool = centred_pool(features)
    assert distance_to_rest(pool, rows) == distance_to_rest(features, rows)
    kept = [part.copy() for part in pool]
    for before, after in zip(kept, pool, strict=True):
        np.testing.assert_array_equal(before, after)


def test_rows_against_the_rest_in_single_precision_far_from_zero() -> None:
    features = (draw(8, 500, 20) + 300).astype(np.float32)
    rows = np.arange(0, 500, 25)
    expected = by_definition(
        features[rows].astype(np.float64),
        np.delete(features, rows, axis=0).astype(np.float64),
    )
    np.testing.assert_allclose(distance_to_rest(features, rows), expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0.0, 1.0], r"found float64 of the shape \[2\]"),
        ([[0, 1]], r"of the shape \[1, 2\]"),
        ([3], "expected 2 to 8 rows of 10, .* found 1"),
        (range(9), "found 9: choose another"),
        ([-1, 2], "found -1 to 2"),
        ([2, 10], "from 0 to 9, found 2 to 10"),
        ([4, 2, 4], "found 1 repeated"),
    ],
)
def test_rows_that_are_refused(rows, message: str) -> None:
    with pytest.raises(UserError, match=message):
        distance_to_rest(draw(9, 10, 3), rows)


def test_features_that_are_refused() -> None:
    good = draw(9, 10, 3)
    with pytest.raises(UserError, match="3 columns in the sample and 4"):
        frechet_distance(good, draw(9, 10, 4))
    with pytest.raises(UserError, match=r"found the shape \[1, 3\]"):
        frechet_distance(good[:1], good)
    for wrong in (np.nan, np.inf):
        bad = good.copy()
        bad[3, 1] = wrong
        with pytest.raises(UserError, match="NaN or inf"):
            distance_to_rest(bad, [0, 1])


@pytest.mark.shared
def test_golden_numbers(shared: pathlib.Path) -> None:
    golden = np.load(shared / "golden" / "training" / "c08_fid_values.npz")
    for i, (first, second) in enumerate(golden["pairs"]):
        found = frechet_distance(golden[first], golden[second])
        size = golden["trace1"][i] + golden["trace2"][i]
        np.testing.assert_allclose(
            found, golden["fid_exact"][i], rtol=1e-9, atol=1e-12 * size
        )
