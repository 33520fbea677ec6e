"""The first pass and what is made of it: alike for any block, whatever is zero."""

import jax
import numpy as np
import pytest

from jaxsel.pools.opening import open_pool
from jaxsel.streaming import kmeans, plan
from jaxsel.streaming.stream import Stream
from jaxsel.streaming.survey import survey


def stream_of(pool, block=256, *, unit=False):
    return Stream(open_pool(pool), plan.Plan(1 << 30, block, 1 << 30), unit=unit)


@pytest.mark.parametrize("block", [256, 768])
def test_the_mean_is_that_of_the_rows_wherever_blocks_end(rows, tmp_path, block):
    far = rows + np.float32(1000.1)
    np.save(tmp_path / "far.npy", far)
    found = survey(stream_of(tmp_path / "far.npy", block))
    # 256 rows at a time are added up in float32, and those sums in float64.
    exact = far.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(found.mean, exact, rtol=256 * 2.0**-24)
    assert found.zero_rows == 0


def test_zero_rows_take_no_part_in_clusters(rows, pool, tmp_path):
    """Nor in their scale: centre and threshold are those of the rows that are some."""
    padded = np.zeros((1400, rows.shape[1]), np.float32)
    padded[::2] = rows
    np.save(tmp_path / "padded.npy", padded)
    stream = stream_of(tmp_path / "padded.npy", unit=True)
    state = kmeans.start(stream, jax.random.key(0), survey(stream), 4, 4, 1)
    lengths = np.linalg.norm(rows, axis=1)
    some = rows[lengths > 0].astype(np.float64) / lengths[lengths > 0, None]
    assert state["km_valid"].sum() == len(some) == 697
    np.testing.assert_allclose(state["km_mean"], some.mean(axis=0), atol=1e-6)
    wanted = kmeans.TOL * some.var(axis=0).mean()
    assert state["km_threshold"] == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("per_block", [0, 100])
def test_room_is_left_for_what_a_block_is_read_into(pool, monkeypatch, per_block):
    """Two blocks as they are read, one on the device, and three in float32."""
    monkeypatch.setattr(plan, "LARGEST", 1 << 20)
    opened = open_pool(pool)
    held = plan.RUNTIME + 4 * opened.n + 1000 + opened.held
    a_row = 3 * 4 * opened.d + 3 * 4 * opened.d + per_block
    for memory in (held + a_row * 256, held + a_row * 512 - 1, held + a_row * 512):
        found = plan.plan(memory, opened, per_row=4, fixed=1000, per_block=per_block)
        assert found.planned <= memory
        assert found.block == (512 if memory >= held + a_row * 512 else 256)
