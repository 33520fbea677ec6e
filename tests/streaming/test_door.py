"""What `select_from_disk` refuses, and how memory is divided."""

import numpy as np
import pytest

import jaxsel
from jaxsel.errors import UserError
from jaxsel.pools.opening import open_pool
from jaxsel.selection.dropping import DroppedRowsWarning
from jaxsel.streaming import methods, plan
from jaxsel.streaming.api import select_from_disk
from jaxsel.streaming.plan import as_bytes
from jaxsel.streaming.stream import Reading


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("max_herding", {}, "in memory.*random, norm"),
        ("probcover+gs", {"candidates": [1, 2, 3, 4, 5]}, "first stage"),
        ("typiclust+gs", {"reference": 10}, "unknown option 'reference'"),
        ("typiclust+gs", {"n_init": 0}, "n_init"),
        ("nonsense", {}, "unknown method"),
        (["norm"], {}, "unknown method"),
        ("gram_schmidt", {"norm_ord": 1}, "norm_ord=1"),
        ("gram_schmidt", {"algorithm": "sequential"}, "sequential"),
        ("gram_schmidt", {"reference": 10}, "unknown option 'reference'"),
        ("probcover", {"delta": "purity", "n_classes": 3}, "purity"),
        ("probcover", {"n_candidates": 10}, "reference"),
        ("probcover", {"reference": 0}, "reference must be"),
        (
            "probcover",
            {"reference": 9, "n_candidates": 3, "delta": 0.5},
            "5 candidates",
        ),
        ("norm", {"input_norms": [1.0]}, "input_norms"),
        ("norm", {"memory": "much"}, "memory"),
        ("norm", {"memory": 0}, "memory"),
        ("norm", {"memory": "1GiB ram"}, "memory"),
        ("norm", {"seed": -1}, "seed"),
        ("norm", {"labelled": [700]}, "labelled"),
    ],
)
def test_what_is_refused(pool, method, options, words):
    with pytest.raises(UserError, match=words):
        select_from_disk(pool, 5, method, **options)


def test_an_option_that_is_not_heeded_is_refused(monkeypatch):
    # As if the selector in memory had learned it, and the streamed one not yet.
    monkeypatch.setitem(methods._HEEDED, "k_center", ())
    with pytest.raises(UserError, match="disk, found tie"):
        methods.check_streamed("k_center", {"tie": "random"})


def test_budgets(pool):
    assert len(select_from_disk(pool, 0, "norm")) == 0
    with pytest.raises(UserError, match="budget 701"):
        select_from_disk(pool, 701, "norm")


def test_rows_that_are_no_numbers_are_named(rows, pool, tmp_path):
    part = np.load(tmp_path / "rows2.npy")
    for bad in (np.nan, np.inf):
        part[7, 2] = bad
        np.save(tmp_path / "rows2.npy", part)
        for method in ("norm", "probcover"):
            with pytest.raises(UserError, match=r"row 7 of .*rows2.npy.*row 309"):
                select_from_disk(pool, 5, method)


def test_numbers_whose_squares_overflow_need_no_scale(rows, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, rows * np.float32(2.0**60))
    found = select_from_disk(path, 5, "k_center")
    scaled = select_from_disk(open_pool(path, scale=2.0**-60), 5, "k_center")
    np.save(path, rows)
    plain = select_from_disk(path, 5, "k_center")
    assert found.indices.tolist() == plain.indices.tolist() == scaled.indices.tolist()
    unscaled = found.gains[1:] / np.float32(found.info["scale"]) / 2.0**60
    assert np.allclose(unscaled, plain.gains[1:], rtol=1e-6)


@pytest.mark.parametrize("method", ["random", "k_center", "typiclust"])
def test_one_nan_is_named_whatever_maxima_do(tmp_path, method):
    pool = np.random.default_rng(0).normal(size=(400, 128)).astype(np.float32)
    pool[123, 5] = np.nan
    np.save(tmp_path / "x.npy", pool)
    with pytest.raises(UserError, match=r"1 row.*row 123 .*--drop-bad"):
        select_from_disk(tmp_path / "x.npy", 8, method)


def test_rows_that_are_not_finite_are_left_out_where_asked(tmp_path):
    pool = np.random.default_rng(0).normal(size=(400, 12)).astype(np.float32)
    bad = [0, 1, 123, 399]
    pool[bad, 5] = [np.nan, np.inf, -np.inf, np.nan]
    np.save(tmp_path / "x.npy", pool[:200])
    np.save(tmp_path / "y.npy", pool[200:])
    labelled = [1, 5, 300]
    inputs = np.arange(400) % 7 + 1
    given = {"labelled": labelled, "drop_bad": True, "input_norms": inputs}
    with pytest.warns(DroppedRowsWarning, match="4 of 400"):
        disk = select_from_disk(str(tmp_path / "*.npy"), 20, "norm", **given)
    with pytest.warns(DroppedRowsWarning, match="4 of 400"):
        memory = jaxsel.select(pool, 20, "norm", **given)
    assert disk.indices.tolist() == memory.indices.tolist()
    assert disk.info["dropped"].tolist() == memory.info["dropped"].tolist() == bad


def test_the_least_memory_is_said_and_works(pool):
    with pytest.raises(UserError, match=r"at least (\d+) bytes") as refused:
        select_from_disk(pool, 5, "norm", memory=1)
    least = int(str(refused.value).split("at least ")[1].split()[0])
    with pytest.raises(UserError, match="at least"):
        select_from_disk(pool, 5, "norm", memory=least - 1)
    found = select_from_disk(pool, 5, "norm", memory=least)
    assert found.info["block_rows"] == 256
    assert found.info["planned_bytes"] == least


def test_more_memory_means_larger_blocks_up_to_a_limit(pool, monkeypatch):
    monkeypatch.setattr(plan, "LARGEST", 4 * 12 * 512)
    opened = open_pool(pool)
    given = {"per_row": 4, "fixed": 0, "per_block": 0}
    sizes = [
        plan.plan(plan.RUNTIME + extra, opened, **given).block
        for extra in (100_000, 200_000, 1 << 30)
    ]
    assert sizes == [256, 512, 512]


def test_sizes_in_words():
    assert as_bytes("1.5GiB") == 3 << 29 and as_bytes("1 kB") == 1000
    assert as_bytes("700") == 700 and as_bytes("2g") == 2 * 10**9


def test_progress_is_told_after_every_block(pool):
    seen: list[Reading] = []
    select_from_disk(pool, 5, "random", progress=seen.append)
    assert [reading.passes for reading in seen] == [0.37, 0.73, 1.0]
    assert seen[-1].bytes_read == 700 * 12 * 4
    assert "5 picks, 1 passes" in seen[-1].line()
