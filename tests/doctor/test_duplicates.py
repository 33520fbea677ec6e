"""Equal and nearly equal rows, against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsel.doctor import near as near_module
from jaxsel.doctor.near import near_duplicates
from jaxsel.doctor.repeats import first_equal
from jaxsel.doctor.sweep import sweep


def brute_first(rows: np.ndarray) -> list[int]:
    seen: dict[tuple[float, ...], int] = {}
    return [seen.setdefault(tuple(row), i) for i, row in enumerate(rows.tolist())]


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.sampled_from([0.0, -0.0, 1.0, -2.5]), min_size=2, max_size=2),
        min_size=1,
        max_size=30,
    ),
    bits=st.sampled_from([0, 1, 64]),
)
def test_first_equal_is_brute_force_whatever_the_hashes(
    rows: list[list[float]], bits: int
) -> None:
    array = np.array(rows, np.float32)
    hashes = sweep(array).hashes
    # Of 0 bits all rows collide, of 1 bit half of them do.
    hashes = hashes & np.uint64(2**bits - 1)
    found = first_equal(array, hashes, np.ones(len(array), bool))
    assert found.tolist() == brute_first(array)


def test_hashes_of_round_numbers_differ() -> None:
    rows = np.random.default_rng(0).integers(0, 3, (20_000, 12)).astype(np.float32)
    distinct = np.unique(rows, axis=0)
    assert len(np.unique(sweep(distinct).hashes)) == len(distinct)


def test_unusable_rows_are_their_own_first() -> None:
    rows = np.zeros((4, 2), np.float32)
    usable = np.array([True, False, True, True])
    hashes = np.zeros(4, np.uint64)
    assert first_equal(rows, hashes, usable).tolist() == [0, 1, 0, 0]


def pool_with_pairs(
    n: int, d: int, cosines: np.ndarray, offset: float, seed: int
) -> np.ndarray:
    """Random rows about a shared offset; the last `len(cosines)` shadow the first."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n, d)) + offset
    for i, cosine in enumerate(cosines):
        away = random.normal(size=d)
        base = rows[i] / np.linalg.norm(rows[i])
        away -= (away @ base) * base
        away /= np.linalg.norm(away)
        twin = cosine * base + np.sqrt(1 - cosine**2) * away
        rows[n - 1 - i] = 3.0 * np.linalg.norm(rows[i]) * twin
    return rows.astype(np.float32)


def brute_near(rows: np.ndarray, threshold: float) -> np.ndarray:
    wide = rows.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    cosines = wide @ wide.T
    np.fill_diagonal(cosines, -1)
    return (cosines >= threshold).any(axis=1)


def test_all_pairs_are_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_module, "_TILE", 64)
    rows = pool_with_pairs(300, 16, np.array([0.9999, 0.9985, 0.9995]), 0.5, 1)
    seen = sweep(rows)
    found = near_duplicates(rows, seen.norms, np.ones(300, bool), 0.999)
    assert found.complete
    np.testing.assert_array_equal(found.rows, brute_near(rows, 0.999))
    assert set(np.flatnonzero(found.rows)) == {0, 2, 297, 299}
    assert [pair[:2] for pair in found.pairs] == [(0, 299), (2, 297)]
    assert found.pairs[0][2] == pytest.approx(0.9999, abs=1e-6)


def test_unusable_rows_are_nobodys_duplicates() -> None:
    rows = np.ones((5, 3), np.float32)
    usable = np.array([True, False, False, True, False])
    norms = sweep(rows).norms
    for work in (0, near_module.EXACT_WORK):
        found = near_duplicates(rows, norms, usable, 0.99, exact_work=work)
        np.testing.assert_array_equal(found.rows, usable)


@pytest.mark.parametrize("scale", [1.0, 1e25, 1e-30])
@pytest.mark.parametrize("offset", [0.0, 1.0, 3.0])
def test_hashes_find_nearly_all_pairs_and_only_true_ones(
    offset: float, scale: float
) -> None:
    n, planted = 4000, 500
    cosines = np.linspace(0.9991, 0.99999, planted)
    rows = pool_with_pairs(n, 48, cosines, offset, 2) * np.float32(scale)
    truth = brute_near(rows, 0.999)
    assert truth[:planted].all() and truth[n - planted :].all()
    norms, usable = sweep(rows).norms, np.ones(n, bool)
    found = near_duplicates(rows, norms, usable, 0.999, exact_work=0)
    assert not found.complete
    assert not (found.rows & ~truth).any()
    # At the threshold 0.989 are expected, and all but all of the closer ones.
    assert found.rows.sum() >= 0.985 * truth.sum()
    again = near_duplicates(rows, norms, usable, 0.999, exact_work=0)
    np.testing.assert_array_equal(found.rows, again.rows)
    assert found.pairs == again.pairs


def test_hashes_share_a_cell_as_often_as_they_should() -> None:
    # Every pair is at the threshold itself, among few others.
    n = 3000
    rows = pool_with_pairs(n, 64, np.full(n // 2, 0.99901), 0.0, 5)
    found = near_duplicates(
        rows, sweep(rows).norms, np.ones(n, bool), 0.999, exact_work=0
    )
    assert 0.975 < found.rows.mean() < 0.998


def test_a_crowd_of_copies_is_found_whole() -> None:
    random = np.random.default_rng(3)
    crowd = random.normal(size=32) + 1e-3 * random.normal(size=(2000, 32))
    rows = np.concatenate([random.normal(size=(2000, 32)), crowd]).astype(np.float32)
    seen = sweep(rows)
    found = near_duplicates(rows, seen.norms, np.ones(4000, bool), 0.999, exact_work=0)
    assert not found.rows[:2000].any()
    assert found.rows[2000:].mean() > 0.98


def test_one_row_has_no_duplicate() -> None:
    for work in (0, 10**9):
        found = near_duplicates(
            np.ones((1, 2)), np.ones(1), np.ones(1, bool), 0.9, exact_work=work
        )
        assert not found.rows.any() and found.pairs == ()
