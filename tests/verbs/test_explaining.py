"""What every pick stands for and covers, against float64 and the definition."""

import dataclasses
import io
import json
import math
import pathlib
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from jaxsel.annotation.picks import Pick, read_picks
from jaxsel.selection.api import Selection, select
from jaxsel.selection.delta import auto_delta
from jaxsel.selection.rows import unit_rows
from jaxsel.verbs import assignments, covering, represents
from jaxsel.verbs.covering import Radius, coverage_of, radius_of
from jaxsel.verbs.explaining import explain
from jaxsel.verbs.represents import explained
from tests.verbs.console import Run

RNG = np.random.default_rng(5)
POOL = RNG.normal(size=(700, 6)) * RNG.gamma(4, size=(700, 1)) + 1.5
PICKS = np.array([30, 4, 511, 77, 699, 12, 260])
LABELLED = np.array([5, 100, 333])


def distances(rows: np.ndarray, to: np.ndarray) -> np.ndarray:
    """From every row to some, in float64, by the definition."""
    turned = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.linalg.norm(turned[:, None] - turned[None, to], axis=2)


def test_every_row_belongs_to_the_pick_that_is_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(represents, "_BLOCK_NUMBERS", 7 * 64)  # several blocks
    monkeypatch.setattr(represents, "_LABELLED_AT_ONCE", 2)
    truth = distances(POOL, PICKS)
    known = distances(POOL, LABELLED)
    radius = 0.35
    done: list[int] = []
    found = explained(POOL, PICKS, radius, LABELLED, done.append)
    assert sum(done) == 700 and len(done) > 5
    np.testing.assert_array_equal(found.nearest, truth.argmin(axis=1))
    np.testing.assert_allclose(found.distances, truth.min(axis=1), atol=1e-6)
    np.testing.assert_allclose(found.norms, np.linalg.norm(POOL, axis=1), rtol=1e-6)
    near = truth < radius
    first = np.where(near.any(axis=1), near.argmax(axis=1) + 1, 8)
    first[(known < radius).any(axis=1)] = 0
    assert set(first) == set(range(9))
    np.testing.assert_array_equal(found.first, first)


def test_repeats_of_a_pick_and_rows_without_direction() -> None:
    rows = np.array([[1.0, 0], [2, 0], [3, 0], [0, 0], [0, 5], [0, 0]])
    found = explained(rows, np.array([1, 2, 4]), 0.5)
    # A pick belongs to itself, other repeats to the first; zeros are 1 from all.
    assert found.nearest.tolist() == [0, 0, 1, 0, 2, 0]
    assert found.distances.tolist() == [0, 0, 0, 1, 0, 1]
    assert found.first.tolist() == [1, 1, 1, 4, 3, 4]
    # A zero pick covers itself alone, however large the radius; a labelled one too.
    found = explained(rows, np.array([3, 0]), 1.5, np.array([5]))
    assert found.nearest.tolist() == [1, 1, 1, 0, 0, 0]
    assert found.first.tolist() == [2, 2, 2, 1, 2, 0]


def test_random_picks_cover_what_the_hypergeometric_law_says() -> None:
    radius, budget = 0.5, 25
    unusable = [0, 1, 2]
    free = np.setdiff1d(np.arange(700), [*LABELLED, *unusable])
    near = distances(POOL, np.arange(700)) < radius
    first = explained(POOL, PICKS, radius, LABELLED).first
    found = coverage_of(
        POOL, first, budget, Radius(radius, ""), LABELLED, unusable, seed=0
    )
    degree = near[:, free].sum(axis=1)
    start = near[:, LABELLED].any(axis=1)
    expected = []
    for k in range(budget + 1):
        miss = [
            math.comb(len(free) - int(one), k) / math.comb(len(free), k)
            for one in degree
        ]
        expected.append(np.where(start, 1.0, 1 - np.array(miss)).mean())
    assert found.random[:, 0].tolist() == [start.mean()] * 10
    error = found.random[:, 1:].std(axis=0, ddof=1) / 10**0.5
    gap = found.random.mean(axis=0)[1:] - expected[1:]
    assert (np.abs(gap) < 4 * error + 1e-9).all()
    assert found.shares[0] == start.mean()


