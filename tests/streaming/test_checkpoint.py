"""Killed anywhere and started again, a selection ends with the same picks."""

import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest

from jaxsel.errors import UserError
from jaxsel.streaming.api import select_from_disk

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = [
    ("norm", {}),
    ("gram_schmidt", {"block_size": 8}),
    ("gram_schmidt", {"block_size": 8, "deterministic": True, "tie": "random"}),
    ("k_center", {}),
    ("probcover", {"delta": 0.1}),
    ("probcover", {"delta": 0.1, "reference": 300, "n_candidates": 200}),
    ("typiclust", {"max_clusters": 4}),
    ("probcover+norm", {"delta": 0.1}),
]
PREFIX = CASES[:-2]
KNOWN = np.array([1, 3, 650])
pytestmark = pytest.mark.filterwarnings(
    "ignore::jaxsel.selection.coverage.CoverageWarning"
)


class Killed(BaseException):
    """Ends the selection where it stands, as a kill would."""


def dying(after: int):
    """A progress call that ends everything at call number `after`."""
    calls = iter(range(after + 1))

    def call(_):
        if next(calls) == after:
            raise Killed

    return call


@pytest.mark.parametrize(("method", "options"), CASES)
def test_killed_at_every_block_and_resumed(pool, tmp_path, method, options):
    options = {**options, "labelled": KNOWN, "seed": 2}
    whole = select_from_disk(pool, 14, method, **options)
    folder = tmp_path / "state"
    calls, ended = 0, False
    while not ended:
        # Every start gets some blocks further than the state that it found; the first
        # three compare the pool with that of the state.
        try:
            found = select_from_disk(
                pool, 14, method, checkpoint=folder, progress=dying(8), **options
            )
            ended = True
        except Killed:
            calls += 1
            assert calls < 100
    assert calls > 0 or whole.info["passes"] < 2
    assert found.indices.tolist() == whole.indices.tolist()
    assert np.array_equal(found.gains, whole.gains)
    for name in ("rounds", "coverage", "radius", "n_kept", "zero_rows"):
        assert found.info.get(name) == whole.info.get(name), name
    # Once it is finished the pool is read to be compared, and for single rows.
    again = select_from_disk(pool, 14, method, checkpoint=folder, **options)
    assert again.indices.tolist() == whole.indices.tolist()
    assert again.info["passes"] == 1
    assert again.info["contents"] == whole.info["contents"]


@pytest.mark.parametrize(("method", "options"), PREFIX)
def test_a_larger_budget_costs_the_new_picks_only(pool, tmp_path, method, options):
    options = {**options, "labelled": KNOWN, "seed": 2}
    whole = select_from_disk(pool, 14, method, **options)
    first = select_from_disk(pool, 9, method, checkpoint=tmp_path, **options)
    more = select_from_disk(pool, 14, method, checkpoint=tmp_path, **options)
    assert first.indices.tolist() == whole.indices.tolist()[:9]
    assert more.indices.tolist() == whole.indices.tolist()
    assert np.array_equal(more.gains, whole.gains)
    assert more.info["rounds"] == whole.info["rounds"]
    passes = [found.info["passes"] for found in (first, more, whole)]
    # Beside the pass that compares the pool with that of the state, at most one more
    # than at once, for what closes the first (a radius).
    assert passes[0] + passes[1] - 1 <= passes[2] + 1
    assert passes[1] - 1 < passes[2]
    # A smaller one is what it would have been.
    less = select_from_disk(pool, 9, method, checkpoint=tmp_path, **options)
    assert less.indices.tolist() == first.indices.tolist()
    for name in ("rounds", "coverage", "coverage_se", "uncovered", "radius"):
        if name in first.info:
            assert less.info[name] == pytest.approx(first.info[name], rel=1e-6), name


SCRIPT = """
import os, signal, sys
from jaxsel.streaming import plan
plan.LARGEST = 1
from jaxsel.streaming.api import select_from_disk
pool, folder, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
calls = 0
def progress(reading):
    global calls
    calls += 1
    if calls == after:
        os.kill(os.getpid(), signal.SIGKILL)
found = select_from_disk(
    pool, 14, "gram_schmidt", block_size=4, checkpoint=folder, progress=progress)
print(found.indices.tolist())
"""


def test_sigkill(pool, tmp_path):
    whole = select_from_disk(pool, 14, "gram_schmidt", block_size=4)
    cache = jax.config.jax_compilation_cache_dir
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JAX_COMPILATION_CACHE_DIR": str(cache),
    }

    def start(after):
        return subprocess.run(
            [sys.executable, "-c", SCRIPT, pool, str(tmp_path / "state"), str(after)],
            env=environment,
            capture_output=True,
            text=True,
        )

    killed = start(8)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / "state" / "state.npz").exists()
    ended = start(0)
    assert json.loads(ended.stdout) == whole.indices.tolist(), ended.stderr


