"""What one pass sees of rows: the numbers themselves, whatever the processor does."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxsel
from jaxsel.selection import magnitudes
from jaxsel.selection.dropping import finite_rows
from jaxsel.selection.sharded.placing import place
from jaxsel.selection.validate import as_features

# Sizes at which XLA's maximum drops NaN on some processors, and small ones.
SHAPES = [(400, 128), (5000, 64), (3, 2), (1, 1)]
BAD = [np.nan, -np.nan, np.inf, -np.inf]
TYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


def with_faults(n: int, d: int, dtype) -> tuple[np.ndarray, np.ndarray]:
    """Rows, and those of them with a fault: the first, the last and some between."""
    rows = np.random.default_rng(n).normal(size=(n, d)).astype(dtype)
    places = np.unique(np.linspace(0, n - 1, 9).astype(int))
    for i, row in enumerate(places):
        rows[row, (0, d - 1, d // 2)[i % 3]] = BAD[i % 4]
    return rows, places


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_row_that_is_not_finite_is_found(shape, dtype):
    rows, places = with_faults(*shape, dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        bits = magnitudes.row_bits(jnp.asarray(rows.astype(np.float32)))
    found = ~np.isfinite(magnitudes.largest_entries(np.asarray(bits)))
    assert np.flatnonzero(found).tolist() == places.tolist()
    assert np.flatnonzero(~finite_rows(rows)).tolist() == places.tolist()


@pytest.mark.parametrize("door", ["numpy", "jax", "dlpack", "mapped", "mesh"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_every_door_refuses_it(door, dtype, tmp_path):
    rows, places = with_faults(400, 128, dtype)
    given, read = rows, as_features
    if door == "jax":
        given = jnp.asarray(rows)
    elif door == "dlpack":
        given = pytest.importorskip("torch").from_numpy(rows)
    elif door == "mapped":
        np.save(tmp_path / "rows.npy", rows)
        given = np.load(tmp_path / "rows.npy", mmap_mode="r")
    elif door == "mesh":
        read = lambda pool: place(pool, jaxsel.pool_mesh(1))  # noqa: E731
    with pytest.raises(jaxsel.UserError, match=f"{len(places)} row.*first in row 0"):
        read(given)


def test_largest_entries_are_exact_down_to_subnormal_numbers():
    rows = np.array([[1e-45, 0], [-3e38, 1], [0, -0.0], [2, -3]], np.float32)
    entries = magnitudes.largest_entries(np.asarray(magnitudes.row_bits(rows)))
    assert entries.tolist() == np.abs(rows.astype(np.float64)).max(axis=1).tolist()
    wide = np.array([[1e300, 0], [0, -1e-300], [0, 0], [1, 2], [np.nan, 1e300]])
    pool = as_features(wide[:4])
    assert pool.entries.tolist() == [1e300, 1e-300, 0, 2]
    with pytest.raises(jaxsel.UserError, match="first in row 4"):
        as_features(wide)


def test_moderate_pools_are_computed_with_as_they_are():
    for compares in ("nothing", "directions", "lengths", "residuals", "distances"):
        form = magnitudes.form_of(compares, magnitudes.Extent(1e-3, 1e3, 5))
        assert form == magnitudes.Form(1.0, False)
    rows = np.random.default_rng(0).normal(size=(400, 128)).astype(np.float32)
    assert np.asarray(as_features(rows).rows).tobytes() == rows.tobytes()


@given(st.lists(st.integers(-1070, 1020), min_size=1, max_size=6))
@settings(deadline=None)
def test_rows_over_their_own_power_keep_their_direction(powers):
    rows = np.ldexp(np.array([[0.75, -0.5]] * len(powers)), np.array(powers)[:, None])
    own = magnitudes.by_own_powers(rows)
    assert own.dtype == np.float32
    assert np.all(own[:, 0] * -2 == own[:, 1] * 3)
    assert np.all((np.abs(own).max(axis=1) >= 0.5) & (np.abs(own).max(axis=1) < 1))


def test_a_power_of_two_beyond_float32_scales_exactly():
    rows = jnp.asarray([[1.5, 3.0]], jnp.float32) * jnp.float32(2.0**126)
    scaled = magnitudes.scaled(rows, 2.0**-127)
    assert scaled.tolist() == [[0.75, 1.5]]
    assert jax.device_get(magnitudes.scaled(np.array([[1e300]]), 2.0**-996)) > 1