def test_the_radius_is_that_of_the_whole_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covering, "REFERENCE_ROWS", 64)
    rows = np.random.default_rng(0).normal(size=(200, 4)) + 1
    found = radius_of(rows, None, "norm")
    turned = unit_rows(rows.astype(np.float32))
    whole = float(auto_delta(turned, reference_rows=64))
    assert found.value == pytest.approx(whole, rel=1e-4)
    assert radius_of(rows, 0.25, "probcover") == (0.25, "probcover's own radius")


def test_unusable_picks_stand_for_nothing_and_cover_nothing() -> None:
    picks = [
        Pick(k + 1, f"r{row}", "", int(row), None, 0) for k, row in enumerate(PICKS)
    ]
    story = explain(
        picks, POOL, labelled=LABELLED.tolist(), unusable=[4], method="norm",
        radius=0.4, seed=0,
    )  # fmt: skip
    left = np.delete(PICKS, 1)
    counts = np.bincount(distances(POOL, left).argmin(axis=1), minlength=6)
    assert story.picks[1].represents == 0
    assert [pick.represents for pick in story.usable] == counts.tolist()
    assert story.coverage.budget == 6
    covered = (distances(POOL, [*left, *LABELLED]) < 0.4).any(axis=1).mean()
    assert story.coverage.shares[-1] == pytest.approx(covered)


def test_the_folder_tells_of_every_row(
    run: Run, matrix: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = 0.9

    def with_radius(*words: Any, **more: Any) -> Selection:
        found = select(*words, **more)
        return dataclasses.replace(found, info={**found.info, "delta": delta})

    monkeypatch.setattr(assignments, "GROUP", 8)
    monkeypatch.setattr("jaxsel.verbs.picking.select", with_radius)
    said = run("select", matrix, "-b", 6, "-m", "norm", "--json")
    assert said.code == 0, said.err
    rows = np.load(matrix).astype(np.float64)
    picks = read_picks(pathlib.Path("picks/picks.csv"))
    file = pq.ParquetFile("picks/assignments.parquet")
    assert file.num_row_groups == 4
    kinds = {field.name: str(field.type) for field in file.schema_arrow}
    assert kinds == {
        "id": "string", "index": "int64", "pick_id": "string", "pick_rank": "int32",
        "distance": "float", "content": "string",
    }  # fmt: skip
    table = file.read().to_pydict()
    truth = distances(rows, np.array([pick.index for pick in picks]))
    assert table["id"] == [str(k) for k in range(30)]
    assert table["index"] == list(range(30))
    nearest = truth.argmin(axis=1)
    assert table["pick_rank"] == [picks[k].rank for k in nearest]
    assert table["pick_id"] == [picks[k].id for k in nearest]
    np.testing.assert_allclose(table["distance"], truth.min(axis=1), atol=1e-6)

    told = json.loads(pathlib.Path("picks/manifest.json").read_text())["coverage"]
    assert told == said.found["coverage"]
    assert told["radius"] == delta and told["rule"] == "norm's own radius"
    curve = [(truth[:, :k] < delta).any(axis=1).mean() for k in range(7)]
    np.testing.assert_allclose(told["curve"], curve, atol=1e-6)
    text = pathlib.Path("picks/coverage.csv").read_text()
    lines = np.genfromtxt(io.StringIO(text), delimiter=",", names=True)
    assert lines["k"].tolist() == list(range(7))
    np.testing.assert_allclose(lines["coverage"], curve, atol=1e-6)
    np.testing.assert_allclose(lines["random"], told["random"], atol=1e-6)


def test_labels_of_before_cover_from_the_start(run: Run, matrix: pathlib.Path) -> None:
    np.save("known.npy", np.array([3, 8, 20]))
    words = ("-b", 4, "-m", "norm", "--labelled", "known.npy")
    said = run("select", matrix, *words)
    assert said.code == 0, said.err
    told = json.loads(pathlib.Path("picks/manifest.json").read_text())["coverage"]
    rows = np.load(matrix).astype(np.float64)
    start = (distances(rows, np.array([3, 8, 20])) < told["radius"]).any(axis=1)
    assert told["curve"][0] == pytest.approx(start.mean(), abs=1e-6)
    assert told["random"][0] == told["curve"][0] > 0
    assert "What was labelled before covers" in said.out
    assert told["sentence"] in said.out and "picks/report.html" in said.out
