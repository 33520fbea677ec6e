"""The benchmark of ImageNet's shape: even clusters, marks, the store, one small run."""

import numpy as np
import pytest

from benchmarks import disk_pools, imagenet, imagenet_store
from benchmarks.scale import Case
from benchmarks.scale_worker import Watch
from jaxsel.streaming.stream import Reading


def test_even_clusters_have_equal_shares(tmp_path) -> None:
    path = tmp_path / "even.npy"
    disk_pools.write(path, 20_000, 16, "float16", 10, even=True)
    rows = np.load(path).astype(np.float32)
    centres = np.random.default_rng(0).standard_normal((10, 16), np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    directions = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    sizes = np.bincount(np.argmax(unit @ directions.T, axis=1), minlength=10)
    assert np.load(path).dtype == np.float16
    assert sizes.min() > 1600 and sizes.max() < 2400


def test_marks_and_the_limit() -> None:
    watch = Watch([2, 5, 9], limit=60.0)
    for picked in (1, 3, 6):
        watch(Reading(picked, 9, 1.0, 0, 0.0))
    assert set(watch.reached) == {2, 5}
    assert watch.reached[2] <= watch.reached[5]
    with pytest.raises(TimeoutError, match="at 7 picks and 2 passes"):
        Watch([], limit=0.0)(Reading(7, 9, 2.0, 0, 0.0))


def test_a_selection_is_stopped_and_says_how_far_it_was(tmp_path) -> None:
    path = tmp_path / "pool.npy"
    disk_pools.write(path, 3000, 16, "float16", 10, even=True)
    case = Case("k_center", 3000, 1000, {}, "float16")
    found = imagenet.picked(case, path, "1GiB", limit=0.0)
    assert found["error"].startswith("stopped after") and found["peak_mib"] > 50
    assert "stopped" in imagenet.line({**case._asdict(), "name": "k", **found})


@pytest.mark.slow
def test_the_store_and_the_console_pick_the_same_rows(tmp_path) -> None:
    path = tmp_path / "pool.npy"
    disk_pools.write(path, 3000, 16, "float16", 10, even=True)
    found = imagenet_store.through(path, "1GiB", budget=20)
    assert found["same_picks"] and found["stored"]["bytes"] == 2 * 3000 * 16 + 128
    assert "the same rows" in imagenet_store.words(found)
    took = [value for value in found.values() if isinstance(value, dict)]
    assert len(took) == 4 and not any("error" in value for value in took)