def test_a_full_disk_leaves_the_last_checkpoint(pool, tmp_path):
    options = {"block_size": 4, "checkpoint": tmp_path / "state"}
    whole = select_from_disk(pool, 14, "gram_schmidt", block_size=4)
    with pytest.raises(Killed):
        select_from_disk(pool, 14, "gram_schmidt", progress=dying(8), **options)
    before = (tmp_path / "state" / "state.npz").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As from a full disk, a write of more than a few bytes fails.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(UserError, match=r"state\.npz.*File too large.*intact"):
            select_from_disk(pool, 14, "gram_schmidt", **options)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "state" / "state.npz").read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "state").iterdir()) == [
        ".lock",
        "identity.json",
        "state.npz",
    ]
    found = select_from_disk(pool, 14, "gram_schmidt", **options)
    assert found.indices.tolist() == whole.indices.tolist()


def test_a_checkpoint_of_something_else_is_refused(pool, tmp_path):
    folder = tmp_path / "state"
    select_from_disk(pool, 5, "norm", checkpoint=folder)
    for method, options, words in [
        ("random", {}, "method, options"),
        ("norm", {"seed": 1}, "seed"),
        ("norm", {"deterministic": True}, "options"),
        ("norm", {"labelled": [4]}, "labelled"),
    ]:
        with pytest.raises(UserError, match=f"another {words}"):
            select_from_disk(pool, 5, method, checkpoint=folder, **options)
    state = folder / "state.npz"
    state.write_bytes(state.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"state\.npz.*damaged"):
        select_from_disk(pool, 5, "norm", checkpoint=folder)
    state.unlink()
    rows = np.load(tmp_path / "rows2.npy")
    np.save(tmp_path / "rows2.npy", rows + 1)
    with pytest.raises(UserError, match="another pool"):
        select_from_disk(pool, 5, "norm", checkpoint=folder)
    with pytest.raises(UserError, match="folder"):
        select_from_disk(pool, 5, "norm", checkpoint=3)


def exchange(path, first, second):
    """Two rows change places; size and time of the file stay as they were."""
    stamp = path.stat()
    rows = np.load(path)
    rows[[first, second]] = rows[[second, first]]
    np.save(path, rows)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


@pytest.mark.parametrize(
    ("method", "options"), [PREFIX[0], PREFIX[5], ("probcover+norm", {"delta": 0.1})]
)
def test_a_checkpoint_of_rows_that_changed_is_refused(
    pool, tmp_path, monkeypatch, method, options
):
    # As of a large pool, the fingerprint sees some rows alone: here the first 341.
    monkeypatch.setattr("jaxsel.pools.pool.STRETCHES", 1)
    folder, shard = tmp_path / "state", tmp_path / "rows2.npy"
    first = select_from_disk(pool, 5, method, checkpoint=folder, **options)
    before = (folder / "state.npz").read_bytes()
    exchange(shard, 301, 302)
    where = r"rows 210 to 397 of '.*rows2\.npy' \(rows 512 to 699 of the pool\)"
    for memory in ("2GiB", "1GiB"):
        with pytest.raises(UserError, match=f"since the checkpoint .* between {where}"):
            select_from_disk(
                pool, 5, method, checkpoint=folder, memory=memory, **options
            )
    # Nothing of the changed rows is in the state, so the old rows go on from it.
    assert (folder / "state.npz").read_bytes() == before
    exchange(shard, 301, 302)
    said = []
    again = select_from_disk(
        pool, 5, method, checkpoint=folder, progress=said.append, **options
    )
    assert again.indices.tolist() == first.indices.tolist()
    assert [reading.checking for reading in said[:3]] == [True] * 3
    assert "comparing the pool" in said[0].line()


def test_rows_that_change_between_two_passes_are_named(pool, tmp_path):
    def change(reading):
        if reading.passes == 1:
            exchange(tmp_path / "rows0.npy", 254, 255)

    where = r"rows 0 to 255 of '.*rows0\.npy'"
    with pytest.raises(UserError, match=f"while they are read, between {where}"):
        select_from_disk(pool, 14, "k_center", progress=change)


def test_a_checkpoint_without_hashes_of_rows_is_refused(pool, tmp_path):
    folder = tmp_path / "state"
    select_from_disk(pool, 5, "norm", checkpoint=folder)
    said = json.loads((folder / "identity.json").read_text())
    (folder / "identity.json").write_text(json.dumps({**said, "version": 1}))
    with pytest.raises(UserError, match=r"earlier jaxsel.*another folder"):
        select_from_disk(pool, 5, "norm", checkpoint=folder)


def test_a_file_that_changes_ends_the_selection_with_its_name(pool, tmp_path):
    def cut(_):
        path = tmp_path / "rows2.npy"
        os.truncate(path, path.stat().st_size - 4)

    folder = tmp_path / "state"
    with pytest.raises(UserError, match=r"rows2\.npy.*cut to"):
        select_from_disk(pool, 14, "k_center", checkpoint=folder, progress=cut)
